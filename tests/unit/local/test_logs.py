from collections.abc import Callable
from pathlib import Path

from local.logs import follow


def shown(
    run_dir: Path, only: tuple[str, ...] = (), *, lines: int = 20, writes: list[Callable[[], object]]
) -> list[str]:
    """Follow the logs, doing one of `writes` whenever there is nothing new; return what was shown."""
    seen: list[str] = []

    def wait() -> bool:
        if not writes:
            return False
        writes.pop(0)()
        return True

    follow(run_dir, only, lambda name, line: seen.append(f"{name}: {line}"), lines=lines, wait=wait)
    return seen


def append(file: Path, text: str) -> None:
    with file.open("a") as log:
        log.write(text)


def test_each_line_is_shown_with_its_service(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n")
    (tmp_path / "b.log").write_text("2\n")
    assert shown(tmp_path, writes=[]) == ["a: 1", "b: 2"]


def test_only_the_last_lines_are_shown_to_begin_with(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n2\n3\n")
    assert shown(tmp_path, lines=2, writes=[]) == ["a: 2", "a: 3"]
    assert shown(tmp_path, lines=0, writes=[]) == []


def test_a_new_line_is_shown_once(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("1\n")
    assert shown(tmp_path, writes=[lambda: append(log, "2\n"), lambda: None]) == ["a: 1", "a: 2"]


def test_the_log_of_a_service_that_starts_later_is_followed_too(tmp_path: Path) -> None:
    assert shown(tmp_path, writes=[lambda: append(tmp_path / "late.log", "1\n")]) == ["late: 1"]


def test_only_the_named_services_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n")
    (tmp_path / "b.log").write_text("2\n")
    assert shown(tmp_path, ("b",), writes=[]) == ["b: 2"]

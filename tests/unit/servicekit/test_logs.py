import pytest

from tests.unit.servicekit.processes import Line, run_sample


@pytest.fixture(scope="module")
def written() -> tuple[list[Line], str]:
    code, lines, stdout = run_sample(behaviour="write_logs")
    assert code == 0
    return lines, stdout


def line(lines: list[Line], event: str) -> Line:
    return next(each for each in lines if each["event"] == event)


def test_every_line_starts_with_time_level_service_and_event(written: tuple[list[Line], str]) -> None:
    for each in written[0]:
        assert list(each)[:4] == ["time", "level", "service", "event"]
        assert each["service"] == "sample"
        assert each["time"].endswith("Z")


def test_fields_keep_their_json_types_and_stay_strict_json(written: tuple[list[Line], str]) -> None:
    fields = line(written[0], "fields")
    assert (fields["number"], fields["ratio"], fields["items"]) == (1, "nan", {"b": [1, 2]})


def test_no_secret_is_written(written: tuple[list[Line], str]) -> None:
    fields, text = line(written[0], "fields"), line(written[0], "text")
    assert (fields["password"], fields["deep"]) == ("***", {"aws_token": "***"})
    assert (text["url"], text["note"]) == ("postgres://user:***@host/db", "secret_key=*** and more")
    assert "hunter2" not in str(written[0])


def test_a_cut_through_a_secret_leaves_nothing_of_it(written: tuple[list[Line], str]) -> None:
    cut = line(written[0], "cut")
    ends = {name: cut[name].rpartition("x ")[2].strip() for name in ("url", "note", "identity")}
    assert ends == {
        "url": "postgres://user:***... 5 characters more",
        "note": "secret_key=***... 3 characters more",
        "identity": "***... 8 characters more",
    }


def test_a_line_has_a_bounded_length_whatever_it_is_given(written: tuple[list[Line], str]) -> None:
    long = line(written[0], "long")
    assert (len(long["text"]) < 9000, long["text"][-27:]) == (True, "... 991,808 characters more")
    assert (len(long["items"]), long["items"][-1]) == (101, "... 900 more")
    assert (len(long["fields"]), long["fields"]["..."]) == (101, "900 more")


def test_lines_below_the_level_are_not_written(written: tuple[list[Line], str]) -> None:
    assert not [each for each in written[0] if each["event"] == "too_quiet"]


def test_the_standard_librarys_lines_and_warnings_are_routed(written: tuple[list[Line], str]) -> None:
    assert line(written[0], "it says hello")["logger"] == "a.library"
    assert [each for each in written[0] if "DeprecationWarning: old way" in each["event"]]


def test_an_exception_of_a_thread_is_one_line(written: tuple[list[Line], str]) -> None:
    crash = line(written[0], "crashed")
    assert crash["exception"][0]["exc_type"] == "LookupError"
    assert crash["exception"][0]["frames"][-1]["name"] == "_fail"


def test_only_a_stray_print_reaches_stdout(written: tuple[list[Line], str]) -> None:
    assert written[1] == "a stray print\n"


def test_a_debug_log_never_holds_what_the_sdk_signs() -> None:
    _, lines, _ = run_sample(behaviour="write_logs", log_level="DEBUG")
    assert line(lines, "too_quiet")["level"] == "debug"
    assert "hunter2" not in str(lines)


def test_an_exception_that_nobody_caught_is_one_line() -> None:
    code, lines, _ = run_sample("--crash-outside")
    assert code == 1
    assert [each["event"] for each in lines] == ["crashed"]

"""No text from outside stops a service: twice the text takes any pattern at most thrice the time."""

import pytest

from tests.unit.patterns.scanning import RATIO, Pattern, of_source, patterns, slowest


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.place)
def test_twice_the_text_takes_at_most_thrice_the_time(pattern: Pattern) -> None:
    ratio, unit = slowest(pattern)
    assert ratio <= RATIO, f"{pattern.place}: {pattern.text!r} takes {ratio:.1f} times as long for twice of {unit!r}"


@pytest.mark.parametrize("text", [r"[\w-]*(?:secret|token)[\w-]*=", r"\w+://", r"!\{([^}]*)\}", r"(?m)^\s*x = "])
def test_a_quadratic_pattern_would_be_found(text: str) -> None:
    assert slowest(Pattern("", text))[0] > RATIO


def test_the_patterns_of_every_package_are_found() -> None:
    found = {pattern.place.split(":")[0] for pattern in patterns()}
    known = ("servicekit/logs.py", "replay/rows.py", "activity/events.py", "producer/api.py", "firehose/layout.py")
    assert [name for name in known if not any(place.endswith(name) for place in found)] == []


@pytest.mark.parametrize(
    "source", ["import re\nre.compile(x)", "import re\nre.sub(f'{x}', '', y)", "from re import sub"]
)
def test_a_pattern_that_could_not_be_tried_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"literal|import re"):
        list(of_source(source, "x.py"))

"""What this machine cannot test: the one way to skip a test, and the last line of a run, which names all of it."""

from collections.abc import Iterable
from typing import Final, NoReturn

import pytest

ALL_TESTED: Final = "Every promise that these tests are for was tested on this machine."
_REASON: Final = "{promise} [missing: {missing}]"


def skip_promise(promise: str, *, missing: str) -> NoReturn:
    """Skip the running test.

    Args:
        promise: what nobody has shown now, as a reader of the last line understands it.
        missing: what the machine lacks for it, and where to get that.
    """
    pytest.skip(_REASON.format(promise=promise, missing=missing))


def needs(promise: str, *, missing: str, there: bool) -> pytest.MarkDecorator:
    """Return the mark that skips a test unless what it needs is `there`; for the rest see `skip_promise`."""
    return pytest.mark.skipif(not there, reason=_REASON.format(promise=promise, missing=missing))


def last_line(reasons: Iterable[str]) -> str:
    """Return one line that names what was not tested; a promise stands there once, however many tests it has."""
    named = sorted({" ".join(reason.removeprefix("Skipped: ").split()) for reason in reasons})
    return f"NOT TESTED on this machine: {'; '.join(named)}" if named else ALL_TESTED


def reason_of(skipped: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the reason of a report of a skipped test."""
    return skipped.longrepr[2] if isinstance(skipped.longrepr, tuple) else str(skipped.longrepr)

"""Asking a process on this machine how it is; `python -m local.health URL` exits with 0 when it answers 200."""

import http.client
import json
import sys
import urllib.error
import urllib.request
from typing import Final

TIMEOUT: Final = 2.0


def answers(url: str) -> bool:
    """Say whether `url` answers with status 200."""
    return problem(url) is None


def problem(url: str) -> str | None:
    """Return None when `url` answers with status 200, else why it does not in a few words.

    An answer in the form of our services' /health/ready names the checks that fail.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT):  # noqa: S310 - our own address
            return None
    except urllib.error.HTTPError as error:
        with error:
            return failed_checks(error.read()) or f"answers {error.code}"
    except (OSError, http.client.HTTPException):
        return "does not answer"


def failed_checks(body: bytes) -> str | None:
    """Return the failing checks of a health report, or None when `body` is not one."""
    try:
        checks = json.loads(body)["checks"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return ", ".join(f"{name}: {state}" for name, state in checks if state != "ok") or None


if __name__ == "__main__":
    sys.exit(problem(sys.argv[1]))

"""Firehose's object names.

Source: Amazon Data Firehose Developer Guide, "Configure Amazon S3 object name format" and "custom prefixes".
"""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from local.errors import LocalError

EXPRESSION: Final = re.compile(r"!\{([^{}]*)\}")
PATTERNS: Final = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
LETTERS: Final = re.compile(r"[A-Za-z]+")
VERSION: Final = 1
"""Of the delivery stream: Firehose counts its configuration changes from 1."""


def object_key(*, prefix: str, stream: str, at: datetime, unique: UUID) -> str:
    """Return the key of one gzipped object.

    Args:
        prefix: Firehose's own notation, such as `stream-1/dt=!{timestamp:yyyy-MM-dd}/`.
        stream: name of the delivery stream.
        at: when the oldest record of the object arrived, in UTC.
        unique: makes the name unlike any other.

    Raises:
        LocalError: when `prefix` holds an expression that is not a timestamp.
    """
    return f"{render_prefix(prefix, at)}{stream}-{VERSION}-{at:%Y-%m-%d-%H-%M-%S}-{unique}.gz"


def render_prefix(prefix: str, at: datetime) -> str:
    """Replace each `!{timestamp:...}` of `prefix`, a Java date pattern, by `at`."""
    return EXPRESSION.sub(lambda found: _render(found.group(1), at), prefix)


def _render(expression: str, at: datetime) -> str:
    namespace, _, pattern = expression.partition(":")
    words = set(LETTERS.findall(pattern))
    if namespace != "timestamp" or not words or not words <= PATTERNS.keys():
        message = f"The Firehose stand-in does not know !{{{expression}}}; use !{{timestamp:yyyy-MM-dd}} and the like."
        raise LocalError(message)
    return LETTERS.sub(lambda word: at.strftime(PATTERNS[word.group()]), pattern)

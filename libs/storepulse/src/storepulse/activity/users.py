"""What a user id is: a text that can be told from no user at all, and that every store can be keyed by."""

from typing import Annotated, Final

from msgspec import Meta

MAX_KEY_UNITS: Final = 256
"""UTF-16 code units of a Kinesis partition key. Its API counts characters; code units are the strictest reading."""

#: All that `str.isspace` calls white space, spelled out: `\\s` is another set in every language.
_WHITE_SPACE: Final = (
    r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # no space itself
)

UserId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_KEY_UNITS,
        description=(
            "Kept as it is: blanks before and after belong to it. Not of white space alone; "
            f"at most {MAX_KEY_UNITS} UTF-16 code units, as it is a partition key."
        ),
        extra_json_schema={"pattern": f"[^{_WHITE_SPACE}]"},
    ),
]
UsualUserId = Annotated[str, Meta(min_length=1, max_length=MAX_KEY_UNITS // 2)]
"""A `UserId` whose length in UTF-16 need not be looked at."""


def utf16_units(text: str) -> int:
    """Return how many UTF-16 code units `text` has: two for a character beyond U+FFFF."""
    return len(text) + sum(character > "\uffff" for character in text)


def check_user(user: str) -> None:
    """Raise a ValueError that names the field if `user` fits `UserId`'s type and is none all the same."""
    if user.isspace():
        msg = "user_id: white space alone names nobody"
        raise ValueError(msg)
    if len(user) > MAX_KEY_UNITS // 2 and utf16_units(user) > MAX_KEY_UNITS:
        msg = f"user_id: {utf16_units(user)} UTF-16 code units; a partition key has {MAX_KEY_UNITS} at most"
        raise ValueError(msg)


def partition_key(text: str) -> str:
    """Return as much of `text` from its start as fits a partition key."""
    if len(text) <= MAX_KEY_UNITS // 2:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * MAX_KEY_UNITS].decode("utf-16-le", "ignore")

"""Bad events as SQS takes them. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from storepulse.failures import BadEvent

MAX_ENTRIES: Final = 10  # a SendMessageBatch call
MAX_BYTES: Final = 256 * 1024  # a call, and so a message
FOLDER: Final = "bad-events/"
MAX_REASON: Final = 1_000  # characters, of an event that is too large even without its payload


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that no message can hold, and where it goes."""

    key: str  # in the bucket
    payload: bytes


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One bad event on its way."""

    body: str  # JSON of schema bad-event/1, ASCII, at most `MAX_BYTES`
    moved: Moved | None = None  # to be stored before the body is sent, which names it


def letter(event: BadEvent, bucket: str) -> Letter:
    """Return the message for `event`; a payload that is too large for one goes to `bucket`.

    The key comes from the event's id, so that an event that is sent again is stored in the same place.
    """
    body = _to_json(event)
    if len(body) <= MAX_BYTES:
        return Letter(body=body)
    key = f"{FOLDER}{event.bad_event_id}"
    body = _to_json(event.moved_to(f"s3://{bucket}/{key}"))
    if len(body) > MAX_BYTES:
        short = msgspec.structs.replace(event, reason=f"{event.reason[:MAX_REASON]} ...")
        body = _to_json(short.moved_to(f"s3://{bucket}/{key}"))
    return Letter(body=body, moved=Moved(key=key, payload=event.raw()))


def calls(bodies: Iterable[str]) -> Iterator[list[str]]:
    """Cut ASCII `bodies`, each at most `MAX_BYTES` long, into what SendMessageBatch takes, in order."""
    call: list[str] = []
    size = 0
    for body in bodies:
        if call and (len(call) == MAX_ENTRIES or size + len(body) > MAX_BYTES):
            yield call
            call, size = [], 0
        call.append(body)
        size += len(body)
    if call:
        yield call


def refused(bodies: Sequence[str], failed: Iterable[Mapping[str, object]]) -> list[str]:
    """Return those of a call's `bodies` that are in its answer's `Failed`; an entry's id is its place in the call."""
    places = {str(failure["Id"]) for failure in failed}
    return [body for place, body in enumerate(bodies) if str(place) in places]


def _to_json(event: BadEvent) -> str:
    """Return ASCII: SQS refuses some characters that JSON may hold (U+FFFE, ...), and then bytes are characters."""
    fields: dict[str, str | None] = msgspec.to_builtins(event)
    return json.dumps({name: value and _readable(value) for name, value in fields.items()}, separators=(",", ":"))


def _readable(text: str) -> str:
    """Return `text` with half characters (lone surrogates), which a reader of JSON may refuse, spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()

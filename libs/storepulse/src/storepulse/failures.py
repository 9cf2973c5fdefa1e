"""What becomes of a record that cannot be used: nothing disappears without a `BadEvent`."""

from base64 import b64decode, b64encode
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from storepulse.identity import content_id


class FailureKind(StrEnum):
    """Why a record was set aside."""

    MALFORMED = "malformed"  # not a JSON object in UTF-8, or too deeply nested
    INVALID = "invalid"  # JSON, but a field is missing or of the wrong type or form
    TOO_LARGE = "too_large"
    LATE = "late"  # its window had fired when it came
    UNDELIVERABLE = "undeliverable"  # refused by a store for a reason that a retry cannot mend


class BadPayload(msgspec.Struct, frozen=True):
    """A payload that is no event, and why, for a person to read."""

    kind: FailureKind
    reason: str


class BadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One record set aside, whole: its bytes, why, and where it was read.

    Schema ``bad-event/1``. `bad_event_id` depends on the place alone, so a replay that sets the same record aside again
    makes no second one.
    """

    bad_event_id: str
    service: str
    kind: FailureKind
    reason: str
    payload: Annotated[
        str,
        Meta(
            description="The record's bytes in base64; empty when they are at payload_url.",
            extra_json_schema={"contentEncoding": "base64"},
        ),
    ]
    payload_url: str | None = None  # s3://bucket/bad-events/<bad_event_id>, for bytes that no queue message can hold
    stream: str  # a Kinesis stream's name, or the URL of a file
    shard_id: str  # empty for a file
    sequence_number: str  # a file's line number, from 1, header included
    failed_at: str  # processing time, in the form of `storepulse.instants`

    @classmethod
    def of(
        cls,
        bad: BadPayload,
        payload: bytes,
        *,
        service: str,
        stream: str,
        shard_id: str,
        sequence_number: str,
        failed_at: str,
    ) -> "BadEvent":
        """Return the bad event for the record read at a place."""
        return cls(
            bad_event_id=content_id(service, stream, shard_id, sequence_number),
            service=service,
            kind=bad.kind,
            reason=bad.reason,
            payload=b64encode(payload).decode(),
            stream=stream,
            shard_id=shard_id,
            sequence_number=sequence_number,
            failed_at=failed_at,
        )

    def moved_to(self, url: str) -> "BadEvent":
        """Return the event that a queue message can hold, once its bytes are stored at `url`."""
        return msgspec.structs.replace(self, payload="", payload_url=url)

    def raw(self) -> bytes:
        """Return the record's bytes as they were read (of an event whose bytes did not move)."""
        return b64decode(self.payload)

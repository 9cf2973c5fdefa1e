"""PutRecords at a tenth of botocore's cost a record, through botocore's own hooks.

botocore encodes each record through its model and parses each answer through it. Here the request's body is made by
msgspec and put in place of the one botocore made of an empty list, before it signs; the answer is read by msgspec.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiobotocore import parsers
from aiobotocore.session import AioSession, get_session

from producer.ports import Entry


class PutEntry(msgspec.Struct, omit_defaults=True, gc=False, rename="pascal"):
    """A record of the request."""

    data: bytes
    partition_key: str
    explicit_hash_key: str | None = None


class _Request(msgspec.Struct, rename="pascal"):
    stream_name: str
    records: list[PutEntry]


class PutResult(msgspec.Struct, gc=False, rename="pascal"):
    """A record of the answer."""

    sequence_number: str | None = None
    shard_id: str | None = None
    error_code: str | None = None


class PutAnswer(msgspec.Struct, rename="pascal"):
    """The answer."""

    records: list[PutResult]


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(PutAnswer).decode


def encode_request(stream: str, entries: Sequence[Entry]) -> bytes:
    """Return the body of a PutRecords request."""
    return _encode(_Request(stream, [PutEntry(entry.payload, entry.key, entry.hash_key) for entry in entries]))


class _Parser(parsers.AioJSONParser):
    """Reads the answer of PutRecords by msgspec, all others as before."""

    async def parse(self, response: Any, shape: Any) -> Any:  # noqa: ANN401 - botocore's form
        if shape is not None and shape.name == "PutRecordsOutput" and response["status_code"] == 200:  # noqa: PLR2004
            return {
                "Answer": _decode(response["body"]),
                "ResponseMetadata": {"HTTPStatusCode": response["status_code"]},
            }
        return await super().parse(response, shape)


class _ParserFactory(parsers.AioResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:  # noqa: ANN401 - botocore's form
        if protocol_name == "json":
            return _Parser(**self._defaults)  # type: ignore[attr-defined] # the stubs leave it out
        return super().create_parser(protocol_name)


def put_session() -> AioSession:
    """Return a session whose Kinesis clients take `Records=[Body(...)]` for PutRecords and answer with `Answer`."""
    session = get_session()
    session.register_component("response_parser_factory", _ParserFactory())
    session.register("before-parameter-build.kinesis.PutRecords", _take_body)
    session.register("before-call.kinesis.PutRecords", _give_body)
    return session


class Body:
    """A request's body, made already."""

    def __init__(self, content: bytes) -> None:
        """Hold `content`."""
        self.content = content


def _take_body(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    (body,) = params["Records"]
    context["storepulse_body"] = body.content
    params["Records"] = []


def _give_body(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    params["body"] = context["storepulse_body"]

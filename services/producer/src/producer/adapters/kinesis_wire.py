"""PutRecords at a tenth of botocore's cost a record, through botocore's own hooks.

botocore encodes each record through its model and parses each answer through it. Here the request's body is made by
msgspec and put in place of the one botocore made of an empty list, before it signs; the answer is read by msgspec.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from aiobotocore import parsers
from aiobotocore.session import AioSession, get_session

from producer.ports import Entry


class PutEntry(msgspec.Struct, omit_defaults=True, gc=False):
    """A record of the request, by the API's names."""

    Data: bytes
    PartitionKey: str
    ExplicitHashKey: str | None = None


class _Request(msgspec.Struct):
    StreamName: str
    Records: list[PutEntry]


class PutResult(msgspec.Struct, gc=False):
    """A record of the answer, by the API's names."""

    SequenceNumber: str | None = None
    ShardId: str | None = None
    ErrorCode: str | None = None
    ErrorMessage: str | None = None


class PutAnswer(msgspec.Struct):
    """The answer, by the API's names."""

    Records: list[PutResult]
    FailedRecordCount: int = 0


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(PutAnswer).decode


def encode_request(stream: str, entries: Sequence[Entry]) -> bytes:
    """Return the body of a PutRecords request."""
    return _encode(_Request(stream, [PutEntry(entry.payload, entry.key, entry.hash_key) for entry in entries]))


class _Shape(Protocol):
    name: str


class _Parser(parsers.AioJSONParser):  # type: ignore[misc] # aiobotocore has no types
    """Reads the answer of PutRecords by msgspec, all others as before."""

    async def parse(self, response: dict[str, Any], shape: _Shape | None) -> Any:  # noqa: ANN401 - botocore's form
        if shape is not None and shape.name == "PutRecordsOutput" and response["status_code"] == 200:  # noqa: PLR2004
            return {"Answer": _decode(response["body"]), "ResponseMetadata": {"HTTPStatusCode": 200}}
        return await super().parse(response, shape)


class _ParserFactory(parsers.AioResponseParserFactory):  # type: ignore[misc] # aiobotocore has no types
    def create_parser(self, protocol_name: str) -> Any:  # noqa: ANN401 - botocore's form
        return _Parser(**self._defaults) if protocol_name == "json" else super().create_parser(protocol_name)


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

"""Clients that write PutRecords and read GetRecords and PutRecords by msgspec."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory
from aiobotocore.session import AioSession, get_session

from kinesis_wire.records import Answer, Entry, Page, decode_answer, decode_page, encode_request

if TYPE_CHECKING:
    from types_aiobotocore_kinesis import KinesisClient

OK: Final = 200
_ENTRIES: Final = "kinesis_wire_entries"


def new_session() -> AioSession:
    """Return a session for Kinesis clients that `get_page` and `put_records` take.

    The clients must be made with ``parameter_validation=False``: botocore would miss the records, which it never sees.
    """
    session = get_session()
    session.register_component("response_parser_factory", FastParserFactory())
    session.register("before-parameter-build.kinesis.PutRecords", _set_entries_aside)
    session.register("before-call.kinesis.PutRecords", _add_entries)
    return session


async def get_page(kinesis: "KinesisClient", iterator: str, limit: int) -> Page:
    """Call GetRecords once; return at most `limit` records.

    Raises:
        msgspec.MsgspecError: the reply was cut short.
        ClientError, BotoCoreError, aiohttp.ClientError: as botocore does.
    """
    reply: Any = await kinesis.get_records(ShardIterator=iterator, Limit=limit)
    return cast("Page", reply["Page"])


async def put_records(kinesis: "KinesisClient", stream: str, entries: Sequence[Entry]) -> Answer:
    """Call PutRecords once, with 500 `entries` and 5 MiB at most.

    Raises:
        msgspec.MsgspecError: the reply was cut short.
        ClientError, BotoCoreError, aiohttp.ClientError: as botocore does.
    """
    reply: Any = await kinesis.put_records(StreamName=stream, Records=cast("Any", entries))
    return cast("Answer", reply["Answer"])


class FastParser(AioJSONParser):
    """Reads GetRecords and PutRecords with msgspec; all else, errors too, as botocore does."""

    async def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Return the parsed reply; that of these two is `{"Page": Page}` or `{"Answer": Answer}`."""
        if shape is not None and response["status_code"] == OK:
            if shape.name == "GetRecordsOutput":
                return {"Page": decode_page(response["body"]), "ResponseMetadata": {"HTTPStatusCode": OK}}
            if shape.name == "PutRecordsOutput":
                return {"Answer": decode_answer(response["body"]), "ResponseMetadata": {"HTTPStatusCode": OK}}
        return await super().parse(response, shape)


class FastParserFactory(AioResponseParserFactory):
    """Gives clients the fast parser where their protocol is JSON (as Kinesis's is)."""

    def create_parser(self, protocol_name: str) -> Any:  # noqa: ANN401 - botocore's
        """Return the parser for `protocol_name`."""
        if protocol_name == "json":
            return FastParser(**self._defaults)  # type: ignore[attr-defined]  # the stubs leave it out
        return super().create_parser(protocol_name)


def _set_entries_aside(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Spare botocore the entries: it would walk through its model for each field of each."""
    context[_ENTRIES], params["Records"] = params["Records"], []


def _add_entries(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Write the entries into the body that botocore has made without them, before it is signed."""
    params["body"] = encode_request(msgspec.json.decode(params["body"]), context[_ENTRIES])

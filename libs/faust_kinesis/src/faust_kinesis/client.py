"""The AWS clients: one session a process, a fast reading of GetRecords, our own retries only."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, cast

import msgspec
from aiobotocore.config import AioConfig
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory
from aiobotocore.session import AioSession, get_session

from faust_kinesis.records import Page

if TYPE_CHECKING:
    from types_aiobotocore_kinesis import KinesisClient

OK = 200
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
POOL = 128  # connections: a shard being read takes one

_decode_page = msgspec.json.Decoder(Page).decode
_RECORDS = "faust_kinesis_records"


class FastJSONParser(AioJSONParser):
    """Reads GetRecords and PutRecords with msgspec, a tenth of botocore's time; all else as botocore does."""

    async def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Return the parsed reply; that of GetRecords is `{"Page": Page}`.

        Raises:
            msgspec.MsgspecError: a reply of these two that was cut short.
        """
        if shape is not None and response["status_code"] == OK:
            if shape.name == "GetRecordsOutput":
                return {"Page": _decode_page(response["body"]), "ResponseMetadata": {"HTTPStatusCode": OK}}
            if shape.name == "PutRecordsOutput":
                return {**msgspec.json.decode(response["body"]), "ResponseMetadata": {"HTTPStatusCode": OK}}
        return await super().parse(response, shape)


class FastParserFactory(AioResponseParserFactory):
    """Gives clients the fast parser where their protocol is JSON (as Kinesis's is)."""

    def create_parser(self, protocol_name: str) -> Any:  # noqa: ANN401 - botocore's
        """Return the parser for `protocol_name`."""
        if protocol_name == "json":
            return FastJSONParser(**self._defaults)  # type: ignore[attr-defined]  # the stubs leave it out
        return super().create_parser(protocol_name)


def new_session() -> AioSession:
    """Return a session whose clients read GetRecords and send PutRecords fast."""
    session = get_session()
    session.register_component("response_parser_factory", FastParserFactory())
    session.register("before-parameter-build.kinesis.PutRecords", _set_records_aside)
    session.register("before-call.kinesis.PutRecords", _add_records)
    return session


def _set_records_aside(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Spare botocore the records: it would walk through its model for each field of each."""
    context[_RECORDS], params["Records"] = params["Records"], []


def _add_records(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Write the records into the body that botocore has made without them, before it is signed."""
    params["body"] = msgspec.json.encode(msgspec.json.decode(params["body"]) | {"Records": context[_RECORDS]})


def create_client(
    service: str, region: str, read_timeout_s: float = READ_TIMEOUT_S
) -> AbstractAsyncContextManager[Any]:
    """Return the context of a client for `service`.

    Credentials and endpoint come from the standard AWS settings (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KINESIS,
    AWS_ENDPOINT_URL_DYNAMODB and the like). It tries once: this package retries by itself.
    """
    config = AioConfig(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        max_pool_connections=POOL,
        parameter_validation=False,
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
    )
    session: Any = new_session()  # its stubs know only literal service names
    return cast("AbstractAsyncContextManager[Any]", session.create_client(service, region_name=region, config=config))


async def get_page(kinesis: "KinesisClient", iterator: str, limit: int) -> Page:
    """Call GetRecords once; return at most `limit` records."""
    reply = await kinesis.get_records(ShardIterator=iterator, Limit=limit)
    return cast("Page", cast("dict[str, Any]", reply)["Page"])

import logging

import aiohttp
import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from faust_kinesis.backoff import Backoff, Patience
from faust_kinesis.errors import StoppedError, is_transient
from faust_kinesis.pacing import Pacer


def aws_error(code: str, status: int = 400) -> ClientError:
    reply = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, "GetRecords")  # type: ignore[arg-type]  # a reply has more, of no interest here


@pytest.mark.parametrize(
    "error",
    [
        aws_error("ProvisionedThroughputExceededException"),
        aws_error("LimitExceededException"),
        aws_error("TransactionConflictException"),
        aws_error("Anything", 503),
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
        aiohttp.ClientPayloadError(),
        msgspec.DecodeError("cut short"),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=repr,
)
def test_throttles_outages_and_cut_replies_are_worth_a_retry(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [aws_error("ResourceNotFoundException"), aws_error("AccessDeniedException"), ValueError(), KeyError("x")],
    ids=repr,
)
def test_refusals_and_our_own_faults_are_not(error: Exception) -> None:
    assert not is_transient(error)


@given(st.integers(1, 200))
def test_waits_grow_to_the_longest_and_never_beyond(tries: int) -> None:
    backoff = Backoff(first_s=0.1, longest_s=5)
    waits = [backoff.next_s() for _ in range(tries)]
    assert all(0.05 <= wait <= 5 for wait in waits)
    assert waits[-1] >= min(5, 0.1 * 2 ** (tries - 1)) / 2
    backoff.reset()
    assert backoff.next_s() <= 0.1


class Outage:
    """Fails a number of times, then answers."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left = failures
        self.error = error
        self.waits: list[float] = []
        self.stopping = False

    async def call(self) -> str:
        if self.left:
            self.left -= 1
            raise self.error
        return "answer"

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def patience(self) -> Patience:
        return Patience(sleep=self.wait, stopping=lambda: self.stopping, log=logging.getLogger(__name__))


async def test_an_outage_of_any_length_is_waited_out() -> None:
    outage = Outage(300, ConnectionRefusedError())
    assert await outage.patience().insist(outage.call, "it") == "answer"
    assert len(outage.waits) == 300


async def test_a_refusal_is_raised_at_once() -> None:
    outage = Outage(1, aws_error("AccessDeniedException"))
    with pytest.raises(ClientError):
        await outage.patience().insist(outage.call, "it")
    assert outage.waits == []


async def test_a_stopping_worker_waits_for_nothing() -> None:
    outage = Outage(1, ConnectionRefusedError())
    outage.stopping = True
    with pytest.raises(StoppedError, match="it: given up"):
        await outage.patience().insist(outage.call, "it")


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=60), st.integers(1, 7))
def test_no_second_holds_more_turns_than_the_rate(pauses: list[float], per_s: int) -> None:
    pacer, now, turns = Pacer(per_s), 0.0, []
    for pause in pauses:
        now += pause
        now += pacer.wait_s(now)
        turns.append(now)
    for first, later in zip(turns, turns[per_s:], strict=False):
        assert later - first >= 1 - 1e-9

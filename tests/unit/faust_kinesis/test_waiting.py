import itertools
import logging

import aiohttp
import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from faust_kinesis.backoff import Backoff, Patience
from faust_kinesis.errors import StoppedError, is_transient
from faust_kinesis.options import Options
from faust_kinesis.pacing import IdleTimer, Pacer


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


async def test_what_fails_for_minutes_is_an_error_again_and_again_and_what_passes_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage, now = Outage(300, ConnectionRefusedError()), 0.0

    async def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    patience = Patience(sleep=wait, stopping=lambda: False, log=logging.getLogger(__name__))
    backoff = Backoff(now=lambda: now)
    logged: list[tuple[float, int]] = []
    for _ in range(300):
        before = now
        await patience.wait(backoff, "it", outage.error)
        logged += [(before, record.levelno) for record in caplog.records]
        caplog.clear()
    errors = [at for at, level in logged if level == logging.ERROR]
    warnings = [at for at, level in logged if level == logging.WARNING]
    assert warnings[0] < 1
    assert 120 <= errors[0] <= 130
    assert all(30 <= later - earlier <= 40 for earlier, later in itertools.pairwise(errors))
    assert errors[-1] > now - 40
    backoff.reset()
    assert backoff.level() == logging.WARNING


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=60), st.integers(1, 7))
def test_no_second_holds_more_turns_than_the_rate(pauses: list[float], per_s: int) -> None:
    pacer, now, turns = Pacer(per_s), 0.0, []
    for pause in pauses:
        now += pause
        now += pacer.wait_s(now)
        turns.append(now)
    for first, later in zip(turns, turns[per_s:], strict=False):
        assert later - first >= 1 - 1e-9


@given(st.lists(st.sampled_from(["empty", "throttled"]), min_size=1, max_size=400), st.floats(0.1, 0.5))
def test_a_throttled_poll_does_not_put_off_the_time_at_which_an_empty_shard_is_idle(
    answers: list[str], every_s: float
) -> None:
    timer, first, now = IdleTimer(10), None, 0.0
    for answer in answers:
        now += every_s
        if answer == "empty":
            timer.polled(now, empty=True)
            first = now if first is None else first
            assert timer.is_over(now) == (now - first >= 10)


def test_a_record_or_an_outage_starts_the_idle_time_anew() -> None:
    timer = IdleTimer(10)
    timer.polled(0, empty=True)
    timer.polled(10, empty=True)
    assert timer.is_over(10)
    timer.polled(11, empty=False)
    assert not timer.is_over(11)
    timer.polled(12, empty=True)
    timer.restart()
    timer.polled(22, empty=True)
    assert not timer.is_over(22)
    timer.polled(32, empty=True)
    assert timer.is_over(32)


def test_a_shard_that_does_not_answer_is_not_idle_for_long() -> None:
    timer = IdleTimer(10)
    timer.polled(0, empty=True)
    timer.polled(10, empty=True)
    assert timer.is_over(20)
    assert not timer.is_over(21)


@pytest.mark.parametrize(("reads", "poll_s"), [(1000, 0.2), (5, 0.2), (4, 0.25), (0.5, 2.0)])
def test_a_shard_at_its_tip_is_polled_no_oftener_than_its_share_of_kinesiss_five_reads(
    reads: float, poll_s: float
) -> None:
    assert Options(region="r", reads_per_s=reads).poll_s(shards=1) == poll_s


@given(st.integers(1, 10_000))
def test_however_many_shards_are_at_their_tips_they_are_polled_no_oftener_than_is_allowed_in_all(shards: int) -> None:
    options = Options(region="r", polls_per_s=400)
    assert shards / options.poll_s(shards) <= 400 + 1e-6
    assert options.poll_s(shards) == 0.2 or shards > 80

"""What every `BadEventSink` keeps, and CloudWatch's figures."""

from datetime import UTC, datetime, timedelta

import pytest

from detector.adapters.aws_clients import AwsClients
from detector.adapters.cloudwatch_metrics import NAMESPACE, CloudwatchMetrics
from detector.adapters.sqs_bad_events import SqsBadEvents
from detector.ports import BatchFigures
from storepulse.failures import BadEvent, BadPayload, FailureKind
from tests.contract.detector.conftest import Ports
from tests.emulator import Emulator, free_port, wait_until
from tests.integration.detector.account import Account


def bad(payload: bytes, sequence: int = 1, reason: str = "not JSON") -> BadEvent:
    """Return a bad event."""
    return BadEvent.of(
        BadPayload(FailureKind.MALFORMED, reason),
        payload,
        service="detector",
        stream="counts",
        shard_id="s-0",
        sequence_number=str(sequence),
        failed_at="2026-11-20T10:00:00.000Z",
    )


def test_every_bad_event_arrives_whole_however_many_there_are(ports: Ports) -> None:
    events = [bad(b"\xff" * size, size) for size in range(33)]
    ports.bad_events.put(events)
    assert {each["bad_event_id"]: each["payload"] for each in ports.dead()} == {
        each.bad_event_id: each.payload for each in events
    }


def test_bad_events_that_are_too_many_bytes_for_one_request_all_arrive(ports: Ports) -> None:
    events = [bad(b"x" * 90_000, sequence) for sequence in range(5)]
    ports.bad_events.put(events)
    assert len(ports.dead()) == 5


def test_no_character_of_a_reason_is_refused(ports: Ports) -> None:
    ports.bad_events.put([bad(b"", reason="\x00\ufffe\U0001f600 é")])
    assert len(ports.dead()) == 1


@pytest.mark.emulator
def test_a_payload_too_large_for_a_message_is_kept_whole_in_the_bucket(aws: Emulator) -> None:
    account = Account(aws, shards=1)
    clients = AwsClients(region="us-east-1", endpoint=aws.url)
    event = bad(bytes(range(256)) * 4096)
    SqsBadEvents(clients.sqs, account.bad_events_url, clients.s3, account.bucket).put([bad(b"x"), event])
    small, large = account.dead_letters()
    assert (small["payload"], small["payload_url"]) == ("eA==", None)
    key = f"bad-events/{event.bad_event_id}"
    assert (large["payload"], large["payload_url"]) == ("", f"s3://{account.bucket}/{key}")
    assert aws.client("s3").get_object(Bucket=account.bucket, Key=key)["Body"].read() == event.raw()


@pytest.mark.emulator
def test_cloudwatch_has_the_extremes_and_sums_over_all_batches(aws: Emulator, metrics: CloudwatchMetrics) -> None:
    for actions in (3, 40):
        metrics.put(
            BatchFigures(windows=2, actions_min=1, actions_max=actions, actions_sum=actions + 1, alerts=actions > 10)
        )
    metrics.flush()
    now = datetime.now(UTC)

    def statistics(name: str) -> dict[str, float]:
        points = aws.client("cloudwatch").get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=name,
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum", "Maximum"],
        )["Datapoints"]
        return {"sum": sum(point["Sum"] for point in points), "max": max(point["Maximum"] for point in points)}

    wait_until(lambda: aws.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"], 5, "metrics")
    assert statistics("WindowsProcessed")["sum"] == 4
    assert statistics("AlertsRaised")["sum"] == 1
    assert statistics("ActionsPerWindow") == {"sum": 45, "max": 40}


def test_a_cloudwatch_that_is_out_of_reach_delays_nothing_and_is_counted() -> None:
    dropped: list[None] = []
    client = AwsClients(region="us-east-1", endpoint=f"http://127.0.0.1:{free_port()}", answer_seconds=1).cloudwatch
    metrics = CloudwatchMetrics(client, on_drop=lambda: dropped.append(None))
    metrics.put(BatchFigures(windows=1, actions_min=1, actions_max=1, actions_sum=1, alerts=0))
    wait_until(lambda: dropped, 10, "the set to be given up")

"""The pipe carries the Flink job's bad events to the queue."""

from pathlib import Path

import msgspec
import pytest

from local.deployer import deploy_all
from local.flink import BAD_EVENTS_STREAM
from storepulse.failures import BadEvent
from tests.builders import bad_event
from tests.emulator import Emulator, stop_group, wait_until
from tests.integration.local.running import environment, start

pytestmark = pytest.mark.emulator


def test_a_bad_event_of_the_job_becomes_a_message_of_the_dead_letter_queue(
    own_emulator: Emulator, tmp_path: Path
) -> None:
    deploy_all(own_emulator.url)
    log = tmp_path / "pipe.log"
    process = start("pipe", env=environment(tmp_path, port=own_emulator.port), log=log)
    try:
        wait_until(lambda: '"piping"' in log.read_text(), 60, f"it pipes: {log}")
        event, sqs = bad_event(1), own_emulator.client("sqs")
        own_emulator.client("kinesis").put_record(
            StreamName=BAD_EVENTS_STREAM, Data=msgspec.json.encode(event), PartitionKey="any"
        )
        url = sqs.get_queue_url(QueueName="storepulse-bad-events-local")["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        assert [msgspec.json.decode(message["Body"], type=BadEvent) for message in messages] == [event]
    finally:
        stop_group(process)

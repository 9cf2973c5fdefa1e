"""The child's side of the conversation with the daemon."""

import json
from base64 import b64encode
from io import BytesIO
from typing import Any

import pytest

from detector.kcl.protocol import (
    Checkpointer,
    CheckpointRefusedError,
    Conversation,
    Initialize,
    Position,
    ProcessRecords,
)
from detector.records import Record

RECORD = {
    "action": "record",
    "data": b64encode(b"hello").decode(),
    "partitionKey": "anna",
    "sequenceNumber": "4957",
    "subSequenceNumber": 3,
    "approximateArrivalTimestamp": 1790000000000,
}


class Recorder:
    """Notes what it is told; checkpoints each batch at its last record."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.refusals: list[CheckpointRefusedError] = []

    def initialize(self, message: Initialize) -> None:
        self.told.append(message)

    def process_records(self, message: ProcessRecords, checkpointer: Checkpointer) -> None:
        self.told.append(message)
        try:
            last = message.records[-1]
            checkpointer.checkpoint(Position(last.sequence_number, last.sub_sequence_number))
        except CheckpointRefusedError as error:
            self.refusals.append(error)

    def lease_lost(self) -> None:
        self.told.append("lease_lost")

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        self.told.append("shard_ended")
        checkpointer.checkpoint(None)

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        self.told.append("shutdown_requested")
        checkpointer.checkpoint(None)


def talk(*messages: dict[str, Any]) -> tuple[Recorder, list[dict[str, Any]]]:
    """Give `messages` to a child; return what it was told and what it answered."""
    received = BytesIO(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
    sent, recorder = BytesIO(), Recorder()
    Conversation(received, sent).run(recorder)
    return recorder, [json.loads(line) for line in sent.getvalue().split(b"\n") if line]


def test_every_message_is_answered_and_a_batch_arrives_decoded() -> None:
    recorder, answers = talk(
        {"action": "initialize", "shardId": "s-0", "sequenceNumber": "TRIM_HORIZON", "subSequenceNumber": 0},
        {"action": "processRecords", "records": [RECORD], "millisBehindLatest": 17},
        {"action": "checkpoint", "sequenceNumber": "4957", "subSequenceNumber": 3},
        {"action": "leaseLost"},
    )
    assert recorder.told == [
        Initialize(shard_id="s-0", sequence_number="TRIM_HORIZON"),
        ProcessRecords(
            records=[
                Record(
                    data=b"hello",
                    sequence_number="4957",
                    sub_sequence_number=3,
                    approximate_arrival_timestamp=1790000000000,
                )
            ],
            millis_behind_latest=17,
        ),
        "lease_lost",
    ]
    assert answers == [
        {"action": "status", "responseFor": "initialize"},
        {"action": "checkpoint", "sequenceNumber": "4957", "subSequenceNumber": 3},
        {"action": "status", "responseFor": "processRecords"},
        {"action": "status", "responseFor": "leaseLost"},
    ]


def test_the_end_of_a_shard_is_checkpointed_without_a_number() -> None:
    _, answers = talk({"action": "shardEnded"}, {"action": "checkpoint"})
    assert answers[0] == {"action": "checkpoint", "sequenceNumber": None, "subSequenceNumber": None}


@pytest.mark.parametrize(
    ("name", "passing", "lease_lost"),
    [("ThrottlingException", True, False), ("ShutdownException", False, True), ("Anything", False, False)],
)
def test_a_refused_checkpoint_says_whether_a_later_one_may_succeed(name: str, passing: bool, lease_lost: bool) -> None:  # noqa: FBT001 - a table
    recorder, _ = talk({"action": "processRecords", "records": [RECORD]}, {"action": "checkpoint", "error": name})
    [refusal] = recorder.refusals
    assert (refusal.passing, refusal.lease_lost) == (passing, lease_lost)


def test_an_answer_out_of_step_is_a_refusal() -> None:
    recorder, _ = talk({"action": "processRecords", "records": [RECORD]}, {"action": "leaseLost"})
    assert [str(refusal) for refusal in recorder.refusals] == ["InvalidStateException"]


def test_what_the_handler_raises_ends_the_conversation_without_an_answer() -> None:
    class Failing(Recorder):
        def lease_lost(self) -> None:
            raise ZeroDivisionError

    sent = BytesIO()
    with pytest.raises(ZeroDivisionError):
        Conversation(BytesIO(b'{"action":"leaseLost"}\n{"action":"leaseLost"}\n'), sent).run(Failing())
    assert sent.getvalue() == b""


def test_a_child_that_leaves_answers_the_message_it_holds_and_takes_no_other() -> None:
    class Leaving(Recorder):
        def lease_lost(self) -> None:
            super().lease_lost()
            conversation.leaving = True

    recorder = Leaving()
    conversation = Conversation(BytesIO(b'{"action":"leaseLost"}\n' * 2), BytesIO())
    conversation.run(recorder)
    assert recorder.told == ["lease_lost"]

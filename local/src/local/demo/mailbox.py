"""A subscriber to the alerts: an SQS queue on the SNS topic, as a person's mailbox would be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from storepulse.detection.alerts import Alert

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """An alert, and when SNS delivered it."""

    alert: Alert
    delivered_at: float  # epoch seconds; the emulator's SNS stamps whole ones, its SQS fractions


class _Envelope(msgspec.Struct):
    message: str = msgspec.field(name="Message")


class Mailbox:
    """Collects what the topic delivers."""

    def __init__(self, sns: "SNSClient", sqs: "SQSClient", topic_arn: str) -> None:
        """Subscribe a new queue to the topic."""
        self._sqs = sqs
        self._url = sqs.create_queue(QueueName="demo-mailbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        self.delivered: list[Delivered] = []

    def look(self) -> Sequence[Delivered]:
        """Return what has come since the last look."""
        reply = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"])
        new = []
        for message in reply.get("Messages", ()):
            envelope = msgspec.json.decode(message["Body"], type=_Envelope)
            alert = msgspec.json.decode(envelope.message, type=Alert)
            new.append(Delivered(alert=alert, delivered_at=int(message["Attributes"]["SentTimestamp"]) / 1000))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        self.delivered += new
        return new

"""`AlertPublisher` on an SNS topic: JSON for programs, a subject for people."""

import re
from typing import TYPE_CHECKING, Final

import msgspec

from detector.adapters.aws_errors import translated
from storepulse.detection.alerts import Alert

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_LONGEST_SUBJECT: Final = 100  # SNS; ASCII without control characters
_LONGEST_USER: Final = 40
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.@:+-]")


class SnsAlerts:
    """Publishes each alert as one message; its `alert_id` is what a subscriber knows repetitions by."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        """Publish to `topic_arn`."""
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, alert: Alert) -> None:
        """Send `alert` once."""
        with translated("publishing an alert"):
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=subject(alert),
                Message=msgspec.json.encode(alert).decode(),
                MessageAttributes={"rule": {"DataType": "String", "StringValue": alert.rule}},
            )


def subject(alert: Alert) -> str:
    """Return a line a person can read; the user id, which anybody may have chosen, keeps only harmless characters."""
    user = _UNSAFE.sub("?", alert.user_id)
    user = user if len(user) <= _LONGEST_USER else user[: _LONGEST_USER - 3] + "..."
    time = alert.window_start[:19].replace("T", " ")
    return f"Storepulse: user {user}: {alert.num_actions} actions, limit {alert.limit}, {time} UTC"[:_LONGEST_SUBJECT]

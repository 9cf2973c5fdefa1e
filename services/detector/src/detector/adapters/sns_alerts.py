"""`AlertPublisher` on an SNS topic: JSON for programs, a subject for people."""

import json
import re
from typing import TYPE_CHECKING, Final

import msgspec

from detector.adapters.aws_errors import translated
from storepulse.detection.alerts import Alert

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_LONGEST_SUBJECT: Final = 99  # SNS: less than 100 characters, none of them a control character
_CUT: Final = "..."
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
                Message=message(alert),
                MessageAttributes={"rule": {"DataType": "String", "StringValue": alert.rule}},
            )


def subject(alert: Alert) -> str:
    """Return a line a person can read; the user id, which anybody may have chosen, keeps only harmless characters."""
    time = alert.window_start[:19].replace("T", " ")
    before, after = "Storepulse: user ", f": {alert.num_actions} actions, limit {alert.limit}, {time}Z"
    room = _LONGEST_SUBJECT - len(before) - len(after)
    user = _UNSAFE.sub("?", alert.user_id)
    return before + (user if len(user) <= room else user[: room - len(_CUT)] + _CUT) + after


def message(alert: Alert) -> str:
    """Return `alert` as JSON in ASCII: a queue that subscribes takes no control characters, nor U+FFFE and U+FFFF."""
    return json.dumps(msgspec.to_builtins(alert), separators=(",", ":"))

"""The producer: replays files of the raw bucket into stream 1 when it is asked to over HTTP."""

from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.names import STREAM_1, Names
from infra.services.grants import BAD_EVENTS, acknowledge_objects, allow, put_bad_events, read_stream, use_key
from infra.services.worker import Place, Task, Worker

READ: Final = ("raw/", "replays/")
"""What is replayed, plans of bots included, and the states of replays."""
STATE: Final = "/state"
"""Of replays from the command line; those over HTTP keep theirs in S3."""
WRITTEN: Final = ("replays/", "labels/")


class Producer(Worker):
    """One at a time: a second one beside it could send again what the first has under way."""

    def __init__(self, scope: Construct, construct_id: str, *, place: Place) -> None:
        """Run it in `place`."""
        task = Task(
            service="producer",
            port=8081,
            cpu=512,
            memory=1024,
            state=STATE,
            stop_seconds=30,  # what it cannot end in that time is taken up again by a resume
            hands_over=False,
            environment=environment(place.names),
            statements=statements(place),
        )
        super().__init__(scope, construct_id, place=place, task=task)
        acknowledge_objects(self.definition.task_role, place.names, *READ, *WRITTEN, BAD_EVENTS)


def environment(names: Names) -> dict[str, str]:
    """Return what it is told."""
    return {
        "PRODUCER_STREAM": STREAM_1,
        "PRODUCER_RAW_BUCKET": names.raw_bucket,
        "PRODUCER_BAD_EVENTS_QUEUE": names.bad_events_queue,
        "PRODUCER_STATE_FOLDER": STATE,
        "PRODUCER_REQUEST_TIMEOUT_S": "30",
        "PRODUCER_GIVE_UP_AFTER_S": "300",
    }


def statements(place: Place) -> list[iam.PolicyStatement]:
    """Return what it may do."""
    names = place.names
    return [
        read_stream(names, STREAM_1, "PutRecords"),  # it looks for records whose answer was lost
        allow("s3", ["ListBucket"], names.bucket_arn()),
        allow("s3", ["GetObject"], *map(names.bucket_arn, READ)),
        allow("s3", ["PutObject"], *map(names.bucket_arn, WRITTEN)),
        *put_bad_events(names),
        use_key(names, place.key),
    ]

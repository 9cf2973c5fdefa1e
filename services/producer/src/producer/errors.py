"""What ends a replay, each with a message for the person who started it."""


class ReplayError(Exception):
    """The replay cannot start or go on; its state is kept, so it can be resumed once the cause is gone."""


class SourceError(ReplayError):
    """A source is missing, may not be read, has no header, or has changed since the replay began."""


class NotNowError(ReplayError):
    """Rows would be late, or another replay plays; the message says when the replay can run, or how else."""


class StateError(ReplayError):
    """The state cannot be kept, or is that of another replay."""


class DeliveryError(ReplayError):
    """Kinesis or the bad-events queue refuses for a reason that a retry cannot mend, or has been away for too long."""


class UnansweredError(Exception):
    """A request was sent and its answer is lost: it may have been carried out."""


class UnreachableError(Exception):
    """A request was not carried out, and may be tried again."""

"""The two ways in which handling a record can fail; each tells the caller what to do."""


class RetryableError(Exception):
    """The cause is outside the record and may pass: leave the checkpoint where it is and try again."""


class PoisonRecordError(Exception):
    """The record itself can never be handled: dead-letter it, then go on."""

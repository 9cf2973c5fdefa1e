"""What the daemon and a child say to each other: a JSON object a line, on the child's stdin and stdout.

The daemon waits for the answer to each message. amazon_kclpy speaks this too, but it logs what a processor raises and
then reports success; the next kcl_checkpoint would pass records that were never handled. Here an exception ends the
child, and the records come again.
"""

from typing import IO, Final, Protocol

import msgspec

from detector.records import Record

#: Refusals of a kcl_checkpoint that may pass: DynamoDB throttled the daemon, or was out of its reach.
_PASSING: Final = frozenset({"ThrottlingException", "KinesisClientLibDependencyException"})


#: The KCL's name for a conversation that is out of step.
OUT_OF_STEP: Final = "InvalidStateException"


class Initialize(msgspec.Struct, frozen=True, rename="camel", tag_field="action", tag="initialize"):
    """Which shard this child handles, and from where on."""

    shard_id: str
    sequence_number: str | None = None


class ProcessRecords(msgspec.Struct, frozen=True, rename="camel", tag_field="action", tag="processRecords"):
    """A batch; empty when there is nothing new."""

    records: list[Record]
    millis_behind_latest: int | None = None


class LeaseLost(msgspec.Struct, frozen=True, tag_field="action", tag="leaseLost"):
    """Another worker has the shard; a kcl_checkpoint is no longer possible."""


class ShardEnded(msgspec.Struct, frozen=True, tag_field="action", tag="shardEnded"):
    """The shard was split or merged and all of it is handled; wants a kcl_checkpoint at its end."""


class ShutdownRequested(msgspec.Struct, frozen=True, tag_field="action", tag="shutdownRequested"):
    """The daemon is about to end; the last chance for a kcl_checkpoint."""


class CheckpointReply(msgspec.Struct, frozen=True, tag_field="action", tag="checkpoint"):
    """The answer to our kcl_checkpoint."""

    error: str | None = None


class Position(msgspec.Struct, frozen=True):
    """A record's place in its shard."""

    sequence_number: str
    sub_sequence_number: int


class CheckpointRefusedError(Exception):
    """The daemon did not write a kcl_checkpoint; `passing` says whether a later one may succeed."""

    def __init__(self, name: str) -> None:
        """Name the KCL's exception."""
        super().__init__(name)
        self.passing = name in _PASSING
        self.lease_lost = name == "ShutdownException"


class Checkpointer(Protocol):
    """Asks the daemon for kcl_checkpoints; to be used only while it waits for an answer."""

    def checkpoint(self, position: Position | None) -> None:
        """Have `position` written, None for the shard's end.

        Raises:
            CheckpointRefusedError: it was not written.
        """
        ...


class ShardHandler(Protocol):
    """What a child does with its shard."""

    def initialize(self, message: Initialize) -> None:
        """Learn which shard it is."""
        ...

    def process_records(self, message: ProcessRecords, checkpointer: Checkpointer) -> None:
        """Handle a batch."""
        ...

    def lease_lost(self) -> None:
        """Stop without a kcl_checkpoint."""
        ...

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Write the kcl_checkpoint at the shard's end."""
        ...

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Write the last kcl_checkpoint."""
        ...


Message = Initialize | ProcessRecords | LeaseLost | ShardEnded | ShutdownRequested | CheckpointReply
_decode: Final = msgspec.json.Decoder(Message).decode


class Conversation:
    """The child's side; `busy` while a message is being handled, `leaving` to end after it."""

    def __init__(self, received: IO[bytes], sent: IO[bytes]) -> None:
        """Read from `received` and write to `sent`, which nobody else may use."""
        self._received = received
        self._sent = sent
        self.busy = False
        self.leaving = False

    def run(self, handler: ShardHandler) -> None:
        """Hand every message to `handler` until there are no more; what it raises ends the conversation."""
        while not self.leaving and (line := self._received.readline()):
            self.busy = True
            message = _decode(line)
            self._handle(message, handler)
            self._send({"action": "status", "responseFor": message.__struct_config__.tag})
            self.busy = False

    def _handle(self, message: Message, handler: ShardHandler) -> None:
        match message:
            case Initialize():
                handler.initialize(message)
            case ProcessRecords():
                handler.process_records(message, self)
            case LeaseLost():
                handler.lease_lost()
            case ShardEnded():
                handler.shard_ended(self)
            case ShutdownRequested():
                handler.shutdown_requested(self)
            case CheckpointReply():
                raise CheckpointRefusedError(OUT_OF_STEP)

    def checkpoint(self, position: Position | None) -> None:
        """Ask for a kcl_checkpoint and wait for the answer."""
        sequence = position.sequence_number if position else None
        sub_sequence = position.sub_sequence_number if position else None
        self._send({"action": "checkpoint", "sequenceNumber": sequence, "subSequenceNumber": sub_sequence})
        reply = _decode(self._received.readline())
        if not isinstance(reply, CheckpointReply):
            raise CheckpointRefusedError(OUT_OF_STEP)
        if reply.error is not None:
            raise CheckpointRefusedError(reply.error)

    def _send(self, message: dict[str, object]) -> None:
        self._sent.write(b"\n" + msgspec.json.encode(message) + b"\n")
        self._sent.flush()

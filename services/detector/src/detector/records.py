"""A record as the KCL hands it over."""

import msgspec


class Record(msgspec.Struct, frozen=True, rename="camel", tag_field="action", tag="record"):
    """One record of a shard, or one of those that the KPL had packed into it."""

    data: bytes  # base64 on the wire
    sequence_number: str
    sub_sequence_number: int = 0  # place inside a KPL-aggregated record, from 0
    approximate_arrival_timestamp: int = 0  # milliseconds since the epoch; when Kinesis took it

    @property
    def place(self) -> str:
        """The sequence number; with the place inside it after a slash, from 1 on, when the KPL packed several."""
        if self.sub_sequence_number == 0:
            return self.sequence_number
        return f"{self.sequence_number}/{self.sub_sequence_number}"

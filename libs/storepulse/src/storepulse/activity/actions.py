"""The windower's hot path: who did something, and when, for a whole batch of records at once.

Only the fields that a count needs are decoded, and the price, which is judged if it is there (four of twelve: twice the
speed of the whole event). They come in columns, so that the aggregation runs over plain lists. A record that
`codec.decode` accepts is accepted here with the same user and time (a law in the tests); other fields are not judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from storepulse.activity.codec import check_bytes, decode, explain, parse_txn_timestamp
from storepulse.activity.events import Heartbeat, ReplayShift
from storepulse.activity.nesting import MAX_DEPTH
from storepulse.activity.prices import Price, check_price, check_prices
from storepulse.activity.users import UserId, UsualUserId, check_user
from storepulse.failures import BadPayload
from storepulse.instants import parse_instants

NO_TIME: Final = -(2**63)


class _Usual(msgspec.Struct, gc=False):
    """What nearly every record is; a batch with another one is decoded record by record."""

    txn_timestamp: str
    user_id: UsualUserId | None = None
    replay_shift_ms: ReplayShift | None = None
    price: Price = "0"  # a count needs none


class _Action(_Usual, gc=False):
    user_id: UserId | None = None


_decode_usual: Final = msgspec.json.Decoder(_Usual).decode
_decode: Final = msgspec.json.Decoder(_Action).decode


@dataclass(slots=True, kw_only=True)
class Actions:
    """A batch in columns of equal length, in the order read.

    `users[i]` is None for a heartbeat (with its time) and for a bad record (with `NO_TIME`, and a reason in `bad`).
    """

    users: list[str | None] = field(default_factory=list)
    times: list[int] = field(default_factory=list)  # milliseconds since the epoch
    replay_shifts: list[int | None] = field(default_factory=list)  # `replay_shift_ms`
    bad: dict[int, BadPayload] = field(default_factory=dict)

    def refuse(self, position: int, reason: BadPayload) -> None:
        """Make a bad record of the one at `position`."""
        self.users[position], self.times[position], self.replay_shifts[position] = None, NO_TIME, None
        self.bad[position] = reason


def decode_actions(payloads: Sequence[bytes]) -> Actions:
    """Return who acted when in each of `payloads`; never raises, whatever the bytes."""
    try:
        return _decode_clean(payloads)
    except (ValueError, RecursionError):
        return _decode_each(payloads)


def _decode_clean(payloads: Sequence[bytes]) -> Actions:
    """Decode a batch without a bad record in it, the usual one; raise if there is one."""
    if not all(map(bytes.isascii, payloads)) or max(map(len, payloads), default=0) > MAX_DEPTH:
        for payload in payloads:
            check_bytes(payload)
    actions = list(map(_decode_usual, payloads))
    users = [action.user_id for action in actions]
    if None in users:
        beats = [payload for payload, user in zip(payloads, users, strict=True) if user is None]
        if not all(isinstance(decode(payload), Heartbeat) for payload in beats):
            return _decode_each(payloads)
    if True in map(str.isspace, filter(None, users)):
        return _decode_each(payloads)
    check_prices({action.price for action in actions})
    return Actions(
        users=users,
        times=parse_instants([action.txn_timestamp for action in actions]),
        replay_shifts=[action.replay_shift_ms for action in actions],
    )


def _decode_each(payloads: Sequence[bytes]) -> Actions:
    decoded = Actions()
    for position, payload in enumerate(payloads):
        try:
            user, time, shift = _decode_one(payload)
        except (ValueError, RecursionError) as error:
            user, time, shift = None, NO_TIME, None
            decoded.bad[position] = explain(error)
        decoded.users.append(user)
        decoded.times.append(time)
        decoded.replay_shifts.append(shift)
    return decoded


def _decode_one(payload: bytes) -> tuple[str | None, int, int | None]:
    check_bytes(payload)
    try:
        action = _decode_action(payload)
    except msgspec.ValidationError:
        beat = decode(payload)  # which has no price, and whose `user_id` is nobody's
        if not isinstance(beat, Heartbeat):
            raise
        return None, parse_txn_timestamp(beat.txn_timestamp), beat.replay_shift_ms
    return action.user_id, parse_txn_timestamp(action.txn_timestamp), action.replay_shift_ms


def _decode_action(payload: bytes) -> _Action:
    action = _decode(payload)
    if action.user_id is None:
        msg = "Object missing required field `user_id`, or it is null"
        raise msgspec.ValidationError(msg)
    check_user(action.user_id)
    check_price(action.price)
    return action

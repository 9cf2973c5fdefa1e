"""Who reads which shard: a pure decision from a snapshot of the leases. No I/O, no clock."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from faust_kinesis.families import heads
from faust_kinesis.lease import Lease, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one worker should do now; `claim` is in the order to claim in (parents first)."""

    renew: tuple[str, ...] = ()
    claim: tuple[str, ...] = ()
    release: tuple[str, ...] = ()


@dataclass(slots=True)
class Sightings:
    """When each owner was last seen to renew: the leases of one that did not for `duration_s` are up for grabs.

    One renewal speaks for all leases of its owner, or a thousand shards would take a thousand writes each time.
    """

    duration_s: float
    _counters: dict[str, tuple[int, str]] = field(default_factory=dict)
    _alive_s: dict[str, float] = field(default_factory=dict)

    def expired(self, leases: Mapping[str, Lease], now_s: float) -> frozenset[str]:
        """Take a look at time `now_s` (monotonic seconds); return the keys of leases that nobody keeps."""
        for key, lease in leases.items():
            if self._counters.get(key) != (lease.counter, lease.owner):
                self._alive_s[lease.owner] = now_s
        self._counters = {key: (lease.counter, lease.owner) for key, lease in leases.items()}
        owners = {lease.owner for lease in leases.values()}
        self._alive_s = {owner: seen for owner, seen in self._alive_s.items() if owner in owners}
        dead = {owner for owner, seen in self._alive_s.items() if now_s - seen >= self.duration_s} | {""}
        return frozenset(key for key, lease in leases.items() if lease.owner in dead)


def worker_of(owner: str) -> str:
    """Return the lasting name in an owner id `<worker>/<process>`."""
    return owner.partition("/")[0]


def may_read(lease: Lease, leases: Mapping[str, Lease], owner: str) -> bool:
    """Tell whether `owner` may start a shard: its parents are done, or read to the end by `owner` itself."""
    parents = [leases[key] for key in lease.parents if key in leases]
    return all(p.status is Status.DONE or (p.status is Status.READ and p.owner == owner) for p in parents)


def decide(
    leases: Mapping[str, Lease],
    expired: Collection[str],
    owner: str,
    *,
    exclusive: bool = False,
    restarted: bool = False,
) -> Decision:
    """Decide for `owner`, given all leases and those that nobody keeps.

    `restarted` is true until `owner` has looked at the leases once: what it finds under its own worker's name is then
    an earlier process's, and free. From then on another process under that name is a later one, which has taken over:
    it counts as any other worker, or the two would take the leases from each other for ever.
    """
    view = _View(leases, expired, owner, restarted=restarted)
    return _decide_exclusive(view) if exclusive else _decide_shared(view)


class _View:
    """The snapshot through one worker's eyes, its planned claims included."""

    def __init__(self, leases: Mapping[str, Lease], expired: Collection[str], owner: str, *, restarted: bool) -> None:
        self.leases = dict(leases)
        self.owner = owner
        self._restarted = restarted
        self.todo = sorted((le for le in leases.values() if le.status is not Status.DONE), key=lambda le: le.key)
        self._expired = expired

    def is_kept(self, lease: Lease) -> bool:
        """Somebody else keeps it."""
        if lease.owner == self.owner or not lease.owner or lease.key in self._expired:
            return False
        return not (self._restarted and worker_of(lease.owner) == worker_of(self.owner))

    def mine(self) -> list[Lease]:
        return [le for le in self.leases.values() if le.owner == self.owner]

    def held(self) -> int:
        return sum(le.status is not Status.DONE for le in self.mine())

    def keepers(self) -> set[str]:
        return {le.owner for le in self.todo if self.is_kept(le)} | {self.owner}

    def plan(self, lease: Lease) -> str:
        """Count `lease` as claimed from here on."""
        self.leases[lease.key] = _owned_by(lease, self.owner)
        return lease.key

    def free(self) -> Iterable[Lease]:
        """Leases to claim now; a planned claim can free a child further on."""
        for lease in self.todo:
            taken = self.leases[lease.key].owner == self.owner or self.is_kept(lease)
            if not taken and may_read(lease, self.leases, self.owner):
                yield lease

    def follows(self, lease: Lease) -> bool:
        """The last records of one of its parents are not committed yet, and this worker has them."""
        parents = [self.leases[key] for key in lease.parents if key in self.leases]
        return any(parent.owner == self.owner and parent.status is Status.READ for parent in parents)


def _owned_by(lease: Lease, owner: str) -> Lease:
    return Lease(
        key=lease.key,
        stream=lease.stream,
        shard_id=lease.shard_id,
        parents=lease.parents,
        owner=owner,
        counter=lease.counter,
        status=lease.status,
    )


def _decide_shared(view: _View) -> Decision:
    renew = tuple(sorted(le.key for le in view.mine()))
    share = math.ceil(len(view.todo) / len(view.keepers()))
    claim = _gather(view)
    claim += [view.plan(le) for le in view.free() if view.held() < share or view.follows(le)]
    if not claim:
        claim = _steal(view)
    return Decision(renew=renew, claim=tuple(claim))


def _gather(view: _View) -> list[str]:
    """The leases that other workers have of families whose head this one has."""
    mine = {le.key for le in view.mine()}
    head = heads(view.leases)
    theirs = [le for le in view.todo if head.get(le.key) in mine and view.is_kept(le)]
    return [view.plan(le) for le in theirs if may_read(le, view.leases, view.owner)]


def _steal(view: _View) -> list[str]:
    """One lease of the worker that has at least two more than this one."""
    theirs = [le for le in view.todo if view.is_kept(le)]
    if not theirs:
        return []
    richest, count = max(sorted(Counter(le.owner for le in theirs).items()), key=lambda item: item[1])
    movable = [le for le in theirs if le.owner == richest and _stands_alone(le, view)]
    return [movable[-1].key] if movable and count - view.held() > 1 else []


def _stands_alone(lease: Lease, view: _View) -> bool:
    """No parent of it is still being committed by its worker."""
    parents = [view.leases[key] for key in lease.parents if key in view.leases]
    return lease.status is Status.OPEN and all(parent.status is Status.DONE for parent in parents)


def _decide_exclusive(view: _View) -> Decision:
    """The keeper of the first lease is the active worker; all others hold nothing and stand by."""
    mine = tuple(sorted(le.key for le in view.mine()))
    if view.todo and view.is_kept(view.todo[0]):
        return Decision(release=mine)
    return Decision(renew=mine, claim=tuple(view.plan(le) for le in view.free()))


def holds_all(leases: Mapping[str, Lease], owner: str) -> bool:
    """Tell whether `owner` has every lease that could be read now (what an exclusive worker waits for)."""
    todo = [le for le in leases.values() if le.status is not Status.DONE]
    return all(le.owner == owner for le in todo if may_read(le, leases, owner))


def forgettable(leases: Mapping[str, Lease], listed: Collection[str], alive: Collection[str]) -> list[str]:
    """Return the done leases that nobody needs: their shard is gone from the stream, or all its children are read.

    `listed` are the keys of the shards the stream has now, `alive` those of leases that somebody keeps.
    """
    children: dict[str, list[Lease]] = {}
    for lease in leases.values():
        for parent in lease.parents:
            children.setdefault(parent, []).append(lease)
    return sorted(
        key
        for key, lease in leases.items()
        if lease.status is Status.DONE and (key not in listed or _all_read(children.get(key, []), alive))
    )


def _all_read(children: Collection[Lease], alive: Collection[str]) -> bool:
    return bool(children) and all(
        child.touched and (child.key in alive or child.status is Status.DONE) for child in children
    )

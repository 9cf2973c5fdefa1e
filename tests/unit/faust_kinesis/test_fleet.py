"""Workers together: time moves by hand, and every write is conditional on what was seen, as in DynamoDB."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from faust_kinesis.balance import Sightings, decide, holds_all
from faust_kinesis.lease import Lease, Status
from tests.unit.faust_kinesis.lease_tables import key, lease, owners, table

DURATION_S = 10.0
TURN_S = 2.0


@dataclass
class Fleet:
    leases: dict[str, Lease]
    exclusive: bool = False
    now_s: float = 0.0
    sightings: dict[str, Sightings] = field(default_factory=dict)

    def turn(self, owner: str, snapshot: Mapping[str, Lease]) -> None:
        restarted = owner not in self.sightings
        mine = self.sightings.setdefault(owner, Sightings(DURATION_S))
        expired = mine.expired(snapshot, self.now_s)
        decision = decide(snapshot, expired, owner, exclusive=self.exclusive, restarted=restarted)
        for each in (*decision.renew, *decision.claim):
            seen, stored = snapshot[each], self.leases[each]
            if (stored.owner, stored.counter) == (seen.owner, seen.counter):
                self.leases[each] = replace(stored, owner=owner, counter=stored.counter + 1)
            elif self.exclusive:
                break
        for each in decision.release:
            if self.leases[each].owner == owner:
                self.leases[each] = replace(self.leases[each], owner="")

    def round(self, alive: list[str], *, racing: bool) -> None:
        """Let every worker have a turn; `racing`: on a snapshot from before the others' turns."""
        before = dict(self.leases)
        for owner in alive:
            self.turn(owner, before if racing else dict(self.leases))
        self.now_s += TURN_S

    def counts(self) -> Counter[str]:
        return Counter(item.owner for item in self.leases.values())


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(1, 4), st.lists(st.booleans(), min_size=45, max_size=45))
def test_every_fleet_comes_to_rest_with_fair_shares(shards: int, workers: int, racing: list[bool]) -> None:
    fleet = Fleet(table(*(lease(n) for n in range(shards))))
    alive = [f"w{n}/1" for n in range(workers)]
    for race in racing:
        fleet.round(alive, racing=race)
    rested = fleet.counts()
    assert sum(rested.values()) == shards
    assert "" not in rested
    assert max(rested.values()) - min(rested.get(owner, 0) for owner in alive) <= 1
    before = {k: item.owner for k, item in fleet.leases.items()}
    fleet.round(alive, racing=True)
    assert {k: item.owner for k, item in fleet.leases.items()} == before


@st.composite
def resharded(draw: st.DrawFn) -> dict[str, Lease]:
    """A table as splits and merges leave it: a shard is read only after its parents, and finished only after them."""
    leases: dict[str, Lease] = {}
    for number in range(draw(st.integers(1, 9))):
        parents = draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else set()
        before = [leases[key(parent)].status for parent in parents]
        may_end = [Status.OPEN, Status.READ, *([Status.DONE] if all(s is Status.DONE for s in before) else [])]
        begun = Status.OPEN not in before
        status, owner = draw(st.sampled_from(may_end)) if begun else Status.OPEN, draw(owners) if begun else ""
        leases[key(number)] = lease(number, *sorted(parents), owner=owner, status=status)
    return leases


@settings(max_examples=60)
@given(resharded(), st.lists(st.booleans(), min_size=40, max_size=40))
def test_every_shard_whose_parents_are_read_comes_to_be_read_and_with_the_worker_that_has_them(
    leases: dict[str, Lease], racing: list[bool]
) -> None:
    fleet = Fleet(dict(leases))
    for race in racing:
        fleet.round(["a/1", "b/1", "c/1"], racing=race)
    for item in fleet.leases.values():
        parents = [fleet.leases[k] for k in item.parents]
        waits = any(parent.status is Status.OPEN for parent in parents)
        assert item.status is Status.DONE or waits or item.owner
        assert (
            item.status is Status.DONE or waits or {p.owner for p in parents if p.status is Status.READ} <= {item.owner}
        )


@settings(max_examples=40)
@given(st.integers(1, 8), st.integers(2, 4), st.lists(st.booleans(), min_size=40, max_size=40))
def test_dead_workers_shards_are_read_by_the_living(shards: int, workers: int, racing: list[bool]) -> None:
    fleet = Fleet(table(*(lease(n) for n in range(shards))))
    alive = [f"w{n}/1" for n in range(workers)]
    for race in racing[:20]:
        fleet.round(alive, racing=race)
    for race in racing[20:]:
        fleet.round(alive[1:], racing=race)
    assert set(fleet.counts()) <= set(alive[1:])


@settings(max_examples=40)
@given(st.integers(1, 8), st.integers(1, 4), st.lists(st.booleans(), min_size=30, max_size=30))
def test_an_exclusive_fleet_comes_to_one_worker_with_every_shard(shards: int, workers: int, racing: list[bool]) -> None:
    fleet = Fleet(table(*(lease(n) for n in range(shards))), exclusive=True)
    alive = [f"w{n}/1" for n in range(workers)]
    for race in racing:
        fleet.round(alive, racing=race)
        active = [owner for owner in alive if holds_all(fleet.leases, owner)]
        assert len(active) <= 1
    assert len(fleet.counts()) == 1
    assert set(fleet.counts()) <= set(alive)


@settings(max_examples=40)
@given(shards=st.integers(1, 8), racing=st.lists(st.booleans(), min_size=20, max_size=20), exclusive=st.booleans())
def test_two_living_processes_of_one_worker_come_to_rest(shards: int, racing: list[bool], *, exclusive: bool) -> None:
    fleet = Fleet(table(*(lease(n) for n in range(shards))), exclusive=exclusive)
    fleet.round(["w/1"], racing=False)
    for race in racing:
        fleet.round(["w/1", "w/2"], racing=race)
    before = {k: item.owner for k, item in fleet.leases.items()}
    assert "" not in before.values()
    assert not exclusive or len(set(before.values())) == 1
    for race in (False, True):
        fleet.round(["w/1", "w/2"], racing=race)
        assert {k: item.owner for k, item in fleet.leases.items()} == before

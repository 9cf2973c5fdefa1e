from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faust_kinesis.balance import Decision, Sightings, decide, forgettable, holds_all, may_read
from faust_kinesis.families import heads
from faust_kinesis.lease import Lease, Status
from tests.unit.faust_kinesis.lease_tables import key, lease, owners, table

DURATION_S = 10.0


statuses = st.sampled_from(list(Status))


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Lease]:
    """Any table: splits and merges, any owners, any statuses."""
    leases: list[Lease] = []
    for number in range(draw(st.integers(1, 8))):
        parents = draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else set()
        leases.append(lease(number, *sorted(parents), owner=draw(owners), status=draw(statuses)))
    return table(*leases)


@given(leases=tables(), data=st.data(), exclusive=st.booleans())
def test_a_worker_claims_what_nobody_keeps_but_for_its_families_and_one_stolen_lease(
    leases: dict[str, Lease], data: st.DataObject, *, exclusive: bool
) -> None:
    expired = data.draw(st.sets(st.sampled_from(sorted(leases))))
    decision = decide(leases, expired, "a/1", exclusive=exclusive)
    kept = [k for k in decision.claim if leases[k].owner not in ("", "a/1") and k not in expired]
    alone = [k for k in kept if k not in heads(leases)]
    assert len(alone) <= (0 if exclusive else 1)
    assert not alone or decision.claim == (alone[0],)
    assert not (exclusive and kept)


@given(leases=tables(), exclusive=st.booleans())
def test_no_child_is_claimed_before_its_parents_end(leases: dict[str, Lease], *, exclusive: bool) -> None:
    now = dict(leases)
    for claimed in decide(leases, set(), "a/1", exclusive=exclusive).claim:
        assert may_read(now[claimed], now, "a/1")
        now[claimed] = replace(now[claimed], owner="a/1")


@given(leases=tables(), exclusive=st.booleans())
def test_a_done_lease_is_never_claimed_and_nothing_is_both_renewed_and_released(
    leases: dict[str, Lease], *, exclusive: bool
) -> None:
    decision = decide(leases, set(), "a/1", exclusive=exclusive)
    assert all(leases[k].status is not Status.DONE for k in decision.claim)
    assert not set(decision.renew) & (set(decision.release) | set(decision.claim))
    assert all(leases[k].owner == "a/1" for k in (*decision.renew, *decision.release))


@given(tables())
def test_an_unkept_child_follows_the_worker_that_has_its_parents_last_records(leases: dict[str, Lease]) -> None:
    decision = decide(leases, set(), "a/1")
    for item in leases.values():
        parents = [leases[k] for k in item.parents]
        mine = [p for p in parents if p.owner == "a/1" and p.status is Status.READ]
        others_done = all(p in mine or p.status is Status.DONE for p in parents)
        if mine and others_done and not item.owner and item.status is not Status.DONE:
            assert item.key in decision.claim


def test_a_restarted_worker_takes_its_own_leases_back_at_once() -> None:
    leases = table(lease(0, owner="a/1"), lease(1, owner="b/1"))
    assert decide(leases, set(), "a/2", restarted=True).claim == (key(0),)


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_process_takes_nothing_back_from_a_later_one_of_its_worker(*, exclusive: bool) -> None:
    leases = table(lease(0, owner="a/2"))
    assert decide(leases, set(), "a/1", exclusive=exclusive) == Decision()
    assert decide(leases, {key(0)}, "a/1", exclusive=exclusive).claim == (key(0),)  # it has died in its turn


def test_a_shard_is_not_stolen_while_its_workers_counts_differ_by_one() -> None:
    leases = table(lease(0, owner="b/1"), lease(1, owner="b/1"), lease(2, owner="a/1"))
    assert decide(leases, set(), "a/1").claim == ()


def test_an_idle_worker_steals_one_shard_of_the_richest() -> None:
    leases = table(*(lease(n, owner="b/1") for n in range(3)), lease(3, owner="c/1"))
    assert decide(leases, set(), "a/1").claim == (key(2),)


def test_a_worker_may_get_its_share_when_no_other_has_more_than_the_ceiling() -> None:
    leases = table(*(lease(n, owner="b/1" if n < 2 else "c/1") for n in range(4)))
    assert len(decide(leases, set(), "a/1").claim) == 1


def test_children_of_a_done_shard_are_shared_like_any_other() -> None:
    leases = table(lease(0, owner="b/1", status=Status.DONE), lease(1, 0, owner="b/1"), lease(2, 0, owner="b/1"))
    assert decide(leases, set(), "a/1").claim == (key(2),)


def test_a_child_is_not_stolen_while_its_worker_has_its_parents_last_records() -> None:
    leases = table(lease(0, owner="b/1", status=Status.READ), lease(1, 0, owner="b/1"), lease(2, 0, owner="b/1"))
    assert decide(leases, set(), "a/1").claim == ()


def test_the_worker_with_one_parent_of_a_merge_takes_the_other_and_the_child_when_both_are_read() -> None:
    read = Status.READ
    leases = table(lease(0, owner="a/1", status=read), lease(1, owner="b/1", status=read), lease(2, 0, 1))
    assert decide(leases, set(), "a/1").claim == (key(1), key(2))
    assert decide(leases, set(), "b/1").claim == ()


def test_a_merges_parents_stay_where_they_are_while_one_is_still_read() -> None:
    leases = table(lease(0, owner="a/1", status=Status.READ), lease(1, owner="b/1"), lease(2, 0, 1))
    assert decide(leases, set(), "a/1").claim == decide(leases, set(), "b/1").claim == ()


def test_a_family_goes_with_its_oldest_shard_and_what_is_finished_binds_nobody() -> None:
    done, read = Status.DONE, Status.READ
    leases = table(
        lease(0, status=done),
        lease(1, 0, status=read),
        lease(2, 0, status=read),
        lease(3, 1),
        lease(4, 1, status=read),
        lease(5, 2, 4),
        lease(6),
    )
    assert heads(leases) == {key(number): key(1) for number in range(1, 6)}


def test_the_keeper_of_the_first_lease_is_the_exclusive_worker_and_the_other_lets_go() -> None:
    leases = table(lease(0, owner="a/1"), lease(1, owner="b/1"), lease(2))
    assert decide(leases, set(), "a/1", exclusive=True).claim == (key(2),)
    assert decide(leases, set(), "b/1", exclusive=True).release == (key(1),)
    assert not holds_all(leases, "a/1")


@pytest.mark.parametrize("silence_s", [0.0, DURATION_S - 0.1])
def test_a_lease_is_kept_until_nobody_has_renewed_it_for_its_duration(silence_s: float) -> None:
    sightings = Sightings(DURATION_S)
    leases = table(lease(0, owner="b/1"))
    assert sightings.expired(leases, 100) == set()
    assert sightings.expired(leases, 100 + silence_s) == set()
    assert sightings.expired(leases, 100 + DURATION_S) == {key(0)}


def test_a_renewal_starts_the_duration_again() -> None:
    sightings = Sightings(DURATION_S)
    old = lease(0, owner="b/1")
    sightings.expired(table(old), 100)
    assert sightings.expired(table(replace(old, counter=1)), 109) == set()
    assert sightings.expired(table(replace(old, counter=1)), 118) == set()


@pytest.mark.parametrize(
    ("children", "listed", "forgotten"),
    [
        ([], set(), True),
        ([], {key(0)}, False),
        ([lease(1, 0, owner="a/1", sequence="5"), lease(2, 0, owner="a/1", sequence="5")], {key(0)}, True),
        ([lease(1, 0, owner="a/1", sequence="5"), lease(2, 0, owner="a/1")], {key(0)}, False),
        ([lease(1, 0, sequence="5")], {key(0)}, False),
    ],
)
def test_a_done_lease_is_forgotten_once_its_shard_is_gone_or_all_its_children_are_read(
    children: list[Lease], listed: set[str], *, forgotten: bool
) -> None:
    leases = table(lease(0, status=Status.DONE), *children)
    alive = {child.key for child in children if child.owner}
    assert (key(0) in forgettable(leases, listed, alive)) is forgotten


def test_an_unfinished_lease_is_never_forgotten() -> None:
    assert forgettable(table(lease(0), lease(1, status=Status.READ)), set(), set()) == []

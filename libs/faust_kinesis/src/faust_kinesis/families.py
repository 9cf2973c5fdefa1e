"""Shards that one worker must have together. Pure.

A shard that has ended is finished only when its last records are committed, and an application that counts in windows
commits those when its windows are out: when the shard's children have moved event time on. So whoever has the last
records of a parent reads its children too. A merge can find its two parents with two workers: one of them must give
way, or each waits for ever for what only the child can show.
"""

from collections.abc import Mapping

from faust_kinesis.lease import Lease, Status


def heads(leases: Mapping[str, Lease]) -> dict[str, str]:
    """Return the head of each lease that belongs to a family, itself included: the family's oldest shard.

    A family is what hangs together by parents that are read to their end and not yet committed to it. Whoever has the
    head gathers the others.
    """
    head: dict[str, str] = {}
    for lease in sorted(leases.values(), key=lambda lease: lease.key):
        if lease.status is Status.DONE:
            continue
        ended = [key for key in lease.parents if key in leases and leases[key].status is Status.READ]
        related = {head.get(key, key) for key in ended}
        if related:
            oldest = min(related)
            head |= {key: oldest for key, its in head.items() if its in related} | dict.fromkeys(related, oldest)
            head[lease.key] = oldest
    return head

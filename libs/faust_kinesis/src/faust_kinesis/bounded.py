"""Calls at the same time, but never many."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final, TypeVar

CALLS_AT_ONCE: Final = 32

Result = TypeVar("Result")


async def at_most(limit: int, calls: Iterable[Awaitable[Result]]) -> list[Result]:
    """Await all `calls`, `limit` at a time; return their results in order.

    Raises:
        BaseException: the first failure, once all have ended.
    """
    room = asyncio.Semaphore(limit)

    async def one(call: Awaitable[Result]) -> Result:
        async with room:
            return await call

    results = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]

"""Tasks that are told to stop until they have."""

import asyncio

import pytest

from app.core.stopping import finish, stop


async def take_for_failures(count: int) -> None:
    """What a driver does that takes a cancellation for a failure of its own, and its caller tries again."""
    for _ in range(count):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(3600)


async def test_one_that_takes_it_for_a_failure_is_told_again() -> None:
    deaf, quick = asyncio.create_task(take_for_failures(3)), asyncio.create_task(asyncio.sleep(3600))
    await asyncio.sleep(0)
    await stop(deaf, quick, again_s=0.01)
    assert deaf.cancelled()
    assert quick.cancelled()
    await stop(deaf)


async def test_one_that_never_stops_is_waited_for_no_longer_than_said() -> None:
    deaf = asyncio.create_task(take_for_failures(50))
    await asyncio.sleep(0)
    await stop(deaf, within_s=0.05, again_s=0.01)
    assert not deaf.done()
    await stop(deaf, again_s=0.01)


async def test_what_must_end_ends_before_a_cancelled_caller_goes() -> None:
    begun, goes_on, done = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        begun.set()
        await goes_on.wait()
        done.append(True)

    caller = asyncio.create_task(finish(work()))
    await begun.wait()
    for _ in range(2):
        caller.cancel()
        await asyncio.sleep(0)
    assert not caller.done()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done == [True]

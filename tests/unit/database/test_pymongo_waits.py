"""A cancelled wait of PyMongo's leaves its lock to others."""

import asyncio

from pymongo._asyncio_lock import Condition

from app.database import connections, pymongo_waits


async def test_a_wait_that_is_cancelled_while_it_takes_the_lock_back_gives_it_back() -> None:
    condition = Condition()

    async def select() -> None:
        async with condition:
            await pymongo_waits.wait(condition, 0)

    selecting = asyncio.create_task(select())
    await asyncio.sleep(0)  # it waits, and its time is up
    async with condition:
        for _ in range(3):
            await asyncio.sleep(0)
        assert not selecting.done()  # it needs the lock to go on
        selecting.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({selecting})
    assert selecting.cancelled()
    assert not condition.locked()


async def test_a_wait_tells_whether_it_was_notified() -> None:
    condition = Condition()
    async with condition:
        assert not await pymongo_waits.wait(condition, 0)
        asyncio.get_running_loop().call_soon(condition._notify, 1)
        assert await pymongo_waits.wait(condition, None)


def test_all_of_pymongo_waits_like_this_once_connections_are_imported() -> None:
    assert connections.Client.__name__ == "AsyncMongoClient"
    for module in pymongo_waits.USERS:
        assert getattr(module, pymongo_waits.NAME) is pymongo_waits.wait

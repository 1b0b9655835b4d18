"""What the audit trail adds to a change: a transaction, and the entry in it.

`python -m benchmarks.trailing START COUNT` creates and patches sample people with and without it, one after
the other, and prints the median microseconds of each.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any
from unittest import mock

from app import audit, container
from app.audit.write import COMMAND_LINE
from app.commands.sample import people
from app.container import Container
from app.core import settings
from app.database import transactions
from app.users import Authority
from benchmarks.plan import Sizes
from benchmarks.results import Finding
from benchmarks.servers import Backends
from models.user import UserInput, UserPatch
from models.values import ALL_SCOPES

AT_MOST = 2
_COUNT = 1_000
_WARM_UP = 100


def measure(servers: Backends, sizes: Sizes) -> list[Finding]:
    database = servers.database(sizes.users, name="trailed")
    asked = [sys.executable, "-m", "benchmarks.trailing", str(sizes.users), str(_COUNT)]
    done = subprocess.run(asked, env=database.environment(), stdout=subprocess.PIPE, check=True)
    told, alone = json.loads(done.stdout)
    return [
        Finding(
            "trail",
            f"a {what} among {sizes.users:,} users, of one without the audit trail",
            f"{told[what]:,.0f} us to {alone[what]:,.0f} us",
            told[what] / alone[what],
            at_most=AT_MOST,
        )
        for what in told
    ]


async def compare(start: int, count: int) -> list[dict[str, float]]:
    times: list[dict[str, list[float]]] = [{"create": [], "PATCH": []} for _ in range(2)]
    async with container.opened(settings.load()) as opened:
        for number, person in enumerate(people(2 * count, start=start)):
            said = UserInput.model_validate({k: v for k, v in person.items() if k in UserInput.model_fields})
            if number % 2:
                with _untold():
                    await _change(opened, said, times[1])
            else:
                await _change(opened, said, times[0])
    return [{what: median(each[_WARM_UP:]) for what, each in side.items()} for side in times]


async def _change(opened: Container, said: UserInput, times: dict[str, list[float]]) -> None:
    authority = Authority(frozenset(ALL_SCOPES), COMMAND_LINE)
    began = time.perf_counter()
    row = await opened.users.create(said, authority)
    created = time.perf_counter()
    await opened.users.patch(
        row["_id"], UserPatch.model_validate({"locale": "en-GB", "tags": ["patched"]}), authority=authority
    )
    times["create"].append((created - began) * 1e6)
    times["PATCH"].append((time.perf_counter() - created) * 1e6)


@contextmanager
def _untold() -> Iterator[None]:
    """Each change as one write of its own, as it would be without the trail."""

    async def alone(_client: Any, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await work(None)

    async def tell_nothing(*_: Any) -> None:
        """Nothing."""

    with (
        mock.patch.object(transactions, "together", alone),
        mock.patch.object(audit.write, "add", tell_nothing),
    ):
        yield


if __name__ == "__main__":
    print(json.dumps(asyncio.run(compare(*map(int, sys.argv[1:])))))

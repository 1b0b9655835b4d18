"""What search adds to a create: tokens, words of the dictionary, a longer document, entries of two indexes.

`python -m benchmarks.creating START COUNT` creates sample people in two copies of a filled collection that
differ in nothing but search, one after the other, and prints the costs.
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from pymongo import IndexModel
from pymongo.asynchronous.collection import AsyncCollection

from app import container, search
from app.commands.sample import people
from app.core import settings
from app.users.user_records import record
from benchmarks.results import Finding
from benchmarks.servers import Database
from models.user import User, UserInput

AT_MOST = 1.6
_COUNT = 2_000
_WARM_UP = 200


@dataclass(frozen=True, slots=True)
class Costs:
    """Median microseconds of each part. `build` makes the whole document, the `tokens` of search included.

    `insert` is the insertion with the dictionary beside it, as a create has it.
    """

    build: float
    tokens: float
    insert: float
    insert_plain: float

    @property
    def whole(self) -> float:
        return self.build + self.insert

    @property
    def plain(self) -> float:
        return self.build - self.tokens + self.insert_plain


def measure(database: Database) -> Finding:
    asked = [sys.executable, "-m", "benchmarks.creating", str(database.users), str(_COUNT)]
    environment = database.environment() | {"ROSTER_MONGO_TIMEOUT_MS": "600000"}
    done = subprocess.run(asked, env=environment, stdout=subprocess.PIPE, check=True)
    costs = Costs(**json.loads(done.stdout))
    figures = (
        f"{costs.whole:,.0f} us (document {costs.build:,.0f}, tokens {costs.tokens:,.0f} of it; insertion, "
        f"the dictionary beside it, {costs.insert:,.0f}) to {costs.plain:,.0f} us "
        f"(insertion {costs.insert_plain:,.0f})"
    )
    what = f"a create among {database.users:,} users, of one without search"
    return Finding("search", what, figures, costs.whole / costs.plain, at_most=AT_MOST)


async def compare(start: int, count: int) -> Costs:
    times: list[Costs] = []
    async with container.opened(settings.load(), apply_indexes=False) as opened:
        searched = await _copy(opened.connections.users, "created", plain=False)
        plain = await _copy(opened.connections.users, "created_plain", plain=True)
        dictionary = search.Dictionary(searched.database)
        for person in people(count, start=start):
            times.append(await _create(person, searched, plain, dictionary))  # noqa: PERF401  # one after the other
        await searched.drop()
        await plain.drop()
    counted = [asdict(one) for one in times[_WARM_UP:]]
    return Costs(**{part: median(one[part] for one in counted) for part in counted[0]})


async def _copy(
    users: AsyncCollection[dict[str, Any]], name: str, *, plain: bool
) -> AsyncCollection[dict[str, Any]]:
    stages: list[dict[str, Any]] = [{"$unset": "search"}] if plain else []
    await users.aggregate([*stages, {"$out": name}])
    copy = users.database.get_collection(
        name, write_concern=users.write_concern, codec_options=users.codec_options
    )
    await copy.create_indexes([index for index in User.Settings.indexes if not (plain and _finds(index))])
    return copy


def _finds(index: IndexModel) -> bool:
    return any(path.startswith("search.") for path in index.document["key"])


async def _create(
    person: dict[str, Any],
    searched: AsyncCollection[dict[str, Any]],
    plain: AsyncCollection[dict[str, Any]],
    dictionary: search.Dictionary,
) -> Costs:
    said = UserInput.model_validate({name: person[name] for name in UserInput.model_fields if name in person})
    ticks = [time.perf_counter()]
    user = record(said)
    document: dict[str, Any] = {"_id": user.id} | user.model_dump(exclude={"id"})
    without = {name: value for name, value in document.items() if name != "search"}
    ticks.append(time.perf_counter())
    search.index(document)
    ticks.append(time.perf_counter())
    async with dictionary.learning([user.words]) as learnt:
        await searched.insert_one(document)
        await learnt
    ticks.append(time.perf_counter())
    await plain.insert_one(without)
    ticks.append(time.perf_counter())
    return Costs(*((end - begin) * 1e6 for begin, end in pairwise(ticks)))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(compare(int(sys.argv[1]), int(sys.argv[2]))))))

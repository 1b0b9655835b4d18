"""Planning: the handler of the job that plans a bulk change. A plan keeps who is in it, each at a version."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pydantic import TypeAdapter

from app.bulk.decisions import Decider
from app.core.errors import TooManyUsersError
from app.core.mongo import BSON, Row
from app.database.connections import Connections
from app.imports import Imports, plan_writer
from app.imports.import_records import Import, ImportRecords
from app.imports.plan_writer import CHUNK, PlanWriter
from app.jobs import Run
from app.listing import Listing
from app.users.administrators import ADMINISTRATOR
from app.users.selections import choose
from models.bulk import AnyChange, Change
from models.listing import OrderedQuery

_FIRST_BATCH_S: Final = 60.0
_MOST_ADMINISTRATORS: Final = 10_000
_CHANGE: Final[TypeAdapter[Change]] = TypeAdapter(AnyChange)
_PUBLIC, _READER = choose(None)


class Planner:
    """Plans bulk changes; their reverts are planned as those of imports."""

    def __init__(
        self, connections: Connections, records: ImportRecords, listing: Listing, imports: Imports
    ) -> None:
        self._users = connections.users
        self._most = connections.settings.bulk_max_users
        self._records = records
        self._listing = listing
        self._plan_revert = imports.plan

    async def plan(self, run: Run) -> None:
        """Plan from the start, whatever an earlier run has left; does nothing if there is a plan.

        TooManyUsersError past the limit.
        """
        document = await self._records.read(ObjectId(run.subject))
        if "reverts" in document:
            await self._plan_revert(run)
        elif (begun := await plan_writer.begin(self._records, document["_id"])) is not None:
            await self._plan(begun, run)

    async def _plan(self, document: Import, run: Run) -> None:
        change = _CHANGE.validate_python(document["bulk"]["change"])
        scopes, administrators = frozenset(document["scopes"]), await self._find_administrators()
        decider = Decider(change, by=document["by"], scopes=scopes, administrators=administrators)
        writer = PlanWriter(self._records, document)

        async def make(found: list[tuple[ObjectId, Row | None]]) -> Sequence[RawBSONDocument]:
            if writer.done + len(found) > self._most:
                raise too_many(self._most)
            return await asyncio.to_thread(_make_rows, found, decider, writer)

        async with aclosing(self._find(document["bulk"])) as chunks:
            await writer.write(chunks, make, run)
        facts = {"bulk.refused": dict(decider.refused), "bulk.ended": decider.ended}
        await writer.finish(facts)

    async def _find_administrators(self) -> set[ObjectId]:
        found = self._users.find(ADMINISTRATOR, {"_id": 1}, hint="facets").limit(_MOST_ADMINISTRATORS)
        return {user["_id"] async for user in found}

    async def _find(self, asked: dict[str, Any]) -> AsyncGenerator[list[tuple[ObjectId, Row | None]]]:
        """Chunks of ids and stored users, as the caller gave them or in the order of creation."""
        if asked["ids"]:
            for start in range(0, len(asked["ids"]), CHUNK):
                ids = asked["ids"][start : start + CHUNK]
                found = await self._users.find({"_id": {"$in": ids}}, _PUBLIC).to_list()
                by_id = {user["_id"]: user for user in found}
                yield [(user_id, by_id.get(user_id)) for user_id in ids]
            return
        query, q = build(asked["filter"])
        rows = self._listing.stream(self._listing.build(query), q, _PUBLIC, first_s=_FIRST_BATCH_S)
        seen: set[bytes] = set()
        """Of a search, whose pages may show a user again who is changed meanwhile."""
        async with aclosing(rows):
            async for batch in rows:
                users = bson.decode_all(batch, BSON)
                if q is not None:
                    users = [user for user in users if user["_id"].binary not in seen]
                    seen.update(user["_id"].binary for user in users)
                yield [(user["_id"], user) for user in users]


def _make_rows(
    found: Sequence[tuple[ObjectId, Row | None]], decider: Decider, writer: PlanWriter
) -> list[RawBSONDocument]:
    """The encoded rows; heavy, so call it in a thread."""
    sound = {user["_id"]: user for user in _READER.sound([user for _, user in found if user is not None])}
    return [
        writer.encode(decider.decide(user_id, sound.get(user_id), is_stored=user is not None))
        for user_id, user in found
    ]


def build(filters: dict[str, Any]) -> tuple[OrderedQuery, str | None]:
    """The query and `q` of filters; without `q` in the order of creation, which no change moves a user in."""
    rest = {name: value for name, value in filters.items() if name != "q"}
    q = filters.get("q")
    return OrderedQuery.model_validate(rest if q is not None else rest | {"sort": "created_at"}), q


def too_many(most: int) -> TooManyUsersError:
    return TooManyUsersError(
        f"More than {most:,} users are found (ROSTER_BULK_MAX_USERS): narrow the filter, and change some "
        "at a time."
    )

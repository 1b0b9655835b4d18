"""Writes planned rows and their users together: each row once, if its user did not change.

A row's status changes in the transaction that writes its user. So whatever stops a worker, and however many
work on one import, pending rows are those not done; a new run goes on with them.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, PyMongoError

from app import audit
from app.core.errors import (
    LastAdministratorError,
    PreconditionFailedError,
    RosterError,
    UnavailableError,
    WriteConflictError,
)
from app.core.mongo import Collection, Row
from app.database.driver_errors import DUPLICATE_KEY
from app.database.transactions import may_pass, transaction
from app.imports import apply_conflicts, row_batches
from app.imports.row_batches import Batch
from app.users import Authority, Users, changes, user_records
from models.imports import APPLIED, PENDING

_TRIES = 12
"""The most tries of one batch after lost races."""
_NEEDED = dict.fromkeys(("n", "status", "user", "version", "said", "password_hash", "differences"), 1)
_STANDING = dict.fromkeys(("version", "is_active", "scopes", "email", "email_verified"), 1)


class _RefusedError(WriteConflictError):
    """A user of the batch has changed, or another user has a unique value."""


@dataclass(frozen=True, slots=True)
class RowWriter:
    """Writes the rows of one import, within a session of its own."""

    id: ObjectId
    rows: Collection
    users: Users
    session: AsyncClientSession
    authority: Authority
    columns: Sequence[Row]
    """The import's columns, for errors of rows."""
    together: int = 200
    """Rows of one transaction."""

    async def write_all(self, on_done: Callable[[int], Awaitable[None]]) -> None:
        """Write all pending rows; `on_done` gets the number done at a time, and may stop it."""
        while True:
            found = False
            async with aclosing(self._batches()) as batches:
                async for batch in batches:
                    found = True
                    await self._write_in_the_end(batch)
                    await on_done(len(batch.rows))
            if not found:
                return

    async def _batches(self) -> AsyncGenerator[Batch]:
        """Batches in the order of the file; each is prepared while the previous one is written."""
        following = asyncio.create_task(self._next(0))
        try:
            while (batch := await following) is not None:
                following = asyncio.create_task(self._next(batch.rows[-1]["n"]))
                yield batch
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _next(self, after: int) -> Batch | None:
        rows = await self._find({"n": {"$gt": after}}, hint="status")
        return await self._prepare(rows) if rows else None

    async def _find(self, which: dict[str, Any], *, hint: str) -> list[Row]:
        """Pending rows in order; `hint` is an index with that order."""
        wanted = {"import": self.id, **which, "status": {"$in": PENDING}}
        return await self.rows.find(wanted, _NEEDED, hint=hint).sort("n", 1).limit(self.together).to_list()

    async def _prepare(self, rows: list[Row]) -> Batch:
        there = [row["user"] for row in rows if row["status"] != "create"]
        found = (
            await self.users.collection.find({"_id": {"$in": there}}, _STANDING).to_list() if there else []
        )
        batch = await asyncio.to_thread(
            row_batches.prepare, rows, {user["_id"]: user for user in found}, self.authority.author
        )
        await self.users.learn(batch.words)
        return batch

    async def _write_in_the_end(self, batch: Batch) -> None:
        for attempt in range(_TRIES):
            try:
                await self._write(batch)
            except _RefusedError:
                await apply_conflicts.settle(
                    self.users.collection, self.rows, self.id, await self._left(batch), self.columns
                )
            except PyMongoError as error:
                if not may_pass(error):
                    raise
            else:
                return
            if not (rows := await self._left(batch)):
                return
            await asyncio.sleep(random.random() * 0.02 * attempt)  # noqa: S311 - spreads retries, guards nothing
            batch = await self._prepare(rows)
        raise UnavailableError("Others kept changing the users of this import; it goes on later.")

    async def _left(self, batch: Batch) -> list[Row]:
        return await self._find({"n": {"$in": [row["n"] for row in batch.rows]}}, hint="n")

    async def _write(self, batch: Batch) -> None:
        """Write those alone, then the others."""
        refused = 0
        for row, user in batch.alone:
            try:
                await self._write_alone(row, user)
            except LastAdministratorError as error:
                await apply_conflicts.refuse(self.rows, self.id, row, error)
            except RosterError:
                refused += 1
        if batch.together:
            await self._write_together(batch)
            for before, values in batch.notes:
                changes.note(before, values, self.authority)
        if refused:
            raise _RefusedError("Not as planned.")

    async def _write_together(self, batch: Batch) -> None:
        """All at once; users whose sessions end meanwhile are in doubt, as by a revocation of each."""
        if not batch.ended:
            await self._write_users(batch)
            return
        async with self.users.end_all(list(map(str, batch.ended))) as endings:
            for user_id, generation in (await self._write_users(batch)).items():
                endings[user_id].generation = generation

    async def _write_users(self, batch: Batch) -> dict[str, int]:
        """The new generations of those whose sessions end."""
        async with transaction(self.session):
            await self._take(batch.together)
            generations = await self._generations(batch.ended)
            try:
                written = await self.users.collection.bulk_write(batch.writes, session=self.session)
            except BulkWriteError as error:
                if error.details["writeErrors"][0]["code"] != DUPLICATE_KEY:
                    raise
                raise _RefusedError("Another user has a unique value of one of them.") from None
            done = written.deleted_count + written.matched_count + written.inserted_count
            if done != len(batch.together):
                raise _RefusedError("One of them has changed since.")
            if deleted := [row["user"] for row in batch.together if row["status"] == "delete"]:
                await changes.forget(self.rows.database, deleted, self.session)
            moved = [user["_id"] for user, values in batch.notes if changes.moves(user, values)]
            await changes.end_codes(self.rows.database, moved, self.session)
            await audit.write.add(self.rows.database, batch.entries, self.session)
        return generations

    async def _generations(self, ids: list[ObjectId]) -> dict[str, int]:
        """What this transaction raises their generations to."""
        if not ids:
            return {}
        found = self.users.collection.find(
            {"_id": {"$in": ids}}, user_records.GENERATION, session=self.session
        )
        return {str(user["_id"]): user_records.generation(user) + 1 async for user in found}

    async def _take(self, rows: list[Row]) -> None:
        """Mark rows as done, before their users are written, so that of two workers one stops here."""
        for status, done in APPLIED.items():
            numbers = [row["n"] for row in rows if row["status"] == status]
            if not numbers:
                continue
            pending = {"import": self.id, "n": {"$in": numbers}, "status": status}
            taken = await self.rows.update_many(pending, {"$set": {"status": done}}, session=self.session)
            if taken.modified_count != len(numbers):
                raise _RefusedError("Another worker did some of them.")

    async def _write_alone(self, row: Row, user: Row) -> None:
        """Write a row that ends the sessions of its user, in a transaction of its own."""
        async with self.users.end(str(user["_id"])) as ending:
            async with transaction(self.session):
                await self._take([row])
                if row["status"] == "delete":
                    condition = {"_id": user["_id"], "version": row["version"]}
                    generation = await self.users.erase(condition, self.authority.author, self.session)
                else:
                    generation = await self._change(row, user)
                if generation is None:
                    raise PreconditionFailedError("The user has changed since.")
            ending.generation = generation
        if row["status"] == "update":
            self._note(row, user)

    async def _change(self, row: Row, user: Row) -> int | None:
        hashed = row.get("password_hash")
        changed = await self.users.write(
            user | {"version": row["version"]},
            row["said"],
            self.authority.author,
            changes.RAISED,
            stored={} if hashed is None else {"credentials.password_hash": hashed},
            differences=row["differences"],
            session=self.session,
        )
        return user_records.generation(changed) if changed is not None else None

    def _note(self, row: Row, user: Row) -> None:
        changes.note(user, row["said"], self.authority)
        if row.get("password_hash") is not None:
            audit.log.record("password_set", user_id=str(user["_id"]), by=self.authority.author.user_id)

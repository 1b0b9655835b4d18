"""Writes planned rows and their users together: each row once, if its user did not change.

A row's status changes in the transaction that writes its user, or right after a new user or a plain update.
So whatever stops a worker, and however many work on one import, pending rows are those not done, or
interrupted between the two; a new run goes on with them.
"""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, PyMongoError

from app import audit
from app.audit.write import Entry
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
from app.imports import apply_conflicts, interrupted, new_users, row_batches
from app.imports.row_batches import Batch, Group
from app.users import Authority, Users, changes, user_records
from models.imports import APPLIED, PENDING

_TRIES = 12
"""The most tries of one batch after lost races."""
_NEEDED = dict.fromkeys(("n", "status", "user", "version", "said", "password_hash", "differences"), 1)
_STANDING = dict.fromkeys(("version", "is_active", "scopes", "email", "email_verified", "search.v"), 1)


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
    begun: int = 0
    """The last row whose user an earlier run may have written."""
    together: int = 200
    """Rows of one batch."""

    async def next(self, after: int) -> Batch | None:
        """The next batch of pending rows, in the order of the file."""
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
        return await asyncio.to_thread(
            row_batches.prepare, rows, {user["_id"]: user for user in found}, self.authority.author
        )

    async def write(self, batch: Batch) -> None:
        """Write a batch, until none of its rows is pending."""
        await self.users.learn(batch.words)
        is_again = batch.rows[0]["n"] <= self.begun
        for attempt in range(_TRIES):
            try:
                await self._write(batch, is_again=is_again or attempt > 0)
            except _RefusedError:
                await self._settle(await self._left(batch))
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

    async def _write(self, batch: Batch, *, is_again: bool) -> None:
        """Write those alone, then the others. `is_again`: an earlier run or try may have written users."""
        refused = 0
        for row, user in batch.alone:
            try:
                await self._write_alone(row, user)
            except LastAdministratorError as error:
                await apply_conflicts.refuse(self.rows, self.id, row, error)
            except RosterError:
                refused += 1
        if batch.plain.rows:
            refused += await self._write_plain(batch.plain)
        if batch.together.rows:
            await self._write_together(batch.together)
        if batch.new.rows:
            refused += await self._write_new(batch.new, is_again=is_again)
        if refused:
            raise _RefusedError("Not as planned.")

    async def _settle(self, left: list[Row]) -> None:
        """Finish rows that were interrupted, and find why the others were refused."""
        done = {row["n"] for row in await self.finish(left)}
        refused = [row for row in left if row["n"] not in done]
        await apply_conflicts.settle(self.users.collection, self.rows, self.id, refused, self.columns)

    async def finish(self, rows: list[Row]) -> list[Row]:
        """Finish those of the pending rows whose users were written, and return them."""
        written = await interrupted.find_written(self.users.collection, rows)
        author = self.authority.author
        await self._tell([(row, row_batches.tell(row, author)) for row in written])
        return written

    async def finish_begun(self) -> None:
        """Finish what an earlier run has begun, without beginning more."""
        after = 0
        while rows := await self._find({"n": {"$gt": after, "$lte": self.begun}}, hint="status"):
            await self.finish(rows)
            after = rows[-1]["n"]

    async def _write_new(self, group: Group, *, is_again: bool) -> int:
        """Insert users, and then write their rows and trail; how many of them others prevented.

        MongoDB 6.0 inserts users of a transaction one by one, and outside in batches (ADR 60).
        """
        made = await new_users.insert(self.users.collection, group, self.session, is_again=is_again)
        told = [each for each in zip(group.rows, group.entries, strict=True) if each[0]["user"] in made]
        try:
            await self._tell(told)
        except _RefusedError:
            await new_users.withdraw(self.users.collection, list(made))
            raise
        return len(group.rows) - len(told)

    async def _write_plain(self, group: Group) -> int:
        """Write users, and then their rows and trail; how many users have changed since.

        MongoDB 6.0 writes users up to six times as fast outside a transaction (ADR 54).
        """
        written = await self._end(group, self._update(group))
        done = [
            (row, entry, note)
            for row, entry, note in zip(group.rows, group.entries, group.notes, strict=True)
            if row["user"] in written
        ]
        await self._tell([(row, entry) for row, entry, _ in done])
        for _, _, (before, values) in done:
            changes.note(before, values, self.authority)
        return len(group.rows) - len(done)

    async def _update(self, group: Group) -> dict[ObjectId, int]:
        """The users of the group who have their change, with their generations if any session ends."""
        written = await self.users.collection.bulk_write(group.writes, ordered=False, session=self.session)
        rows = group.rows
        if written.matched_count < len(rows):
            rows = await interrupted.find_written(self.users.collection, rows)
        found = {row["user"]: 0 for row in rows}
        return found | await self._generations([each for each in group.ended if each in found])

    async def _tell(self, told: Sequence[tuple[Row, Entry]]) -> None:
        """Mark rows whose users were written as done, and write their trail.

        Of a new user whom others have deleted already it keeps no values.
        """
        if not told:
            return
        database = self.rows.database
        async with transaction(self.session):
            await self._take([row for row, _ in told])
            await audit.write.add(database, [entry for _, entry in told], self.session)
            made = [row["user"] for row, _ in told if row["status"] == "create"]
            if gone := await interrupted.find_deleted(database, made, self.session):
                await audit.write.forget(database, list(gone), self.session)

    async def _write_together(self, group: Group) -> None:
        """All at once."""
        await self._end(group, self._write_users(group))
        for before, values in group.notes:
            changes.note(before, values, self.authority)

    async def _end(
        self, group: Group, write: Coroutine[Any, Any, dict[ObjectId, int]]
    ) -> dict[ObjectId, int]:
        """Await the write; users whose sessions end meanwhile are in doubt, as by a revocation of each.

        It tells the new generations of those.
        """
        if not group.ended:
            return await write
        async with self.users.end_all(list(map(str, group.ended))) as endings:
            generations = await write
            for user_id in group.ended:
                endings[str(user_id)].generation = generations.get(user_id)
        return generations

    async def _write_users(self, group: Group) -> dict[ObjectId, int]:
        """The new generations of those whose sessions end."""
        async with transaction(self.session):
            await self._take(group.rows)
            before = await self._generations(group.ended, self.session)
            try:
                written = await self.users.collection.bulk_write(group.writes, session=self.session)
            except BulkWriteError as error:
                if error.details["writeErrors"][0]["code"] != DUPLICATE_KEY:
                    raise
                raise _RefusedError("Another user has a unique value of one of them.") from None
            done = written.deleted_count + written.matched_count + written.inserted_count
            if done != len(group.rows):
                raise _RefusedError("One of them has changed since.")
            if deleted := [row["user"] for row in group.rows if row["status"] == "delete"]:
                await changes.forget(self.rows.database, deleted, self.session)
            moved = [user["_id"] for user, values in group.notes if changes.moves(user, values)]
            await changes.end_codes(self.rows.database, moved, self.session)
            await audit.write.add(self.rows.database, group.entries, self.session)
        return {user_id: generation + 1 for user_id, generation in before.items()}

    async def _generations(
        self, ids: list[ObjectId], session: AsyncClientSession | None = None
    ) -> dict[ObjectId, int]:
        if not ids:
            return {}
        found = self.users.collection.find({"_id": {"$in": ids}}, user_records.GENERATION, session=session)
        return {user["_id"]: user_records.generation(user) async for user in found}

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

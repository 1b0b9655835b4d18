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
from pymongo import InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, PyMongoError

from app import audit
from app.audit.write import Author, Entry
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
from app.imports import apply_conflicts
from app.users import Authority, Users, changes, user_records
from models.imports import APPLIED, PENDING

_TRIES = 12
"""The most tries of one batch after lost races."""
_NEEDED = dict.fromkeys(("n", "status", "user", "version", "said", "password_hash", "differences"), 1)
_STANDING = dict.fromkeys(("version", "is_active", "scopes", "email", "email_verified"), 1)


class _RefusedError(WriteConflictError):
    """A user of the batch has changed, or another user has a unique value."""


@dataclass(slots=True)
class _Batch:
    """A batch of rows with their writes."""

    rows: list[Row]
    writes: list[InsertOne[Row] | UpdateOne]
    words: list[dict[str, bool]]
    together: list[Row]
    """The rows whose users are written in one transaction."""
    notes: list[tuple[Row, Row]]
    """Users before and after, for the audit log."""
    entries: list[Entry]
    """The entries of the audit trail for those written together."""
    alone: list[tuple[Row, Row]]
    """Rows that end sessions, each with its user, which are written singly."""


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

    async def _batches(self) -> AsyncGenerator[_Batch]:
        """Batches in the order of the file; each is prepared while the previous one is written."""
        following = asyncio.create_task(self._next(0))
        try:
            while (batch := await following) is not None:
                following = asyncio.create_task(self._next(batch.rows[-1]["n"]))
                yield batch
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _next(self, after: int) -> _Batch | None:
        rows = await self._find({"n": {"$gt": after}}, hint="status")
        return await self._prepare(rows) if rows else None

    async def _find(self, which: dict[str, Any], *, hint: str) -> list[Row]:
        """Pending rows in order; `hint` is an index with that order."""
        wanted = {"import": self.id, **which, "status": {"$in": PENDING}}
        return await self.rows.find(wanted, _NEEDED, hint=hint).sort("n", 1).limit(self.together).to_list()

    async def _prepare(self, rows: list[Row]) -> _Batch:
        there = [row["user"] for row in rows if row["status"] != "create"]
        found = (
            await self.users.collection.find({"_id": {"$in": there}}, _STANDING).to_list() if there else []
        )
        batch = await asyncio.to_thread(
            _prepare, rows, {user["_id"]: user for user in found}, self.authority.author
        )
        await self.users.learn(batch.words)
        return batch

    async def _write_in_the_end(self, batch: _Batch) -> None:
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

    async def _left(self, batch: _Batch) -> list[Row]:
        return await self._find({"n": {"$in": [row["n"] for row in batch.rows]}}, hint="n")

    async def _write(self, batch: _Batch) -> None:
        """Write deletions, then changes, then creations, so that unique values are freed first."""
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

    async def _write_together(self, batch: _Batch) -> None:
        async with transaction(self.session):
            await self._take(batch.together)
            try:
                written = await self.users.collection.bulk_write(batch.writes, session=self.session)
            except BulkWriteError as error:
                if error.details["writeErrors"][0]["code"] != DUPLICATE_KEY:
                    raise
                raise _RefusedError("Another user has a unique value of one of them.") from None
            if written.inserted_count + written.matched_count != len(batch.together):
                raise _RefusedError("One of them has changed since.")
            moved = [user["_id"] for user, values in batch.notes if changes.moves(user, values)]
            await changes.end_codes(self.rows.database, moved, self.session)
            await audit.write.add(self.rows.database, batch.entries, self.session)

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
        """Write a row that ends the sessions of its user, as a revocation."""
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


def _prepare(rows: list[Row], standing: dict[ObjectId, Row], author: Author) -> _Batch:
    """Prepare a batch; heavy, so call it in a thread. Rows of deleted users will be refused by the write."""
    batch = _Batch(rows, [], [], [], [], [], [])
    for row in rows:
        user = standing.get(row["user"], {"_id": row["user"], "is_active": False, "scopes": []})
        if row["status"] == "delete" or (row["status"] == "update" and _ends(row, user)):
            batch.alone.append((row, user))
            continue
        write, words, entry = (
            _create(row, author) if row["status"] == "create" else _update(row, user, author)
        )
        batch.writes.append(write)
        batch.words.append(words)
        batch.entries.append(entry)
        batch.together.append(row)
        if row["status"] == "update":
            batch.notes.append((user, row["said"]))
    batch.writes.sort(key=lambda write: isinstance(write, InsertOne))
    return batch


def _ends(row: Row, user: Row) -> bool:
    return row.get("password_hash") is not None or changes.ends(user, row["said"])


def _create(row: Row, author: Author) -> tuple[InsertOne[Row], dict[str, bool], Entry]:
    """A create without a `User`, which would add half of the work: the plan has validated the values."""
    fields, words = user_records.compose(row["said"])
    credentials = {"password_hash": row.get("password_hash"), "generation": 0}
    new = {"_id": row["user"], **fields, "credentials": credentials}
    return InsertOne(new), words, user_records.creation(row["user"], row["said"], author)


def _update(row: Row, user: Row, author: Author) -> tuple[UpdateOne, dict[str, bool], Entry]:
    """Of the version that was planned; if that of `user` is another, MongoDB finds nothing to update."""
    is_verified = user_records.stays_verified(user, row["said"])
    update, words = user_records.change(row["said"], is_verified=is_verified)
    at = {"_id": row["user"], "version": row["version"]}
    return UpdateOne(at, update), words, changes.alteration(at, author, row["differences"])

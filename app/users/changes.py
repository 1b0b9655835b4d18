"""Changes of one user. Every write is conditional on the version it was computed from, so none is lost."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from pydantic import ValidationError
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from app import audit
from app.audit.write import Also, Author, Entry
from app.core.errors import (
    FieldError,
    InvalidError,
    PreconditionFailedError,
    UniqueConflictError,
    WriteConflictError,
)
from app.core.field_errors import from_validation
from app.core.mongo import Database, Row
from app.users import administrators
from app.users.authority import ADMIN, Authority
from app.users.generations import End
from app.users.user_records import (
    GENERATION,
    PUBLIC,
    SETTABLE,
    AllowedVersions,
    Records,
    change,
    conflict,
    generation,
    hidden,
    sound,
    stays_verified,
)
from models.mail import Purpose
from models.user import FIELDS, STANDING, UserInput, UserPatch, UserReplacement
from models.values import Held, held

RAISED = {"credentials.generation": 1}
"""What a write that ends all sessions raises besides the version."""

OWNED = {
    "consents": "user",
    "tokens": "principal",
    "mails": "user",
    "mail_codes": "user",
    "known_devices": "user",
    "views": "private_to",
    "provisioned": "target",
}
"""Collections whose documents are deleted with the user whom this field of them names."""

_STAYING: Purpose = "take_back_email"
"""The code of a mail that is of use only once the e-mail has changed."""

_ENDED = dict.fromkeys((*STANDING, "credentials"), 1)
_SAID = set(UserInput.model_fields)
_EMPTIED = [field.path for field in FIELDS if field.info.default == []]
"""Lists that null empties."""
_TRIES = 20
"""Tries of a change without If-Match, each on the latest version."""


class Writes:
    """Writes one user, on the version that the write was computed from, with its entry in the audit trail."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def erase(
        self,
        condition: Mapping[str, Any],
        author: Author,
        session: AsyncClientSession | None = None,
        *,
        also: Also | None = None,
    ) -> int | None:
        """Delete the user whom the condition finds; the new generation, by which their sessions are ended.

        Their values are removed from the trail, too. LastAdministratorError where nobody else could
        administer.
        """

        async def write(session: AsyncClientSession) -> int | None:
            deleted = await self._records.collection.find_one_and_delete(condition, _ENDED, session=session)
            if deleted is None:
                return None
            if administrators.was_one(deleted):
                await administrators.leave_one(self._records.collection, deleted["_id"], session)
            database = self._records.collection.database
            await forget(database, [deleted["_id"]], session)
            await audit.write.add(
                database, [audit.write.entry(author, "deleted", deleted["_id"])], session, also
            )
            return generation(deleted) + 1

        return await self._records.together(write, session)

    async def write(
        self,
        row: Row,
        values: dict[str, Any],
        author: Author,
        raised: Mapping[str, int] = {},
        *,
        stored: Mapping[str, Any] = {},
        is_verified: bool | None = None,
        differences: Sequence[Mapping[str, Any]] | None = None,
        session: AsyncClientSession | None = None,
        also: Also | None = None,
    ) -> Row | None:
        """The row after the write, or None if its version is no longer the one that was read.

        `stored` has fields that no caller sets (a password hash). `is_verified` says it of the new e-mail;
        otherwise the same one stays verified, and another is not. `differences` are given where the whole row
        was not read. LastAdministratorError where nobody else could administer.
        """
        differing = [name for name in SETTABLE if values[name] != row[name]] if differences is None else ()
        if is_verified is None:
            is_verified = stays_verified(row, values)
        update, words = change(values, raised, is_verified=is_verified, differing=differing)
        update["$set"] |= stored
        loses = administrators.may_administer(row) and not administrators.may_administer(values)

        told = audit.write.differences(_input(row), values) if differences is None else differences
        entry = alteration(row, author, told)
        command = {
            "findAndModify": self._records.collection.name,
            "query": {"_id": row["_id"], "version": row["version"]},
            "update": update,
            "fields": PUBLIC | GENERATION,
            "new": True,
        }
        is_first = session is None and not loses

        async def change_and_tell(session: AsyncClientSession) -> Row:
            users = self._records.collection
            is_going = loses and await administrators.is_one(users, row["_id"], session)
            try:
                reply = await audit.write.change(users, command, entry, session, is_first=is_first)
            except DuplicateKeyError as duplicate:
                raise conflict(duplicate.details) from None
            if is_going:
                await administrators.leave_one(users, row["_id"], session)
            await end_codes(users.database, [row["_id"]] if moves(row, values) else [], session)
            if also is not None:
                await also([entry], session)
            await learnt
            changed: Row = reply["value"]
            return changed

        try:
            async with self._records.learning([words]) as learnt:
                return await self._records.together(change_and_tell, session)
        except audit.write.NothingChangedError:
            return None


class Changes:
    """What callers change of a user."""

    def __init__(self, records: Records, writes: Writes, end: End) -> None:
        self._records = records
        self._writes = writes
        self._end = end

    async def patch(
        self,
        user_id: PydanticObjectId,
        changes: UserPatch,
        versions: AllowedVersions = None,
        *,
        authority: Authority,
        also: Also | None = None,
    ) -> Row:
        """The user after a merge patch (RFC 7396); a patch that changes nothing writes nothing."""
        authority.check_standing(changes)
        values = changes.model_dump(exclude_unset=True)
        return await self._change(
            user_id,
            lambda row: self._records.settle(
                _validated(_merged(_input(row), values), held(row)), row["avatar_url"]
            ),
            versions,
            authority,
            also,
        )

    async def replace(
        self,
        user_id: PydanticObjectId,
        user: UserReplacement,
        versions: AllowedVersions = None,
        *,
        authority: Authority,
        also: Also | None = None,
    ) -> Row:
        """The user after a replacement of all that callers may set."""
        if user.id not in (None, str(user_id)):
            wrong = FieldError("Must be the id in the path, or be left out.", pointer="/id")
            raise InvalidError("The user's id cannot change.", errors=(wrong,))

        def compute(row: Row) -> UserInput:
            authority.check_same_standing(row, user)
            if user.version is not None:
                _check(row["version"], frozenset({user.version}))
            kept = STANDING if not authority.is_admin else STANDING - user.model_fields_set
            whole = user.model_copy(update={name: row[name] for name in kept})
            return self._records.settle(whole, row["avatar_url"])

        return await self._change(user_id, compute, versions, authority, also)

    async def set_avatar(
        self,
        user_id: PydanticObjectId,
        url: str | None,
        versions: AllowedVersions = None,
        *,
        authority: Authority,
    ) -> Row:
        """The user whose picture has this URL from now on; null takes it away, also one from elsewhere."""
        return await self._change(
            user_id,
            lambda row: _validated(_input(row) | {"avatar_url": url}, held(row)),
            versions,
            authority,
        )

    async def delete(
        self,
        user_id: PydanticObjectId,
        versions: AllowedVersions = None,
        *,
        authority: Authority,
        also: Also | None = None,
    ) -> None:
        """Delete a user, and with them all their sessions."""
        condition: dict[str, Any] = {"_id": user_id}
        if versions is not None:
            condition["version"] = {"$in": sorted(versions)}
        if not authority.is_admin:
            condition["scopes"] = {"$ne": ADMIN}
        async with self._end(str(user_id)) as ending:
            ending.generation = await self._writes.erase(condition, authority.author, also=also)
            if ending.generation is not None:
                return
            row = await self._records.read(user_id)
            authority.check_target(row)
            _check(row["version"], versions)
            raise WriteConflictError("Others changed this user at the same time; try again.")

    async def _change(
        self,
        user_id: PydanticObjectId,
        compute: Callable[[Row], UserInput],
        versions: AllowedVersions,
        authority: Authority,
        also: Also | None = None,
    ) -> Row:
        for attempt in range(_TRIES):
            row = await self._records.read(user_id)
            authority.check_target(row)
            _check(row["version"], versions)
            values = compute(row).model_dump(include=_SAID)
            if values == _input(row):
                return row
            authority.check_own(row, values)
            changed = await self._write_by(authority, row, values, also)
            if changed is not None:
                note(row, values, authority)
                return sound(changed)
            await asyncio.sleep(random.random() * 0.005 * attempt)  # noqa: S311 - spreads retries, guards nothing
        raise WriteConflictError("Others kept changing this user; try again.")

    async def _write_by(
        self, authority: Authority, row: Row, values: dict[str, Any], also: Also | None
    ) -> Row | None:
        """Write a change; UniqueConflictError names all fields in conflict, as the caller may read users."""
        try:
            if ends(row, values):
                return await self._write_and_end(row, values, authority.author, also)
            return await self._writes.write(row, values, authority.author, also=also)
        except UniqueConflictError as error:
            if not authority.is_writer:
                raise
            raise await self._records.all_conflicts(error, row["_id"], values | hidden(values)[0]) from None

    async def _write_and_end(
        self, row: Row, values: dict[str, Any], author: Author, also: Also | None
    ) -> Row | None:
        async with self._end(str(row["_id"])) as ending:
            changed = await self._writes.write(row, values, author, RAISED, also=also)
            if changed is not None:
                ending.generation = generation(changed)
        return changed


def note(row: Row, values: dict[str, Any], authority: Authority) -> None:
    """Log each change of the user's rights."""
    about = {"user_id": str(row["_id"]), "by": authority.author.user_id}
    if row["is_active"] != values["is_active"]:
        audit.log.record("user_activated" if values["is_active"] else "user_deactivated", **about)
    if set(row["scopes"]) != set(values["scopes"]):
        audit.log.record("scopes_changed", **about)


def ends(row: Row, values: dict[str, Any]) -> bool:
    """Whether the change ends the user's sessions: it deactivates them, or takes a scope away."""
    return (row["is_active"] and not values["is_active"]) or not set(row["scopes"]) <= set(values["scopes"])


def moves(row: Row, values: Mapping[str, Any]) -> bool:
    """Whether the change gives the user another e-mail, or another spelling of it."""
    return bool(row.get("email") != values["email"])


async def forget(database: Database, ids: Sequence[ObjectId], session: AsyncClientSession) -> None:
    """Delete what belongs to deleted users, and remove their values from the trail."""
    for name, field in OWNED.items():
        await database[name].delete_many({field: {"$in": list(ids)}}, session=session)
    await audit.write.forget(database, list(ids), session)


async def end_codes(database: Database, ids: Sequence[ObjectId], session: AsyncClientSession) -> None:
    """Delete the codes that were mailed to users who get another e-mail: the first would revive them else."""
    if ids:
        ended = {"user": {"$in": list(ids)}, "purpose": {"$ne": _STAYING}}
        await database["mail_codes"].delete_many(ended, session=session)


def alteration(row: Row, author: Author, differences: Sequence[Mapping[str, Any]]) -> Entry:
    """The trail's entry of a change of the user from the row's version to the next."""
    return audit.write.entry(
        author, "changed", row["_id"], version=row["version"] + 1, differences=differences
    )


_STALE = "The user has changed since the version that the request names: read it again."


def _check(version: int, versions: AllowedVersions) -> None:
    if versions is not None and version not in versions:
        raise PreconditionFailedError(_STALE)


def _input(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in UserInput.model_fields}


def _merged(target: Any, changes: Any) -> Any:
    """Merge by RFC 7396, section 2; null stays null, as a stored user has every field."""
    if not isinstance(changes, dict):
        return changes
    kept = target if isinstance(target, dict) else {}
    return kept | {name: _merged(kept.get(name), value) for name, value in changes.items()}


def _validated(merged: dict[str, Any], stored: Held) -> UserInput:
    """The whole user after the patch, in which no required field may be missing."""
    if merged["profile"] is None:
        merged = merged | {"profile": {}}
    for *path, name in _EMPTIED:
        holder = reduce(getitem, path, merged)
        if holder.get(name, ()) is None:
            holder[name] = []
    try:
        return UserInput.model_validate(merged, context=stored)
    except ValidationError as error:
        raise InvalidError(
            "The user would not be valid after this patch.", errors=from_validation(error, merged)
        ) from None

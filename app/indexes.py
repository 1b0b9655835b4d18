"""The users collection in MongoDB: its indexes and its validator, checked and applied."""

from collections.abc import Mapping
from typing import Any

import pymongo
from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import CollectionInvalid, OperationFailure

from app.errors import StartError
from models.user import User
from models.user_schema import VALIDATOR

Database = AsyncDatabase[dict[str, Any]]
_OPTIONS = ("key", "unique", "partialFilterExpression", "sparse", "collation", "hidden", "expireAfterSeconds")
_DUPLICATES = 11_000
_UNAUTHORIZED = 13
_NAMESPACE_EXISTS = 48
_CONFLICTS = frozenset({85, 86})
"""IndexOptionsConflict and IndexKeySpecsConflict: the same keys under another name or with other options."""

_VALIDATION: dict[str, Any] = {
    "validator": VALIDATOR,
    "validationLevel": "strict",
    "validationAction": "error",
}
_WITHOUT: dict[str, Any] = {"validator": None, "validationLevel": "strict", "validationAction": "error"}
"""What MongoDB leaves unsaid."""


def declared() -> dict[str, Mapping[str, Any]]:
    """Every index the code relies on, by name."""
    return {index.document["name"]: index.document for index in User.Settings.indexes}


async def check(database: Database) -> list[str]:
    """What differs from the declaration, a sentence each; nothing when all is well."""
    present = {
        index["name"]: index
        async for index in await database[User.Settings.name].list_indexes()
        if index["name"] != "_id_"
    }
    wanted = declared()
    found = [f"index {name} is missing" for name in wanted if name not in present]
    found += [
        f"index {name} differs: it is {_said(present[name])}, it should be {_said(index)}"
        for name, index in wanted.items()
        if name in present and _said(present[name]) != _said(index)
    ]
    found += [
        f"index {name} is not ours; drop it if nothing else needs it"
        for name in present
        if name not in wanted
    ]
    if await _validation(database) != _VALIDATION:
        found.append("the validator of the collection is missing or old")
    return found


async def apply(database: Database) -> None:
    """Creates what is missing. StartError where an index conflicts, or duplicates forbid a unique one."""
    if not await _validation(database):
        await _create_collection(database)
    if await _validation(database) != _VALIDATION:
        await _change_validator(database)
    present = {index["name"] async for index in await database[User.Settings.name].list_indexes()}
    missing = [index for index in User.Settings.indexes if index.document["name"] not in present]
    if missing:
        await _create_indexes(database, missing)
    differing = [sentence for sentence in await check(database) if "differs" in sentence]
    if differing:
        raise StartError(f"{'; '.join(differing)}: drop it, then run `python -m app indexes apply`.")


async def _create_collection(database: Database) -> None:
    try:
        await database.create_collection(User.Settings.name, **_VALIDATION)
    except CollectionInvalid:
        return
    except OperationFailure as failure:  # another process was quicker
        if failure.code != _NAMESPACE_EXISTS:
            raise


async def _change_validator(database: Database) -> None:
    try:
        await database.command("collMod", User.Settings.name, **_VALIDATION)
    except OperationFailure as failure:
        if failure.code != _UNAUTHORIZED:
            raise
        raise StartError(
            f"MongoDB does not let this user renew the validator: grant it dbAdmin on {database.name}."
        ) from None


async def _create_indexes(database: Database, missing: list[IndexModel]) -> None:
    try:
        with pymongo.timeout(0):  # a build takes as long as the users are many
            await database[User.Settings.name].create_indexes(missing)
    except OperationFailure as failure:
        if failure.code == _DUPLICATES:
            keys = ", ".join((failure.details or {}).get("keyPattern", {})) or "a unique field"
            raise StartError(
                f"Two users share one {keys}: no unique index can be built until one changes."
            ) from None
        if failure.code in _CONFLICTS:
            others = [sentence for sentence in await check(database) if "is not ours" in sentence]
            raise StartError(f"An index stands in the way of ours: {'; '.join(others)}.") from None
        raise StartError(f"MongoDB refused an index: {(failure.details or {}).get('codeName')}.") from None


async def _validation(database: Database) -> Mapping[str, Any]:
    """The validator and how strictly it is applied; empty without the collection."""
    async for collection in await database.list_collections(filter={"name": User.Settings.name}):
        options = collection["options"]
        return {name: options.get(name, default) for name, default in _WITHOUT.items()}
    return {}


def _said(index: Mapping[str, Any]) -> dict[str, Any]:
    return {
        option: dict(index[option]) if option == "key" else index[option]
        for option in _OPTIONS
        if index.get(option) is not None and index[option] is not False
    }

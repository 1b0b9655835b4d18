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
_OPTIONS = ("key", "unique", "partialFilterExpression")
_DUPLICATES = 11_000


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
    if await _validator(database) != VALIDATOR:
        found.append("the validator of the collection is missing or old")
    return found


async def apply(database: Database) -> None:
    """Creates what is missing. StartError where an index conflicts, or duplicates forbid a unique one."""
    try:
        await database.create_collection(User.Settings.name, validator=VALIDATOR)
    except CollectionInvalid:
        if await _validator(database) != VALIDATOR:
            await database.command("collMod", User.Settings.name, validator=VALIDATOR)
    present = {index["name"] async for index in await database[User.Settings.name].list_indexes()}
    missing = [index for index in User.Settings.indexes if index.document["name"] not in present]
    if missing:
        await _create(database, missing)
    differing = [sentence for sentence in await check(database) if "differs" in sentence]
    if differing:
        raise StartError(f"{'; '.join(differing)}: drop it, then run `python -m app indexes apply`.")


async def _create(database: Database, missing: list[IndexModel]) -> None:
    try:
        with pymongo.timeout(0):  # a build takes as long as the users are many
            await database[User.Settings.name].create_indexes(missing)
    except OperationFailure as failure:
        if failure.code == _DUPLICATES:
            keys = ", ".join((failure.details or {}).get("keyPattern", {})) or "a unique field"
            raise StartError(
                f"Two users share one {keys}: no unique index can be built until one changes."
            ) from None
        raise StartError(f"MongoDB refused an index: {(failure.details or {}).get('codeName')}.") from None


async def _validator(database: Database) -> Any:
    async for collection in await database.list_collections(filter={"name": User.Settings.name}):
        return collection["options"].get("validator")
    return None


def _said(index: Mapping[str, Any]) -> dict[str, Any]:
    return {
        option: dict(index[option]) if option == "key" else index[option]
        for option in _OPTIONS
        if index.get(option)
    }

"""The collections in MongoDB: their indexes, and the validator of the users, checked and applied."""

from collections.abc import Mapping, Sequence
from typing import Any

import pymongo
from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

from app.core.errors import StartError
from app.core.mongo import Database
from app.database.driver_errors import DUPLICATE_KEY
from models import file
from models.documents import DOCUMENTS
from models.stored import FOREVER_S
from models.user import User
from models.user_schema import VALIDATOR

_OPTIONS = ("key", "unique", "partialFilterExpression", "sparse", "collation", "hidden", "expireAfterSeconds")
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
"""The options of a collection without a validator, which MongoDB leaves out."""

RETENTION = {"audit": "at", "events": "placed_at"}
"""The index by which documents of a collection expire, after as long as is set (`retain`)."""
_DAY_S = 86_400

DECLARED: Mapping[str, Sequence[IndexModel]] = {
    **{
        settings.name: settings.indexes
        for document in DOCUMENTS
        if hasattr(settings := vars(document)["Settings"], "indexes")
    },
    **file.indexes(),
}
"""Every index the code relies on, by collection."""


def declared(collection: str = User.Settings.name) -> dict[str, Mapping[str, Any]]:
    """The indexes of one collection by name."""
    return {index.document["name"]: index.document for index in DECLARED[collection]}


async def check(database: Database) -> list[str]:
    """A sentence for each difference from the declaration."""
    found = [sentence for name in DECLARED for sentence in await _compare(database, name)]
    if await _validation(database) != _VALIDATION:
        found.append("the validator of the collection is missing or old")
    return found


async def apply(database: Database) -> None:
    """Create what is missing. StartError where an index conflicts, or duplicates prevent a unique one."""
    await apply_validator(database)
    differing: list[str] = []
    for collection, wanted in DECLARED.items():
        present = await _present(database, collection)
        differing += _find_differing(collection, present)
        missing = [index for index in wanted if index.document["name"] not in present]
        if missing:
            await _create_indexes(database, collection, missing)
    if differing:
        raise StartError(f"{'; '.join(differing)}: drop it, then run `python -m app indexes apply`.")


async def apply_validator(database: Database) -> None:
    """Also before migrations, which write users as this release stores them."""
    found = await _validation(database)
    if not found:
        await _create_collection(database)
        found = await _validation(database)  # another process may have been faster
    if found != _VALIDATION:
        await _change_validator(database)


async def retain(database: Database, *, audit_days: int, event_days: int) -> None:
    """Keep the audit trail and the events, old ones included, for so many days; 0 for ever."""
    await _retain(database, "audit", "the audit trail is", audit_days)
    await _retain(database, "events", "events are", event_days)


async def _retain(database: Database, collection: str, what: str, days: int) -> None:
    name, seconds = RETENTION[collection], days * _DAY_S or FOREVER_S
    present = (await _present(database, collection))[name]
    if present.get("expireAfterSeconds") != seconds:
        change = {"index": {"name": name, "expireAfterSeconds": seconds}}
        await _modify(database, collection, f"change how long {what} kept", **change)


async def _compare(database: Database, collection: str) -> list[str]:
    present, wanted = await _present(database, collection), declared(collection)
    found = [f"{_name(collection, name)} is missing" for name in wanted if name not in present]
    found += _find_differing(collection, present)
    found += [
        f"{_name(collection, name)} is not ours; drop it if nothing else needs it"
        for name in present
        if name not in wanted
    ]
    return found


def _find_differing(collection: str, present: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{_name(collection, name)} differs: it is {_said(present[name])}, it should be {_said(index)}"
        for name, index in declared(collection).items()
        if name in present and _said(present[name]) != _said(index)
    ]


async def _present(database: Database, collection: str) -> dict[str, Mapping[str, Any]]:
    indexes = await database[collection].list_indexes()
    return {index["name"]: index async for index in indexes if index["name"] != "_id_"}


def _name(collection: str, index: str) -> str:
    """An index in words; the users' indexes, by far the most, go without their collection's name."""
    return f"index {index}" if collection == User.Settings.name else f"index {index} of {collection}"


async def _create_collection(database: Database) -> None:
    try:
        await database.create_collection(User.Settings.name, **_VALIDATION)
    except CollectionInvalid:
        return
    except OperationFailure as failure:  # another process was faster
        if failure.code != _NAMESPACE_EXISTS:
            raise


async def _change_validator(database: Database) -> None:
    await _modify(database, User.Settings.name, "renew the validator", **_VALIDATION)


async def _modify(database: Database, collection: str, what: str, **change: Any) -> None:
    try:
        await database.command("collMod", collection, **change)
    except OperationFailure as failure:
        if failure.code != _UNAUTHORIZED:
            raise
        raise StartError(
            f"MongoDB does not let this user {what}: grant it dbAdmin on {database.name}."
        ) from None


async def _create_indexes(database: Database, collection: str, missing: list[IndexModel]) -> None:
    try:
        with pymongo.timeout(0):  # a build may take long with many users
            await database[collection].create_indexes(missing)
    except OperationFailure as failure:
        if failure.code == DUPLICATE_KEY:
            keys = ", ".join((failure.details or {}).get("keyPattern", {})) or "a unique field"
            raise StartError(
                f"Two users share one {keys}: no unique index can be built until one changes."
            ) from None
        if failure.code in _CONFLICTS:
            others = [sentence for sentence in await check(database) if "is not ours" in sentence]
            raise StartError(f"An index conflicts with ours: {'; '.join(others)}.") from None
        raise StartError(f"MongoDB refused an index: {(failure.details or {}).get('codeName')}.") from None


async def _validation(database: Database) -> Mapping[str, Any]:
    """The validator and its level and action; empty without the collection."""
    async for collection in await database.list_collections(filter={"name": User.Settings.name}):
        options = collection["options"]
        return {name: options.get(name, default) for name, default in _WITHOUT.items()}
    return {}


def _said(index: Mapping[str, Any]) -> dict[str, Any]:
    return {
        option: dict(index[option]) if option == "key" else index[option]
        for option in _OPTIONS
        if index.get(option) is not None and index[option] is not False and not _is_set(index, option)
    }


def _is_set(index: Mapping[str, Any], option: str) -> bool:
    return option == "expireAfterSeconds" and index["name"] in RETENTION.values()

"""The stored record of a user: built whole from what a caller may say, so that what is hidden never lags."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from app import audit, search
from app.audit.write import Author, Entry
from app.core.clock import now
from app.core.errors import FieldError, UniqueConflictError, UserNotFoundError
from app.core.mongo import BSON, Collection, Row
from app.core.normalise import canonical, email_key, facet, name_key
from app.database import transactions
from app.users.authority import Authority
from app.users.generations import generation_of
from app.users.idempotency import Attempt
from app.users.selections import choose
from models.user import FACETS, KEYS, User, UserInput
from models.user import UNIQUE as UNIQUE_FIELDS

T = TypeVar("T")
AllowedVersions = frozenset[int] | None
"""The versions of which a change must find one (If-Match); None: any."""

UNIQUE = {field.stored_at: field.name for field in UNIQUE_FIELDS}
"""Path of each unique index: the field as its owner knows it."""

SAID = tuple(UserInput.model_fields)
"""What a caller may say of a user."""

PUBLIC, _READER = choose(None)
"""The projection of all that a caller may see of a user, and its reader."""

_NORMALISERS = {"email": email_key, "username": canonical}
"""Of texts that are unique; the sort key of the others ignores accents, too."""
_KEYS = [(field.name, len(field.path) == 1, _NORMALISERS.get(field.name, name_key)) for field in KEYS]
_FACETS = [
    [(field.name, field.called, field.kind.many) for field in FACETS if len(field.path) == depth]
    for depth in (1, 2, 3)
]
"""Of the user, the profile and an address."""
_UNRECORDED = {"last_login_at": None, "last_login_ip": None, "version": 1}
"""What the service records of a user later."""

GENERATION = {"credentials.generation": 1}
"""The projection of what sessions are checked by."""


def generation(row: Row) -> int:
    """Taken out of the row, which goes on to a caller."""
    return generation_of({"credentials": row.pop("credentials", None)})


def collection() -> Collection:
    return User.get_pymongo_collection().with_options(codec_options=BSON)


def record(user: UserInput, **stored: Any) -> User:
    """A new record; `stored` sets what a caller may not say (`scopes`, `created_at`, ...)."""
    fields, words = compose(user.model_dump() | stored)
    new: User = User.model_validate(fields)
    new.words = words
    return new


def compose(said: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bool]]:
    """The fields of a new user of whom a valid input, dumped, says all that a caller may say.

    Beside them the words that the dictionary must know before.
    """
    moment = now()
    fields = {"created_at": moment, "updated_at": moment, **_UNRECORDED} | said
    kept, words = hidden(fields)
    return fields | kept, words


def document(user: User) -> dict[str, Any]:
    """As it is stored, for those who store many at once."""
    stored: dict[str, Any] = {"_id": user.id} | user.model_dump(exclude={"id"})
    return stored


def hidden(said: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bool]]:
    """Normalised keys, facets and what search needs; every write stores them with the fields they come from.

    Beside them the words that the dictionary must know before.
    """
    found = search.index(said)
    kept = {
        "keys": {
            name: key(value) if (value := (said if at_top else said["profile"]).get(name)) else None
            for name, at_top, key in _KEYS
        },
        "facets": list(dict.fromkeys(_facets(said))),
        "search": {"v": search.VERSION, "t": found.t, "p": found.p},
    }
    return kept, found.words


def change(said: dict[str, Any], raised: Mapping[str, int] = {}) -> tuple[dict[str, Any], dict[str, bool]]:
    """The update that makes a stored user what was said, of all he may be said to be.

    Beside it the words that the dictionary must know before.
    """
    kept, words = hidden(said)
    return {"$set": said | {"updated_at": now()} | kept, "$inc": {"version": 1, **raised}}, words


def _facets(said: Mapping[str, Any]) -> Iterator[str]:
    """Once for each user that is written: hence no look at the declaration here."""
    profile = said["profile"]
    for depth, holders in enumerate(((said,), (profile,), profile["addresses"])):
        for holder in holders:
            for name, called, many in _FACETS[depth]:
                value = holder.get(name)
                if many:
                    for each in value or ():
                        yield facet(called, each)
                elif value is not None:
                    yield facet(called, value)


async def create(user: UserInput, authority: Authority, attempt: Attempt | None = None) -> Row:
    """The new user's row. UniqueConflictError names the field whose value another user has.

    Where an earlier attempt created him, he is answered as he is.
    """
    authority.check_standing(user)
    if attempt is not None and (done := attempt.done.get(0)) is not None:
        return await read(PydanticObjectId(done["id"]))
    author = authority.author if attempt is None else attempt.noting(authority.author, lambda _: 0)
    new = record(user)
    try:
        return await insert(new, author)
    except UniqueConflictError as error:
        raise await all_conflicts(error, new.id, document(new)) from None


async def insert(new: User, author: Author, session: AsyncClientSession | None = None) -> Row:
    """The stored user's row, perhaps within a transaction of others; UniqueConflictError as `create`."""
    await learn([new.words])

    async def write(session: AsyncClientSession) -> None:
        try:
            await collection().insert_one(document(new), session=session)
        except DuplicateKeyError as duplicate:
            raise conflict(duplicate.details) from None
        await audit.write.add(
            collection().database,
            author,
            [creation(new.id, new.model_dump(include=set(SAID)), author)],
            session,
        )

    await together(write, session)
    row: Row = {"_id": new.id} | new.model_dump(exclude={"id", "keys", "facets", "search", "credentials"})
    return row


async def together(
    write: Callable[[AsyncClientSession], Awaitable[T]], session: AsyncClientSession | None = None
) -> T:
    """What `write` returns, in the transaction of this session, else in one of its own."""
    if session is not None:
        return await write(session)
    return await transactions.together(collection().database.client, write)


def creation(user_id: ObjectId, said: Mapping[str, Any], author: Author) -> Entry:
    """What the trail says of a new user of whom this was said."""
    return audit.write.entry(
        author, "created", user_id, version=1, differences=audit.write.differences({}, said)
    )


async def learn(users: Iterable[dict[str, bool]]) -> None:
    """Let the dictionary know the words of users before they are written."""
    await search.Dictionary(collection().database).learn(users)


async def read(user_id: PydanticObjectId | ObjectId) -> Row:
    """The user's row as stored. UserNotFoundError without one, or with one that no caller can be given."""
    return sound(await collection().find_one({"_id": user_id}, PUBLIC))


def sound(row: Row | None) -> Row:
    if (found := readable(row)) is None:
        raise UserNotFoundError("There is no user with this id.")
    return found


def readable(row: Row | None) -> Row | None:
    """None also for a row that no caller can be given."""
    return next(iter(_READER.sound([row] if row is not None else [])), None)


def claimed(stored: Row) -> Iterator[tuple[str, str]]:
    """What only this user may have, by the path of its unique index."""
    keys = stored.get("keys") or {}
    for path, value in zip(
        UNIQUE, (keys.get("email"), keys.get("username"), stored.get("phone")), strict=True
    ):
        if isinstance(value, str):
            yield path, value


def conflict(details: Any) -> UniqueConflictError:
    """What a duplicate key error (E11000) means to the caller; the value itself is not repeated."""
    path = next(iter((details or {}).get("keyPattern", {})), "_id")
    return conflict_of([UNIQUE.get(path, "id")])


def conflict_of(fields: Sequence[str]) -> UniqueConflictError:
    detail = f"Another user has this {fields[0]}."
    if len(fields) > 1:
        detail = f"Other users have this {', '.join(fields[:-1])} and {fields[-1]}."
    told = [FieldError(pointer=f"/{name}", detail=f"This {name} belongs to another user.") for name in fields]
    return UniqueConflictError(detail, errors=tuple(told))


async def all_conflicts(found: UniqueConflictError, user_id: ObjectId, stored: Row) -> UniqueConflictError:
    """The conflict found, with all others of the user as stored: for callers who may look anybody up."""
    wanted = dict(claimed(stored))
    either = [{path: {"$eq": value, "$type": "string"}} for path, value in wanted.items()]
    others = (
        await collection().find({"_id": {"$ne": user_id}, "$or": either}, dict.fromkeys(UNIQUE, 1)).to_list()
    )
    taken = {claim for other in others for claim in claimed(other)}
    fields = [UNIQUE[path] for path, value in wanted.items() if (path, value) in taken]
    return conflict_of(fields) if fields else found

"""Stored records of users, built whole from what callers may set, so that derived fields never lag."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from app import audit, search
from app.audit.write import Also, Author, Entry
from app.core.clock import now
from app.core.errors import FieldError, UniqueConflictError, UserNotFoundError
from app.core.mongo import Collection, Row
from app.core.normalise import canonical, email_key, facet, name_key
from app.database import transactions
from app.users import pictures
from app.users.authority import Authority
from app.users.generations import generation_of
from app.users.idempotency import Attempt
from app.users.selections import choose
from models.user import FACETS, KEPT, KEYS, SEARCHED, User, UserInput
from models.user import UNIQUE as UNIQUE_FIELDS

T = TypeVar("T")
AllowedVersions = frozenset[int] | None
"""The versions that a change accepts (If-Match); None: any."""

UNIQUE = {field.stored_at: field.name for field in UNIQUE_FIELDS}
"""The field of each unique index, by the index's path."""

SETTABLE = tuple(UserInput.model_fields)
"""The fields that a caller may set."""

PUBLIC, _READER = choose(None)
"""The projection of all fields that callers may see, and its reader."""

_NORMALISERS = {"email": email_key, "username": canonical}
"""Of texts that are unique; the sort key of the others ignores accents, too."""
_KEYS = [(field.name, len(field.path) == 1, _NORMALISERS.get(field.name, name_key)) for field in KEYS]
_FACETS = [
    [(field.name, field.called, field.kind.many) for field in FACETS if len(field.path) == depth]
    for depth in (1, 2, 3)
]
"""Of the user, the profile and an address."""
_KEYED = {field.path[0] for field in KEYS}
_SEARCHED = _KEYED | {field.path[0] for field in SEARCHED.values()}
"""What search and keys are made of."""
_UNRECORDED = {"last_login_at": None, "last_login_ip": None, "version": 1, **KEPT}
"""What the service records of a user later."""

_HIDDEN = {"keys", "facets", "search", "credentials"}

GENERATION = {"credentials.generation": 1}
"""The projection of the sessions' generation."""


def generation(row: Row) -> int:
    """The generation, taken out of a row that will be sent to a caller."""
    return generation_of({"credentials": row.pop("credentials", None)})


def record(user: UserInput, **stored: Any) -> User:
    """A new record; `stored` sets fields that callers may not set (`created_at`, ...)."""
    fields, words = compose(user.model_dump() | stored)
    new: User = User.model_validate(fields)
    new.words = words
    return new


def compose(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bool]]:
    """The stored fields of a new user, from a valid input dumped.

    And the words that the dictionary must have first.
    """
    moment = now()
    fields = {"created_at": moment, "updated_at": moment, **_UNRECORDED} | values
    kept, words = hidden(fields)
    return fields | kept, words


def document(user: User) -> dict[str, Any]:
    """The record as a document, for bulk inserts."""
    stored: dict[str, Any] = {"_id": user.id} | user.model_dump(exclude={"id"})
    return stored


def hidden(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bool]]:
    """The derived fields (normalised keys, facets, search), which every write stores with their sources.

    And the words that the dictionary must have first.
    """
    found = search.index(values)
    return normalised(values) | {"search": {"v": search.VERSION, "t": found.t, "p": found.p}}, found.words


def normalised(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keys and facets, by which users are sorted and filtered."""
    keys = {
        name: key(value) if (value := (values if at_top else values["profile"]).get(name)) else None
        for name, at_top, key in _KEYS
    }
    return {"keys": keys, "facets": list(dict.fromkeys(_facets(values)))}


def change(
    values: Mapping[str, Any],
    raised: Mapping[str, int] = {},
    *,
    is_verified: bool,
    differing: Iterable[str] = (),
    is_learnt: bool = False,
) -> tuple[dict[str, Any], dict[str, bool]]:
    """The update that sets all fields that callers may set, and whether the e-mail is verified.

    And the words that the dictionary must have first. `differing`: the fields that differ from the stored
    ones, where that is known: the search fields are not made anew where none of these is searched. The others
    are written, too, as a row that another program stored may lack them, and the validator then refuses all.
    `is_learnt`: the dictionary has the words of those others.
    """
    values = {**values, "email_verified": is_verified}
    changing = set(differing) or set(values)
    derived, words = (normalised(values), {}) if changing.isdisjoint(_SEARCHED) else hidden(values)
    if words and is_learnt:
        words = search.index({name: values[name] for name in changing}).words
    written = values | derived | {"updated_at": now()}
    return {"$set": written, "$inc": {"version": 1, **raised}}, words


def stays_verified(before: Row, values: Mapping[str, Any]) -> bool:
    """Whether a verified e-mail is still the same: in another spelling, mail may reach somebody else."""
    return bool(before.get("email_verified") and before["email"] == values["email"])


def _facets(values: Mapping[str, Any]) -> Iterator[str]:
    """Once for each user that is written: hence no look at the declaration here."""
    profile = values["profile"]
    for depth, holders in enumerate(((values,), (profile,), profile["addresses"])):
        for holder in holders:
            for name, called, many in _FACETS[depth]:
                value = holder.get(name)
                if many:
                    for each in value or ():
                        yield facet(called, each)
                elif value is not None:
                    yield facet(called, value)


class Records:
    """The stored users: read, and inserted with all that belongs to a user."""

    def __init__(self, collection: Collection, base: str = "") -> None:
        self.collection = collection
        self._base = base
        self._dictionary = search.Dictionary(collection.database)

    async def create(self, user: UserInput, authority: Authority, attempt: Attempt | None = None) -> Row:
        """The new user's row. UniqueConflictError names the field whose value another user has.

        A user whom an earlier attempt created is returned as they are now.
        """
        authority.check_standing(user)
        if attempt is not None and (done := attempt.done.get(0)) is not None:
            return await self.read(PydanticObjectId(done["id"]))
        also = None if attempt is None else attempt.noting(lambda _: 0)
        new = record(self.settle(user))
        try:
            return await self.insert(new, authority.author, also=also)
        except UniqueConflictError as error:
            raise await self.all_conflicts(error, new.id, document(new)) from None

    async def insert(
        self,
        new: User,
        author: Author,
        session: AsyncClientSession | None = None,
        *,
        also: Also | None = None,
    ) -> Row:
        """Insert a user, perhaps within a session's transaction; the row. UniqueConflictError as `create`."""
        stored = document(new)
        entry = creation(new.id, {name: stored[name] for name in SETTABLE}, author)
        command = {"insert": self.collection.name, "documents": [stored]}
        is_first = session is None

        async def write(session: AsyncClientSession) -> None:
            try:
                await audit.write.change(self.collection, command, entry, session, is_first=is_first)
            except DuplicateKeyError as duplicate:
                raise conflict(duplicate.details) from None
            if also is not None:
                await also([entry], session)
            await learnt  # nobody finds the user before the commit

        async with self.learning([new.words]) as learnt:
            await self.together(write, session)
        return {name: value for name, value in stored.items() if name not in _HIDDEN}

    async def together(
        self, write: Callable[[AsyncClientSession], Awaitable[T]], session: AsyncClientSession | None = None
    ) -> T:
        """The result of `write`, in the transaction of this session or in its own."""
        if session is not None:
            return await write(session)
        return await transactions.together(self.collection.database.client, write)

    def settle(self, user: UserInput, stored: str | None = None) -> UserInput:
        """The user with the `avatar_url` to store, which a URL of our own pictures does not change."""
        url = pictures.settle(user.avatar_url, stored, self._base)
        return user if url == user.avatar_url else user.model_copy(update={"avatar_url": url})

    def learning(self, users: Iterable[dict[str, bool]]) -> AbstractAsyncContextManager[Awaitable[None]]:
        """Learn the words of users beside their write, which awaits this before it commits."""
        return self._dictionary.learning(users)

    async def learn(self, users: Iterable[dict[str, bool]]) -> None:
        """Put the words of users into the dictionary, before the users are written."""
        await self._dictionary.learn(users)

    async def read(self, user_id: PydanticObjectId | ObjectId) -> Row:
        """The user's row. UserNotFoundError if there is none, or a malformed one."""
        return await read(self.collection, user_id)

    async def all_conflicts(
        self, found: UniqueConflictError, user_id: ObjectId, stored: Row
    ) -> UniqueConflictError:
        """All conflicts of the user, not only the one found, for callers who may look up any user."""
        fields = await self.find_taken(user_id, stored)
        return conflict_of(fields) if fields else found

    async def find_taken(self, user_id: ObjectId, stored: Row) -> list[str]:
        """The unique fields of the user whose values others have."""
        wanted = dict(claimed(stored))
        either = [{path: {"$eq": value, "$type": "string"}} for path, value in wanted.items()]
        others = await self.collection.find(
            {"_id": {"$ne": user_id}, "$or": either}, dict.fromkeys(UNIQUE, 1)
        ).to_list()
        taken = {claim for other in others for claim in claimed(other)}
        return [UNIQUE[path] for path, value in wanted.items() if (path, value) in taken]


def creation(user_id: ObjectId, values: Mapping[str, Any], author: Author) -> Entry:
    """The trail's entry of a new user."""
    return audit.write.entry(
        author, "created", user_id, version=1, differences=audit.write.differences({}, values)
    )


async def read(users: Collection, user_id: ObjectId) -> Row:
    return sound(await users.find_one({"_id": user_id}, PUBLIC))


def sound(row: Row | None) -> Row:
    if (found := readable(row)) is None:
        raise UserNotFoundError("There is no user with this id.")
    return found


def readable(row: Row | None) -> Row | None:
    """The row, or None where it is missing or malformed."""
    return next(iter(_READER.sound([row] if row is not None else [])), None)


def claimed(stored: Row) -> Iterator[tuple[str, str]]:
    """The user's unique values, by the path of the index."""
    keys = stored.get("keys") or {}
    for path, value in zip(
        UNIQUE, (keys.get("email"), keys.get("username"), stored.get("phone")), strict=True
    ):
        if isinstance(value, str):
            yield path, value


def conflict(details: Any) -> UniqueConflictError:
    """The conflict of a duplicate key error (E11000); it does not repeat the value."""
    path = next(iter((details or {}).get("keyPattern", {})), "_id")
    return conflict_of([UNIQUE.get(path, "id")])


def conflict_of(fields: Sequence[str]) -> UniqueConflictError:
    detail = f"Another user has this {fields[0]}."
    if len(fields) > 1:
        detail = f"Other users have this {', '.join(fields[:-1])} and {fields[-1]}."
    told = [FieldError(pointer=f"/{name}", detail=f"This {name} belongs to another user.") for name in fields]
    return UniqueConflictError(detail, errors=tuple(told))

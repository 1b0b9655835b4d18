"""What `app.users` does with rows, on mongomock; races and indexes are the integration tier's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from beanie import PydanticObjectId, init_beanie
from bson import ObjectId
from pydantic import ValidationError
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError

from app.audit.write import COMMAND_LINE
from app.core.errors import (
    InsufficientScopeError,
    PreconditionFailedError,
    UniqueConflictError,
    UserNotFoundError,
    WriteConflictError,
)
from app.users import Authority, Users, changes, user_records
from app.users.batches import Batches, Result
from app.users.changes import Changes, Writes
from app.users.generations import Ending
from models.user import EXAMPLE_INPUT, User, UserInput, UserPatch, UserReplacement
from models.values import ALL_SCOPES, DEFAULT_SCOPES
from tests.support.mongomock_adapter import open_database
from tests.support.users import NOBODY, person

MISSING = PydanticObjectId(NOBODY)


@asynccontextmanager
async def unwatched(_: str) -> AsyncIterator[Ending]:
    """In the place of `Sessions.ending`: this tier has no Redis, and so no sessions to end."""
    yield Ending()


@asynccontextmanager
async def unwatched_all(ids: Sequence[str]) -> AsyncIterator[Mapping[str, Ending]]:
    """The same of several users."""
    yield {user_id: Ending() for user_id in ids}


ANYONE = Authority(frozenset(ALL_SCOPES), COMMAND_LINE)
WRITER = Authority(frozenset(ALL_SCOPES) - {"users:admin"}, COMMAND_LINE)


@pytest.fixture(autouse=True)
async def stored() -> Any:
    """An empty collection with the one index that mongomock understands."""
    database = open_database()
    await init_beanie(database, document_models=[User], skip_indexes=True)
    collection: Any = User.get_pymongo_collection()
    await collection.create_index("keys.email", unique=True)
    return collection


@pytest.fixture
def users(stored: Any) -> Users:
    return Users(stored, unwatched, unwatched_all)


def said(**more: Any) -> UserInput:
    return UserInput.model_validate(person(**more))


def replacement(**more: Any) -> UserReplacement:
    return UserReplacement.model_validate(person(**more))


def patch_of(**fields: Any) -> UserPatch:
    return UserPatch.model_validate(fields)


async def test_a_record_holds_what_was_said_and_what_is_hidden() -> None:
    record = user_records.record(
        UserInput.model_validate(EXAMPLE_INPUT | {"tags": ["A", "a ", "B"], "username": "Zoë"})
    )
    keys = record.keys.model_dump()
    assert keys == dict.fromkeys(keys) | {
        "email": "xiaozhong@example.com",
        "username": "zoë",
        "name": "xiao zhong tong xue",
    }
    assert record.facets == [
        "is_active:true",
        "email_verified:false",
        "tag:a",
        "tag:b",
        "scope:me",
        "city:北京",
        "country:中国",
    ]
    assert record.version == 1
    assert tuple(record.scopes) == DEFAULT_SCOPES
    assert record.created_at == record.updated_at
    assert record.created_at.microsecond % 1000 == 0


async def test_what_no_caller_may_say_is_set_by_name() -> None:
    record = user_records.record(said(), scopes=["users:read"], is_active=False)
    assert record.scopes == ["users:read"]
    assert record.facets == ["is_active:false", "email_verified:false", "scope:users:read"]


async def test_a_created_user_is_read_back(users: Users, stored: Any) -> None:
    row = await users.create(said(name="Ana", profile={"age": 30}), ANYONE)
    assert await users.read(row["_id"]) == row | {"created_at": _naive(row), "updated_at": _naive(row)}
    assert set(row) & {"keys", "facets"} == set()
    assert set(await stored.find_one({})) >= {"keys", "facets"}


def _naive(row: dict[str, Any]) -> Any:
    return row["created_at"].replace(tzinfo=None)


async def test_a_user_who_does_not_exist_is_not_found(users: Users) -> None:
    for attempt in (
        users.read(MISSING),
        users.patch(MISSING, patch_of(name="x"), authority=ANYONE),
        users.replace(MISSING, replacement(), authority=ANYONE),
        users.delete(MISSING, authority=ANYONE),
        users.delete(MISSING, frozenset({1}), authority=ANYONE),
    ):
        with pytest.raises(UserNotFoundError):
            await attempt


async def test_a_duplicate_names_its_field_and_not_its_value(users: Users) -> None:
    await users.create(said(email="ana@example.com"), ANYONE)
    with pytest.raises(UniqueConflictError) as refused:
        await users.create(said(email="ANA@example.com"), ANYONE)
    assert "ana" not in refused.value.detail.lower()


@pytest.mark.parametrize(
    ("path", "field"),
    [("keys.email", "email"), ("keys.username", "username"), ("phone", "phone"), ("other", "id")],
)
def test_each_unique_index_stands_for_a_field(path: str, field: str) -> None:
    details = {"keyPattern": {path: 1}, "keyValue": {path: "SECRET"}}
    error = user_records.conflict(DuplicateKeyError("E11000", 11000, details).details)
    assert [(bad.pointer, "SECRET" in bad.detail) for bad in error.errors] == [(f"/{field}", False)]


async def test_a_conflict_without_details_is_still_a_conflict() -> None:
    assert user_records.conflict(None).status == 409


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # the examples of RFC 7396, appendix A, with null kept, as our rows name every field
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"a": None, "b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d", "c": None}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {"ccc": None}}}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_merging_follows_the_rfc(target: Any, patch: Any, result: Any) -> None:
    assert changes._merged(target, patch) == result


async def test_a_patch_raises_the_version_and_rewrites_what_is_hidden(users: Users, stored: Any) -> None:
    row = await users.create(said(name="Ana", tags=["a"]), ANYONE)
    changed = await users.patch(
        row["_id"], patch_of(name="Éva", tags=["b"]), frozenset({1}), authority=ANYONE
    )
    assert (changed["name"], changed["tags"], changed["version"]) == ("Éva", ["b"], 2)
    kept = await stored.find_one({})
    assert kept["keys"]["name"] == "eva"
    assert kept["facets"] == ["is_active:true", "email_verified:false", "tag:b", "scope:me"]


async def test_a_patch_that_changes_nothing_does_not_write(
    users: Users, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await users.create(said(name="Ana"), ANYONE)
    monkeypatch.setattr(Writes, "write", None)  # would fail if called
    assert (await users.patch(row["_id"], patch_of(name="Ana", username=""), authority=ANYONE))[
        "version"
    ] == 1
    assert (
        await users.replace(row["_id"], UserReplacement(name="Ana", email=row["email"]), authority=ANYONE)
    )["version"] == 1
    assert await stored.count_documents({"version": 1}) == 1


async def test_a_stale_version_is_refused_by_every_change(users: Users, stored: Any) -> None:
    row = await users.create(said(), ANYONE)
    for versions in (frozenset({2}), frozenset[int](), frozenset({0, 5})):
        for attempt in (
            users.patch(row["_id"], patch_of(name="x"), versions, authority=ANYONE),
            users.replace(row["_id"], replacement(), versions, authority=ANYONE),
            users.delete(row["_id"], versions, authority=ANYONE),
        ):
            with pytest.raises(PreconditionFailedError):
                await attempt
    assert await stored.count_documents({"version": 1}) == 1


def test_what_is_needed_cannot_be_patched_away() -> None:
    with pytest.raises(ValidationError) as refused:
        patch_of(name=None, email=None)
    assert {bad["loc"] for bad in refused.value.errors()} == {("name",), ("email",)}


async def test_a_change_is_computed_again_on_what_a_rival_left(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await users.create(said(profile={"age": 1}), ANYONE)
    write, rivals = Writes.write, 3

    async def write_after_a_rival(self: Writes, read: Any, wanted: Any, author: Any, **_: Any) -> Any:
        nonlocal rivals
        if rivals:
            rivals -= 1
            rival = dict(read)
            await write(self, rival, changes._input(rival) | {"name": f"rival {rivals}"}, author)
        return await write(self, read, wanted, author)

    monkeypatch.setattr(Writes, "write", write_after_a_rival)
    changed = await users.patch(row["_id"], patch_of(profile={"age": 2}), authority=ANYONE)
    assert (changed["name"], changed["profile"]["age"], changed["version"]) == ("rival 0", 2, 5)


async def test_a_change_that_never_wins_says_so(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lose(*_: Any, **__: Any) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(Writes, "write", lose)
    row = await users.create(said(), ANYONE)
    with pytest.raises(WriteConflictError):
        await users.patch(row["_id"], patch_of(name="x"), authority=ANYONE)


async def test_a_batch_answers_each_operation(users: Users) -> None:
    row = await users.create(said(), ANYONE)
    user_id = str(row["_id"])
    results = await users.apply(
        [
            {"op": "create", "user": person()},
            {"op": "create", "user": person()},
            {"op": "update", "id": user_id, "patch": {"name": "x"}, "version": 1},
            {"op": "update", "id": user_id, "patch": {"name": "y"}, "version": 1},
            {"op": "create", "user": {}},
            {"op": "delete", "id": user_id.upper()},
            {"op": "delete", "id": user_id},
            7,
        ],
        ANYONE,
    )
    assert [result.status for result in results] == [201, 201, 200, 412, 422, 204, 404, 422]
    assert [result.version for result in results] == [1, 1, 2, None, None, None, None, None]
    assert results[5].id == user_id


async def test_neighbouring_creates_go_together_and_nothing_else(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    async def insert(_: Batches, users: Any, *__: Any) -> None:
        sizes.append(len(users))

    monkeypatch.setattr(Batches, "_insert", insert)
    create = {"op": "create", "user": person()}
    delete = {"op": "delete", "id": NOBODY}
    operations = [create, delete, create, create, delete, delete, *[create] * 251]
    results = await users.apply(operations, ANYONE)
    assert sizes == [1, 2, 250, 1], "of more than 250 the next transaction takes the rest"
    assert [result.status for result in results] == [201, 404, 201, 201, 404, 404, *[201] * 251]


def _bulk(write: dict[str, Any]) -> BulkWriteError:
    return BulkWriteError({"writeErrors": [write]})


@pytest.mark.parametrize(
    ("failure", "is_stored", "expected"),
    [
        (_bulk({"index": 1, "code": 11000, "keyPattern": {"phone": 1}}), False, [201, 409, 201]),
        (_bulk({"index": 0, "code": 11602}), False, [503, 503, 503]),
        (AutoReconnect("gone"), False, [503, 503, 503]),
        (AutoReconnect("gone after the commit"), True, [201, 201, 201]),
    ],
)
async def test_a_failed_insert_is_told_for_each_user(
    users: Users,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    is_stored: bool,  # noqa: FBT001 - a case of the table
    expected: list[int],
) -> None:
    insert, failures = Batches._insert, [failure]

    async def fail_once(*given: Any) -> None:
        if is_stored or not failures:
            await insert(*given)
        if failures:
            raise failures.pop()

    monkeypatch.setattr(Batches, "_insert", fail_once)
    results = await users.apply([{"op": "create", "user": person()} for _ in range(3)], ANYONE)
    assert [result.status for result in results] == expected
    assert all((result.error is None) == (result.status == 201) for result in results)


async def test_after_the_first_unanswered_operation_no_other_is_tried(
    users: Users,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = 0

    async def fail(*_: Any, **__: Any) -> Result:
        nonlocal tried
        tried += 1
        raise AutoReconnect("gone")

    monkeypatch.setattr(Changes, "delete", fail)
    delete = {"op": "delete", "id": str(ObjectId())}
    results = await users.apply([delete, delete, {"op": "create", "user": person()}, "bad", delete], ANYONE)
    assert [result.status for result in results] == [503, 503, 503, 422, 503]
    assert tried == 1


# --- on whose behalf ---


async def everyone(stored: Any) -> list[dict[str, Any]]:
    return [row async for row in stored.find({}).sort("_id", 1)]


@pytest.mark.parametrize(
    ("standing", "named"),
    [
        ({"scopes": ["me"]}, "scopes"),  # what they would have anyway is refused too, but for a replacement
        ({"scopes": ["users:admin"]}, "scopes"),
        ({"is_active": True}, "is_active"),
        ({"is_active": False, "scopes": []}, "is_active and scopes"),
    ],
)
async def test_scopes_and_activation_are_for_administrators_to_say(
    users: Users, stored: Any, standing: dict[str, Any], named: str
) -> None:
    row = await users.create(said(), ANYONE)
    before = await everyone(stored)
    attempts: list[Awaitable[Any]] = [
        users.create(said(**standing), WRITER),
        users.patch(row["_id"], patch_of(name="x", **standing), authority=WRITER),
    ]
    if any(row[name] != value for name, value in standing.items()):
        attempts.append(users.replace(row["_id"], replacement(**standing), authority=WRITER))
    for attempt in attempts:
        with pytest.raises(InsufficientScopeError) as refused:
            await attempt
        assert refused.value.detail == f"Only users:admin may set {named}."
        assert 'scope="users:admin"' in refused.value.headers["WWW-Authenticate"]
    assert await everyone(stored) == before


async def test_an_administrator_says_scopes_and_activation_everywhere(users: Users, stored: Any) -> None:
    row = await users.create(said(scopes=["users:read"], is_active=False), ANYONE)
    assert (row["scopes"], row["is_active"]) == (["users:read"], False)
    row = await users.patch(row["_id"], patch_of(scopes=["me", "users:read"]), authority=ANYONE)
    assert (row["scopes"], row["is_active"]) == (["me", "users:read"], False)
    row = await users.replace(
        row["_id"], replacement(email=row["email"], scopes=["me"], is_active=True), authority=ANYONE
    )
    assert (row["scopes"], row["is_active"]) == (["me"], True)
    assert (await stored.find_one({}))["facets"] == ["is_active:true", "email_verified:false", "scope:me"]


@pytest.mark.parametrize("authority", [ANYONE, WRITER])
async def test_a_replacement_that_says_nothing_of_them_keeps_scopes_and_activation(
    users: Users, stored: Any, authority: Authority
) -> None:
    row = await users.create(said(scopes=["me", "users:read"], is_active=False), ANYONE)
    row = await users.replace(row["_id"], replacement(email=row["email"], name="x"), authority=authority)
    assert (row["name"], row["scopes"], row["is_active"]) == ("x", ["me", "users:read"], False)
    assert (await stored.find_one({}))["facets"] == [
        "is_active:false",
        "email_verified:false",
        "scope:me",
        "scope:users:read",
    ]


async def test_in_a_batch_each_is_refused_alone_and_the_rest_is_done(
    users: Users, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    insert = Batches._insert

    async def count(self: Batches, users: Any, *given: Any) -> None:
        sizes.append(len(users))
        await insert(self, users, *given)

    monkeypatch.setattr(Batches, "_insert", count)
    row, admin = await users.create(said(), ANYONE), await users.create(said(scopes=["users:admin"]), ANYONE)
    results = await users.apply(
        [
            {"op": "create", "user": person()},
            {"op": "create", "user": person(scopes=["users:admin"])},
            {"op": "create", "user": person()},
            {"op": "update", "id": str(row["_id"]), "patch": {"is_active": False}},
            {"op": "update", "id": str(row["_id"]), "patch": {"name": "x"}},
            {"op": "update", "id": str(admin["_id"]), "patch": {"name": "x"}},
            {"op": "delete", "id": str(admin["_id"])},
            {"op": "delete", "id": str(row["_id"])},
        ],
        WRITER,
    )
    assert [result.status for result in results] == [201, 403, 201, 403, 200, 403, 403, 204]
    assert [type(result.error) for result in results if result.status == 403] == [InsufficientScopeError] * 4
    assert sizes == [1, 1]
    assert [(kept["name"], kept["scopes"]) for kept in await everyone(stored)] == [
        ("Ana", ["users:admin"]),
        ("Ana", ["me"]),
        ("Ana", ["me"]),
    ]


async def test_an_administrator_is_changed_and_deleted_by_administrators_only(
    users: Users, stored: Any
) -> None:
    row = await users.create(said(scopes=["me", "users:admin"]), ANYONE)
    before = await everyone(stored)
    for attempt in (
        users.patch(row["_id"], patch_of(email="mine@example.com"), authority=WRITER),
        users.patch(row["_id"], patch_of(), frozenset({9}), authority=WRITER),
        users.replace(row["_id"], replacement(), authority=WRITER),
        users.delete(row["_id"], authority=WRITER),
        users.delete(row["_id"], frozenset({1}), authority=WRITER),
    ):
        with pytest.raises(InsufficientScopeError) as refused:
            await attempt
        assert refused.value.detail == "Only an administrator may change an administrator."
    assert await everyone(stored) == before
    await users.patch(row["_id"], patch_of(name="x"), authority=ANYONE)
    await users.delete(row["_id"], authority=ANYONE)
    assert await everyone(stored) == []


# --- whose sessions end ---


class Watched:
    """In the place of `Sessions.ending`: remembers each end and what it was told."""

    def __init__(self, stored: Any) -> None:
        self.endings: list[tuple[str, int | None]] = []
        self.users = Users(stored, self.ending, unwatched_all)

    @asynccontextmanager
    async def ending(self, user_id: str) -> AsyncIterator[Ending]:
        ending = Ending()
        try:
            yield ending
        finally:
            self.endings.append((user_id, ending.generation))


@pytest.mark.parametrize(
    "patch",
    [
        {"is_active": False},
        {"scopes": ["me"]},
        {"scopes": ["users:read", "users:write"]},
        {"scopes": [], "is_active": False},
    ],
)
async def test_deactivation_and_a_lost_scope_end_all_sessions_with_the_write(
    users: Users, stored: Any, patch: dict[str, Any]
) -> None:
    watched = Watched(stored)
    row = await users.create(said(scopes=["me", "users:read"]), ANYONE)
    user_id = str(row["_id"])
    changed = await watched.users.patch(row["_id"], patch_of(**patch), authority=ANYONE)
    assert (await stored.find_one({}))["credentials"]["generation"] == 1
    assert watched.endings == [(user_id, 1)]
    assert "credentials" not in changed
    back = patch_of(is_active=True, scopes=["me", "users:read", "users:write"])
    await watched.users.patch(row["_id"], back, authority=ANYONE)
    lost = replacement(email=row["email"], scopes=["me"], is_active=True)
    await watched.users.replace(row["_id"], lost, authority=ANYONE)
    assert watched.endings == [(user_id, 1), (user_id, 2)]
    assert (await stored.find_one({}))["credentials"]["generation"] == 2


@pytest.mark.parametrize(
    "patch",
    [
        {"name": "x", "email": "other@example.com", "tags": ["a"]},
        {"scopes": ["me", "users:read", "users:admin"]},
        {"scopes": ["users:read", "me"]},  # the same in another order
        {"is_active": True},
    ],
)
async def test_no_other_change_ends_a_session(users: Users, stored: Any, patch: dict[str, Any]) -> None:
    watched = Watched(stored)
    row = await users.create(said(scopes=["me", "users:read"]), ANYONE)
    await watched.users.patch(row["_id"], patch_of(**patch), authority=ANYONE)
    await users.patch(row["_id"], patch_of(is_active=False), authority=ANYONE)
    await watched.users.patch(row["_id"], patch_of(is_active=True), authority=ANYONE)
    assert watched.endings == []
    assert (await stored.find_one({}))["credentials"]["generation"] == 1


async def test_an_end_that_lost_its_race_reports_no_generation(
    users: Users, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(stored)
    row = await users.create(said(), ANYONE)
    write = Writes.write
    rivals: list[dict[str, Any]] = [{"name": "rival"}, {"is_active": False}]

    async def write_after_a_rival(
        self: Writes,
        read: Any,
        wanted: Any,
        author: Any,
        raised: Any = {},  # noqa: B006 - as `write`
        **_: Any,
    ) -> Any:
        if rivals:
            await write(self, dict(read), changes._input(read) | rivals.pop(0), author)
        return await write(self, read, wanted, author, raised)

    monkeypatch.setattr(Writes, "write", write_after_a_rival)
    changed = await watched.users.patch(row["_id"], patch_of(is_active=False), authority=ANYONE)
    assert changed["version"] == 3, "both rivals' writes, and none of ours, which the second had done"
    assert watched.endings == [(str(row["_id"]), None)] * 2
    assert (await stored.find_one({}))["credentials"]["generation"] == 0


async def test_a_write_that_is_refused_reports_no_generation(users: Users, stored: Any) -> None:
    watched = Watched(stored)
    await users.create(said(email="taken@example.com"), ANYONE)
    row = await users.create(said(), ANYONE)
    clash = patch_of(is_active=False, email="taken@example.com")
    with pytest.raises(UniqueConflictError):
        await watched.users.patch(row["_id"], clash, authority=ANYONE)
    assert watched.endings == [(str(row["_id"]), None)]
    assert (await stored.find_one({"_id": row["_id"]}))["credentials"]["generation"] == 0


async def test_a_deletion_reports_a_generation_that_nobody_has(users: Users, stored: Any) -> None:
    watched = Watched(stored)
    row = await users.create(said(), ANYONE)
    user_id = str(row["_id"])
    await watched.users.patch(row["_id"], patch_of(is_active=False), authority=ANYONE)
    for attempt, expected in (
        (watched.users.delete(row["_id"], frozenset({1}), authority=ANYONE), PreconditionFailedError),
        (watched.users.delete(MISSING, authority=ANYONE), UserNotFoundError),
    ):
        with pytest.raises(expected):
            await attempt
    await watched.users.delete(row["_id"], authority=ANYONE)
    assert watched.endings == [(user_id, 1), (user_id, None), (str(MISSING), None), (user_id, 2)]
    assert await stored.count_documents({}) == 0


async def test_a_deletion_whose_rival_was_quicker_says_so(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await users.create(said(), ANYONE)
    found = await users.read(row["_id"])
    await users.patch(row["_id"], patch_of(name="x"), authority=ANYONE)

    async def read_before_the_rival(*_: Any) -> Any:
        return dict(found)

    monkeypatch.setattr(user_records.Records, "read", read_before_the_rival)
    with pytest.raises(WriteConflictError):
        await users.delete(row["_id"], frozenset({1}), authority=ANYONE)

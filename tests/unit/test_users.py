"""What `app.users` does with rows, on mongomock; races and indexes are the integration tier's."""

import asyncio
from typing import Any

import pytest
from beanie import PydanticObjectId, init_beanie
from bson import ObjectId
from pydantic import ValidationError
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError

from app import users
from app.errors import (
    PreconditionFailedError,
    UniqueConflictError,
    UserNotFoundError,
    WriteConflictError,
)
from app.users import changes, records
from app.users.batches import Result
from models.user import EXAMPLE_INPUT, User, UserInput, UserPatch
from models.values import DEFAULT_SCOPES
from tests.mongomock_adapter import open_database
from tests.support import NOBODY, person

MISSING = PydanticObjectId(NOBODY)


@pytest.fixture(autouse=True)
async def stored() -> Any:
    """An empty collection with the one index that mongomock understands."""
    database = open_database()
    await init_beanie(database, document_models=[User], skip_indexes=True)
    collection: Any = User.get_pymongo_collection()
    await collection.create_index("keys.email", unique=True)
    return collection


def said(**more: Any) -> UserInput:
    return UserInput.model_validate(person(**more))


def patch_of(**fields: Any) -> UserPatch:
    return UserPatch.model_validate(fields)


async def test_a_record_holds_what_was_said_and_what_is_hidden() -> None:
    record = users.record(
        UserInput.model_validate(EXAMPLE_INPUT | {"tags": ["A", "a ", "B"], "username": "Zoë"})
    )
    assert record.keys.model_dump() == {
        "email": "xiaozhong@example.com",
        "username": "zoë",
        "name": "xiao zhong tong xue",
    }
    assert record.facets == ["is_active:true", "tag:a", "tag:b", "scope:me", "city:北京", "country:中国"]
    assert record.version == 1
    assert tuple(record.scopes) == DEFAULT_SCOPES
    assert record.created_at == record.updated_at
    assert record.created_at.microsecond % 1000 == 0


async def test_what_no_caller_may_say_is_set_by_name() -> None:
    record = users.record(said(), scopes=["users:read"], is_active=False)
    assert record.scopes == ["users:read"]
    assert record.facets == ["is_active:false", "scope:users:read"]


async def test_a_created_user_is_read_back(stored: Any) -> None:
    row = await users.create(said(name="Ana", profile={"age": 30}), ANYONE)
    assert await users.read(row["_id"]) == row | {"created_at": _naive(row), "updated_at": _naive(row)}
    assert set(row) & {"keys", "facets"} == set()
    assert set(await stored.find_one({})) >= {"keys", "facets"}


def _naive(row: dict[str, Any]) -> Any:
    return row["created_at"].replace(tzinfo=None)


async def test_who_is_not_there_is_said_not_to_be() -> None:
    for attempt in (
        users.read(MISSING),
        users.patch(MISSING, patch_of(name="x"), authority=ANYONE),
        users.replace(MISSING, said(), authority=ANYONE),
        users.delete(MISSING, authority=ANYONE),
        users.delete(MISSING, frozenset({1}), authority=ANYONE),
    ):
        with pytest.raises(UserNotFoundError):
            await attempt


async def test_a_duplicate_names_its_field_and_not_its_value() -> None:
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
    error = records.conflict(DuplicateKeyError("E11000", 11000, details).details)
    assert [(bad.pointer, "SECRET" in bad.detail) for bad in error.errors] == [(f"/{field}", False)]


async def test_a_conflict_without_details_is_still_a_conflict() -> None:
    assert records.conflict(None).status == 409


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


async def test_a_patch_raises_the_version_and_rewrites_what_is_hidden(stored: Any) -> None:
    row = await users.create(said(name="Ana", tags=["a"]), ANYONE)
    changed = await users.patch(
        row["_id"], patch_of(name="Éva", tags=["b"]), frozenset({1}), authority=ANYONE
    )
    assert (changed["name"], changed["tags"], changed["version"]) == ("Éva", ["b"], 2)
    kept = await stored.find_one({})
    assert kept["keys"]["name"] == "eva"
    assert kept["facets"] == ["is_active:true", "tag:b", "scope:me"]


async def test_a_patch_that_changes_nothing_does_not_write(
    stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await users.create(said(name="Ana"), ANYONE)
    monkeypatch.setattr(changes, "_write", None)  # would fail if called
    assert (await users.patch(row["_id"], patch_of(name="Ana", username=""), authority=ANYONE))[
        "version"
    ] == 1
    assert (await users.replace(row["_id"], UserInput(name="Ana", email=row["email"]), authority=ANYONE))[
        "version"
    ] == 1
    assert await stored.count_documents({"version": 1}) == 1


async def test_a_stale_version_is_refused_by_every_change(stored: Any) -> None:
    row = await users.create(said(), ANYONE)
    for versions in (frozenset({2}), frozenset[int](), frozenset({0, 5})):
        for attempt in (
            users.patch(row["_id"], patch_of(name="x"), versions, authority=ANYONE),
            users.replace(row["_id"], said(), versions, authority=ANYONE),
            users.delete(row["_id"], versions, authority=ANYONE),
        ):
            with pytest.raises(PreconditionFailedError):
                await attempt
    assert await stored.count_documents({"version": 1}) == 1


def test_what_is_needed_cannot_be_patched_away() -> None:
    with pytest.raises(ValidationError) as refused:
        patch_of(name=None, email=None)
    assert {bad["loc"] for bad in refused.value.errors()} == {("name",), ("email",)}


async def test_a_change_is_computed_again_on_what_a_rival_left(monkeypatch: pytest.MonkeyPatch) -> None:
    row = await users.create(said(profile={"age": 1}), ANYONE)
    write, rivals = changes._write, 3

    async def write_after_a_rival(read: Any, wanted: Any) -> Any:
        nonlocal rivals
        if rivals:
            rivals -= 1
            rival = dict(read)
            await write(rival, changes._input(rival) | {"name": f"rival {rivals}"})
        return await write(read, wanted)

    monkeypatch.setattr(changes, "_write", write_after_a_rival)
    changed = await users.patch(row["_id"], patch_of(profile={"age": 2}), authority=ANYONE)
    assert (changed["name"], changed["profile"]["age"], changed["version"]) == ("rival 0", 2, 5)


async def test_a_change_that_never_wins_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lose(*_: Any) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(changes, "_write", lose)
    monkeypatch.setattr(changes, "_TRIES", 3)
    row = await users.create(said(), ANYONE)
    with pytest.raises(WriteConflictError):
        await users.patch(row["_id"], patch_of(name="x"), authority=ANYONE)


async def test_a_batch_answers_each_operation() -> None:
    row = await users.create(said(), ANYONE)
    user_id = str(row["_id"])
    results = await users.apply(
        [
            {"op": "create", "user": person()},
            {"op": "create", "user": person(email="twin@example.com")},
            {"op": "create", "user": person(email="Twin@example.com")},
            {"op": "update", "id": user_id, "patch": {"name": "x"}, "version": 1},
            {"op": "update", "id": user_id, "patch": {"name": "y"}, "version": 1},
            {"op": "create", "user": {}},
            {"op": "delete", "id": user_id.upper()},
            {"op": "delete", "id": user_id},
            7,
        ]
    )
    assert [result.status for result in results] == [201, 201, 409, 200, 412, 422, 204, 404, 422]
    assert [result.version for result in results] == [1, 1, None, 2, None, None, None, None, None]
    assert results[6].id == user_id


async def test_neighbouring_creates_go_together_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    async def insert_many(documents: Any, **_: Any) -> None:
        sizes.append(len(documents))

    monkeypatch.setattr(User, "insert_many", insert_many)
    create = {"op": "create", "user": person()}
    delete = {"op": "delete", "id": NOBODY}
    results = await users.apply([create, delete, create, create, delete, delete, create])
    assert sizes == [1, 2, 1]
    assert [result.status for result in results] == [201, 404, 201, 201, 404, 404, 201]


def _bulk(write: dict[str, Any], *concerns: dict[str, Any]) -> BulkWriteError:
    return BulkWriteError({"writeErrors": [write], "writeConcernErrors": list(concerns)})


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (_bulk({"index": 1, "code": 11000, "keyPattern": {"phone": 1}}), [201, 409, 201]),
        (_bulk({"index": 0, "code": 11602}), [503, 201, 201]),
        (_bulk({"index": 2, "code": 11000}, {"code": 64}), [503, 503, 409]),
        (AutoReconnect("gone"), [503, 503, 503]),
    ],
)
async def test_a_failed_insert_is_told_for_each_user(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, expected: list[int]
) -> None:
    async def insert_many(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(User, "insert_many", insert_many)
    results = await users.apply([{"op": "create", "user": person()}] * 3)
    assert [result.status for result in results] == expected
    assert all((result.error is None) == (result.status == 201) for result in results)


async def test_after_the_first_unanswered_operation_no_other_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = 0

    async def fail(*_: Any) -> Result:
        nonlocal tried
        tried += 1
        raise AutoReconnect("gone")

    monkeypatch.setattr("app.users.batches.delete", fail)
    delete = {"op": "delete", "id": str(ObjectId())}
    results = await users.apply([delete, delete, {"op": "create", "user": person()}, "bad", delete])
    assert [result.status for result in results] == [503, 503, 503, 422, 503]
    assert tried == 1

"""Walks over all pages: while others write, over malformed rows, and against a model."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest
import structlog
from bson import Binary, DatetimeMS, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.commands import integrity
from app.listing.orders import ORDERS
from tests.support.databases import PreparedDatabases
from tests.support.listing import (
    chunks,
    day,
    document,
    flat,
    listed,
    resources,
    users,
    walk,
    walk_back,
)

SORTS = [*ORDERS, *(f"-{field}" for field in ORDERS)]
BOTH_WAYS = [walk, walk_back]
Walk = Callable[..., Awaitable[list[list[str]]]]


@pytest.fixture(scope="module")
async def shared(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving() as client:
        yield client


@pytest.fixture
async def empty(shared: httpx.AsyncClient) -> httpx.AsyncClient:
    await users(shared).delete_many({})
    return shared


# While others write


STAYING = 60


def _person(number: int, **said: Any) -> dict[str, Any]:
    """Every third misses what can be missing; others share values with their neighbours."""
    some = (
        {"age": number % 7, "username": f"u{number}", "last_login_at": day(number % 5)} if number % 3 else {}
    )
    return document(number, **some, tags=["a" if number % 2 else "b"], **said)


@asynccontextmanager
async def _writing(client: httpx.AsyncClient, leaving: list[ObjectId]) -> AsyncIterator[None]:
    """Others insert users at both ends and between, change every sort value of some, and delete some."""
    collection = users(client)
    moving = [_person(number, name=f"Moving {number}") for number in range(1000, 1020)]
    await collection.insert_many(moving)

    async def insert() -> None:
        for number in range(2000, 2120):
            new = _person(number % 90, name=f"N{number % 7}") | {"keys": _person(number)["keys"]}
            await collection.insert_one(new)
            if over.is_set():
                return

    async def change() -> None:
        for turn in range(400):
            moved = moving[turn % len(moving)]
            new = _person(turn % 80)
            changes = {name: new[name] for name in ("created_at", "updated_at", "last_login_at", "profile")}
            keys = moved["keys"] | {"name": new["keys"]["name"], "username": [None, f"moved{turn}"][turn % 2]}
            await collection.update_one({"_id": moved["_id"]}, {"$set": changes | {"keys": keys}})
            if over.is_set():
                return

    async def delete() -> None:
        for gone in leaving:
            await collection.delete_one({"_id": gone})

    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for work in (insert, change, delete):
            group.create_task(work())
        yield
        over.set()


@pytest.mark.parametrize("walk_all", BOTH_WAYS)
@pytest.mark.parametrize("sort", SORTS)
async def test_a_walk_meets_each_untouched_user_once_whatever_others_write(
    empty: httpx.AsyncClient, sort: str, walk_all: Walk
) -> None:
    staying = [_person(number) for number in range(STAYING)]
    leaving = [_person(number, email=f"x{number}@example.com") for number in range(100, 140)]
    await users(empty).insert_many(staying + leaving)
    expected = {str(one["_id"]) for one in staying}
    before = [one for one in flat(await walk(empty, sort=sort, limit=1000)) if one in expected]
    async with _writing(empty, [one["_id"] for one in leaving]):
        met = flat(await walk_all(empty, sort=sort, limit=7))
    assert [one for one in met if one in expected] == before
    assert len(before) == STAYING


@pytest.mark.parametrize("walk_all", BOTH_WAYS)
@pytest.mark.parametrize("sort", ["created_at", "-name", "username", "-age"])
async def test_a_filtered_walk_meets_each_untouched_user_once_too(
    empty: httpx.AsyncClient, sort: str, walk_all: Walk
) -> None:
    staying = [_person(number) for number in range(STAYING)]
    await users(empty).insert_many(staying)
    expected = {str(one["_id"]) for one in staying if one["tags"] == ["a"]}
    async with _writing(empty, []):
        met = flat(await walk_all(empty, sort=sort, tag=["a", "other"], limit=3))
    counted = Counter(one for one in met if one in {str(one["_id"]) for one in staying})
    assert counted == dict.fromkeys(expected, 1)


# Over malformed rows


def _spoilt(number: int, changes: dict[str, Any], gone: tuple[str, ...] = ()) -> dict[str, Any]:
    spoilt = document(number, age=3, username=f"s{number}", last_login_at=day(3))
    for path, value in changes.items():
        *parents, last = path.split(".")
        inner = spoilt
        for part in parents:
            inner = inner[part]
        inner[last] = value
    return {key: part for key, part in spoilt.items() if key not in gone}


WRONG_DATES = [
    "yesterday", 5, float("nan"), True, {"$date": 1}, Timestamp(1, 1), Regex("x"), MaxKey(), Binary(b"x"),
]  # fmt: skip
FAR_DATES = [datetime(1, 1, 1), datetime(1850, 5, 5), DatetimeMS(-(2**62)), DatetimeMS(2**62)]  # noqa: DTZ001
WRONG_AGES = [
    "x", "", float("nan"), float("inf"), float("-inf"), 1.5, Decimal128("NaN"), Decimal128("7"), True,
]  # fmt: skip
ODD_IDS = ["abc", "", 5, 6.5, {"a": 1}, True, Binary(b"1"), DatetimeMS(0), None, MinKey(), MaxKey()]
UNREADABLE: list[tuple[str, dict[str, Any]]] = [
    *(("created_at", {"created_at": value}) for value in [*WRONG_DATES, *FAR_DATES, None]),
    *(("updated_at", {"updated_at": value}) for value in [*WRONG_DATES, *FAR_DATES, None]),
    *(("last_login_at", {"last_login_at": value}) for value in [*WRONG_DATES, *FAR_DATES]),
    *(("profile.age", {"profile.age": value}) for value in WRONG_AGES),
    ("profile.age", {"profile.age": []}),
    ("profile", {"profile": "x"}),
    ("profile", {"profile": 5}),
    ("name", {"name": 7}),
    ("name", {"name": None}),
    ("email", {"email": ["a"]}),
    ("tags", {"tags": "a"}),
    ("tags.0", {"tags": [1]}),
    ("version", {"version": "1"}),
    *(("_id", {"_id": odd}) for odd in ODD_IDS),
]
"""What makes a row unreadable, and the field that the log names."""

LISTS: list[tuple[str, dict[str, Any]]] = [
    ("age", {"profile.age": [1, 2]}),
    ("age", {"profile.age": [None, 2]}),
    ("age", {"profile": [{"age": 1}, {"age": 9}]}),
    ("last_login_at", {"last_login_at": [day(1), day(9)]}),
    ("updated_at", {"updated_at": [day(1), "x"]}),
]
"""Lists in place of one sort value: met by every order but that one."""

READABLE: list[dict[str, Any]] = [
    {"keys": None}, {"keys": "x"}, {"keys": {}}, {"keys": [{"name": "a", "email": "b"}]},
    {"keys.name": 5}, {"keys.name": ["a", "z"]}, {"keys.email": 5}, {"keys.email": ["a@x", "z@x"]},
    {"keys.username": 5}, {"keys.username": ["a", "z"]}, {"profile": None}, {"tags": None}, {"facets": "x"},
    {"keys.name": "a" * 1000},
]  # fmt: skip
"""Spoilt where no caller looks, or mended."""


async def _store_spoilt(client: httpx.AsyncClient) -> None:
    changes = [*(change for _, change in UNREADABLE), *(change for _, change in LISTS), *READABLE]
    spoilt = [_spoilt(500 + number, change, gone=_gone(change)) for number, change in enumerate(changes)]
    spoilt += [_spoilt(900, {}, gone=("keys",)), _spoilt(901, {}, gone=("created_at", "updated_at"))]
    spoilt += [_spoilt(902, {}, gone=("profile",)), _spoilt(903, {}, gone=("facets",))]
    await users(client).insert_many(spoilt, bypass_document_validation=True)


def _gone(change: dict[str, Any]) -> tuple[str, ...]:
    """MongoDB has no index over two lists of one row: who holds a list of names holds nothing for search."""
    return ("search",) if any(isinstance(change.get(path), list) for path in ("keys", "keys.name")) else ()


@pytest.fixture(scope="module")
async def spoilt(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """20 sound users, ten of each tag, among dozens of spoilt ones."""
    async with prepared_databases.serving() as client:
        await users(client).insert_many([_person(number) for number in range(20)])
        await _store_spoilt(client)
        yield client


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("sort", SORTS)
async def test_spoilt_rows_neither_break_nor_repeat_a_walk(
    spoilt: httpx.AsyncClient, sort: str, limit: int
) -> None:
    sound = {name: flat(await walk(spoilt, sort=sort, limit=1000, tag=name)) for name in "ab"}
    for walk_all in BOTH_WAYS if limit > 1 else [walk_back if sort.startswith("-") else walk]:
        met = flat(await walk_all(spoilt, sort=sort, limit=limit))
        assert max(Counter(met).values()) == 1
        for ids in sound.values():
            assert [one for one in met if one in ids] == ids
            assert len(ids) == 10


@pytest.mark.parametrize("sort", SORTS)
async def test_spoilt_rows_are_reported_by_id_and_field(spoilt: httpx.AsyncClient, sort: str) -> None:
    with structlog.testing.capture_logs() as logged:
        await walk(spoilt, sort=sort, limit=1000)
    reported = Counter(entry["field"] for entry in logged if entry["event"] == "unreadable_row")
    field = sort.removeprefix("-")
    del reported[ORDERS[field].path]
    assert reported == _reports(field)
    assert all("id" in entry and entry["log_level"] == "warning" for entry in logged if "field" in entry)


def _reports(field: str) -> Counter[str]:
    """What an order meets besides its own value; it meets no id of another type."""
    lists = [path for own, change in LISTS for path in change if own != field]
    expected = Counter(
        [*(name for name, _ in UNREADABLE), *lists, "created_at"]
    )  # of one that misses both dates
    del expected["_id"], expected[ORDERS[field].path]
    return expected


async def test_spoilt_rows_are_named_by_the_check_of_the_directory(spoilt: httpx.AsyncClient) -> None:
    found = (await integrity.check(resources(spoilt), named=1_000)).wrong
    sound = {"$or": [{"tags": {"$in": ["a", "b"]}}, {"keys.name": "a" * 1000}, {"keys": {}}]}
    rows = await users(spoilt).find({"$nor": [sound]}, {"_id": 1}).to_list()
    assert len(rows) > 80
    assert {f"user {row['_id']} has a field of a wrong type" for row in rows} <= set(found)


# Against a model


@st.composite
def _directories(draw: st.DrawFn) -> list[dict[str, Any]]:
    optional = st.none() | st.integers(0, 3)
    people = []
    for number in range(draw(st.integers(0, 12))):
        age, login = draw(optional), draw(optional)
        said: dict[str, Any] = {
            "name": draw(st.sampled_from(["Ana", "ána", "Bo", "张伟", "Zoë"])),
            "email": f"{draw(st.sampled_from('abc'))}{number}@example.com",
            "created_at": day(draw(st.integers(0, 3))),
            "updated_at": day(draw(st.integers(0, 3))),
            "tags": draw(st.lists(st.sampled_from(["x", "y", "z"]), unique=True)),
            "is_active": draw(st.booleans()),
        }
        if draw(st.booleans()):
            said["username"] = f"{draw(st.sampled_from('abc'))}{number}"
        people.append(said | {"age": age, "last_login_at": None if login is None else day(login)})
    return people


_QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "sort": st.sampled_from(SORTS),
        "tag": st.lists(st.sampled_from(["x", "Y", "w"]), min_size=1, max_size=3),
        "is_active": st.lists(st.sampled_from(["true", "false"]), min_size=1, max_size=2),
        "age_min": st.integers(0, 3),
        "age_max": st.integers(0, 3),
        "created_from": st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"]),
        "last_login_to": st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"]),
    },
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(people=_directories(), asked=_QUERIES, limit=st.integers(1, 5), skip=st.integers(0, 14))
async def test_pages_are_those_of_a_model(
    shared: httpx.AsyncClient, people: list[dict[str, Any]], asked: dict[str, Any], limit: int, skip: int
) -> None:
    await users(shared).delete_many({})
    stored = [document(number, **person) for number, person in enumerate(people)]
    if stored:
        await users(shared).insert_many(stored)
    expected = [str(one["_id"]) for one in _ordered([one for one in stored if _matches(one, asked)], asked)]
    assert await walk(shared, **asked, limit=limit) == (list(chunks(expected, limit)) or [[]])
    assert flat(await walk_back(shared, **asked, limit=limit)) == expected
    page = await listed(shared, **asked, limit=limit, skip=skip, count="exact")
    assert [item["id"] for item in page["items"]] == expected[skip : skip + limit]
    assert page["total"] == {"value": len(expected), "relation": "eq"}


def _matches(one: dict[str, Any], asked: dict[str, Any]) -> bool:
    age, login = one["profile"]["age"], one["last_login_at"]
    return (
        ("tag" not in asked or bool({tag.lower() for tag in asked["tag"]} & set(one["tags"])))
        and ("is_active" not in asked or str(one["is_active"]).lower() in asked["is_active"])
        and ("age_min" not in asked or (age is not None and age >= asked["age_min"]))
        and ("age_max" not in asked or (age is not None and age <= asked["age_max"]))
        and ("created_from" not in asked or one["created_at"].date().isoformat() >= asked["created_from"])
        and (
            "last_login_to" not in asked
            or (login is not None and login.date().isoformat() <= asked["last_login_to"])
        )
    )


def _ordered(found: list[dict[str, Any]], asked: dict[str, Any]) -> list[dict[str, Any]]:
    given_filters = asked.keys() - {"sort"}
    alone = "age" if given_filters and given_filters <= {"age_min", "age_max"} else None
    alone = "last_login_at" if given_filters == {"last_login_to"} else alone
    sort = asked.get("sort") or alone or "created_at"
    reverse = sort.startswith("-")
    path = ORDERS[sort.removeprefix("-")].path.split(".")

    def value(one: dict[str, Any]) -> Any:
        inner: Any = one
        for part in path:
            inner = inner[part]
        return inner

    present = [one for one in found if value(one) is not None]
    missing = [one for one in found if value(one) is None]
    return [
        *sorted(present, key=lambda one: (value(one), one["_id"]), reverse=reverse),
        *sorted(missing, key=lambda one: one["_id"], reverse=reverse),
    ]

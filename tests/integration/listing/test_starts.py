"""GET /users?start=: pages that begin with a row, or where it would be, however old the URL is."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.listing.orders import ORDERS
from models.user import SORTED
from tests.support.api import serving
from tests.support.listing import add, day, flat, listed, problem, resources, users
from tests.support.servers import MongoServer, RedisServer

PATHS = {field.name: field.path for field in SORTED}
SORTS = [*ORDERS, *(f"-{field}" for field in ORDERS)]
NOBODY = "0123456789abcdef01234567"


def _person(number: int) -> dict[str, Any]:
    """Three share each value; every third lacks what may be missing. Names have commas and accents."""
    shared: dict[str, Any] = {
        "name": f"Åsa, {number // 3:02}",
        "created_at": day(number // 3),
        "updated_at": day(number // 3),
        "tags": ["a" if number % 2 else "b"],
    }
    some = {"age": number // 3, "username": f"Üser{number:02}", "last_login_at": day(number // 3)}
    return shared | (some if number % 3 else {})


@pytest.fixture(scope="module")
async def thirty(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    """For tests that only read."""
    async with serving(mongo_server.uri_of("starts"), redis_server.url) as client:
        await add(client, *map(_person, range(30)))
        yield client
        await resources(client).connections.database.client.drop_database("starts")


@pytest.fixture
async def my_thirty(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same, of this test alone."""
    await add(client, *map(_person, range(30)))
    return client


def _start(item: dict[str, Any], sort: str) -> str:
    """As a caller makes it of a row of a reply."""
    value: Any = item
    for part in PATHS[sort.removeprefix("-")]:
        value = value[part]
    return item["id"] if value is None else f"{value},{item['id']}"


async def _ids(client: httpx.AsyncClient, **asked: Any) -> list[str]:
    return [item["id"] for item in (await listed(client, **asked))["items"]]


@pytest.mark.parametrize("given", [{}, {"tag": "a"}, {"tag": ["a", "b"]}, {"age_min": 2, "age_max": 7}])
@pytest.mark.parametrize("sort", SORTS)
async def test_a_page_begins_with_each_row_and_its_neighbours_are_reached_both_ways(
    thirty: httpx.AsyncClient, sort: str, given: dict[str, Any]
) -> None:
    everyone = (await listed(thirty, sort=sort, limit=1000, **given))["items"]
    ids = [item["id"] for item in everyone]
    for place, item in enumerate(everyone):
        page = await listed(thirty, sort=sort, limit=4, start=_start(item, sort), **given)
        assert [found["id"] for found in page["items"]] == ids[place : place + 4]
        assert (page["previous"] is None, page["next"] is None) == (place == 0, place + 4 >= len(ids))
        if page["previous"]:
            before = await _ids(thirty, sort=sort, limit=4, cursor=page["previous"], **given)
            assert before == ids[max(place - 4, 0) : place]
        if page["next"]:
            after = await _ids(thirty, sort=sort, limit=4, cursor=page["next"], **given)
            assert after == ids[place + 4 : place + 8]


@pytest.mark.parametrize("sort", SORTS)
async def test_a_walk_from_a_row_in_the_middle_meets_everybody_once(
    thirty: httpx.AsyncClient, sort: str
) -> None:
    everyone = (await listed(thirty, sort=sort, limit=1000))["items"]
    page = await listed(thirty, sort=sort, limit=4, start=_start(everyone[11], sort))
    forward, back = [_of(page)], []
    cursor = page["next"]
    while cursor:
        following = await listed(thirty, sort=sort, limit=4, cursor=cursor)
        forward.append(_of(following))
        cursor = following["next"]
    cursor = page["previous"]
    while cursor:
        before = await listed(thirty, sort=sort, limit=4, cursor=cursor)
        back.append(_of(before))
        cursor = before["previous"]
    assert flat(back[::-1]) + flat(forward) == [item["id"] for item in everyone]


def _of(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["items"]]


@pytest.mark.parametrize("sort", SORTS)
async def test_where_the_row_was_deleted_the_page_begins_with_the_next_one(
    my_thirty: httpx.AsyncClient, sort: str
) -> None:
    everyone = (await listed(my_thirty, sort=sort, limit=1000))["items"]
    for place in (0, 13, 28, 29):
        gone = everyone[place]
        await users(my_thirty).delete_many({"keys.email": gone["email"]})
        left = [item["id"] for item in everyone[place + 1 :]]
        assert await _ids(my_thirty, sort=sort, limit=3, start=_start(gone, sort)) == left[:3]


async def test_where_the_last_row_was_deleted_the_page_is_empty_and_leads_back(
    my_thirty: httpx.AsyncClient,
) -> None:
    everyone = (await listed(my_thirty, sort="-name", limit=1000))["items"]
    await users(my_thirty).delete_many({"keys.email": everyone[-1]["email"]})
    page = await listed(my_thirty, sort="-name", limit=3, start=_start(everyone[-1], "-name"))
    assert (page["items"], page["next"]) == ([], None)
    before = await _ids(my_thirty, sort="-name", limit=3, cursor=page["previous"])
    assert before == [item["id"] for item in everyone[-4:-1]]


async def test_where_the_rows_value_changed_the_page_begins_where_it_was(
    my_thirty: httpx.AsyncClient,
) -> None:
    everyone = (await listed(my_thirty, sort="age", limit=1000))["items"]
    moved = everyone[5]
    reply = await my_thirty.patch(f"/users/{moved['id']}", json={"profile": {"age": 99}})
    assert reply.status_code == 200
    expected = [item["id"] for item in everyone[6:9]]
    assert await _ids(my_thirty, sort="age", limit=3, start=_start(moved, "age")) == expected
    await my_thirty.patch(f"/users/{moved['id']}", json={"profile": {"age": None}})
    assert await _ids(my_thirty, sort="age", limit=3, start=_start(moved, "age")) == expected


async def test_a_start_outside_the_range_finds_nobody_whom_the_range_leaves_out(
    thirty: httpx.AsyncClient,
) -> None:
    within = {"age_min": 3, "age_max": 6}
    for sort, first, last in (("age", 0, 99), ("-age", 99, 0)):
        expected = await _ids(thirty, sort=sort, limit=1000, **within)
        page = await listed(thirty, sort=sort, limit=1000, start=f"{first},{NOBODY}", **within)
        assert (_of(page), page["previous"]) == (expected, None)
        page = await listed(thirty, sort=sort, limit=3, start=f"{last},{NOBODY}", **within)
        assert page["items"] == []
        assert await _ids(thirty, sort=sort, limit=3, cursor=page["previous"], **within) == expected[-3:]


async def test_among_those_who_lack_the_value_a_start_with_one_is_before_them_all(
    thirty: httpx.AsyncClient,
) -> None:
    everyone = await _ids(thirty, missing="age", limit=1000)
    page = await listed(thirty, missing="age", limit=2, start=f"5,{NOBODY}")
    assert (_of(page), page["previous"]) == (everyone[:2], None)
    assert await _ids(thirty, missing="age", limit=2, start=everyone[4]) == everyone[4:6]


async def test_a_user_found_by_a_unique_value_is_shown_wherever_the_page_starts(
    thirty: httpx.AsyncClient,
) -> None:
    found = (await listed(thirty, email="p7@example.com"))["items"]
    page = await listed(thirty, email="p7@example.com", sort="name", start=f"Zoë,{NOBODY}")
    assert (page["items"], page["next"], page["previous"]) == (found, None, None)


async def test_a_start_lives_on_where_links_and_cursors_do_not_have_it(thirty: httpx.AsyncClient) -> None:
    everyone = (await listed(thirty, sort="name", limit=1000))["items"]
    start = _start(everyone[9], "name")
    reply = await thirty.get("/users", params={"sort": "name", "limit": 2, "start": start, "count": "exact"})
    assert reply.json()["total"] == {"value": 30, "relation": "eq"}
    assert {rel: link["url"].partition("?")[2] for rel, link in reply.links.items()} == {
        "first": "sort=name&limit=2&count=exact",
        "next": f"sort=name&limit=2&count=exact&cursor={reply.json()['next']}",
        "prev": f"sort=name&limit=2&count=exact&cursor={reply.json()['previous']}",
    }
    chosen = await listed(thirty, sort="name", limit=2, start=start, fields="email")
    assert [item.keys() for item in chosen["items"]] == [{"id", "email"}] * 2


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"start": "Ana"}, ["start"]),
        ({"start": f"Ana,{NOBODY}x"}, ["start"]),
        ({"start": ""}, ["start"]),
        ({"start": f"yesterday,{NOBODY}"}, ["start"]),
        ({"start": f",{NOBODY}"}, ["start"]),
        ({"start": f"2026-02-30,{NOBODY}", "sort": "-last_login_at"}, ["start"]),
        ({"start": f"old,{NOBODY}", "sort": "age"}, ["start"]),
        ({"start": f"{10**30},{NOBODY}", "sort": "age"}, ["start"]),
        ({"start": f"1.5,{NOBODY}", "age_min": 1}, ["start"]),
        ({"start": NOBODY, "skip": 3}, ["skip"]),
        ({"start": NOBODY, "q": "ana"}, ["start"]),
        ({"start": NOBODY, "cursor": "abc", "skip": 1}, ["start", "skip"]),
        ({"start": "x" * 600 + f",{NOBODY}"}, ["start"]),
    ],
)
async def test_what_is_no_start_is_refused_by_name(
    thirty: httpx.AsyncClient, asked: dict[str, Any], named: list[str]
) -> None:
    assert await problem(thirty, **asked) == (422, "validation_failed", named)


async def test_a_refused_start_says_what_it_is_like_and_why_ranks_have_none(
    thirty: httpx.AsyncClient,
) -> None:
    ranked = (await thirty.get("/users", params={"q": "ana", "start": NOBODY})).json()
    assert "ranks change" in ranked["errors"][0]["detail"]
    wrong = (await thirty.get("/users", params={"start": f"now,{NOBODY}"})).json()
    assert "2026-01-31T08:00:00.123Z" in wrong["errors"][0]["detail"]
    assert "now" not in wrong["errors"][0]["detail"]

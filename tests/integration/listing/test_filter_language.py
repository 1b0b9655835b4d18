"""GET /users?filter=: expressions of RFC 7644, section 3.4.2.2, in listings, exports and bulk changes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.integration.listing.test_listing import ANA, BO, DORA, SORTS, XIAO
from tests.support.databases import PreparedDatabases
from tests.support.listing import add, flat, listed, names, walk, walk_back


@pytest.fixture(scope="module")
async def four(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """Ana, Bo, 小中 and Dora, created on the first four days of 2026. For tests that only read."""
    async with prepared_databases.serving() as client:
        await add(client, ANA, BO, XIAO, DORA)
        yield client


def refused(reply: httpx.Response) -> dict[str, Any]:
    """The first error of a 422."""
    assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed")
    error: dict[str, Any] = reply.json()["errors"][0]
    return error


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('email eq "ANA.lopez@example.COM"', ["Ana"]),
        ('EMAIL Eq "xiaozhong@xn--fsqu00a.com"', ["小中"]),
        ('email ne "bo@example.com"', ["Ana", "小中", "Dora"]),
        ('email sw "BO@"', ["Bo"]),
        ('email sw "d"', ["Dora"]),
        ('email lt "b"', ["Ana"]),
        ('username eq "anal"', ["Ana"]),
        ('username sw "小"', ["小中"]),
        ("username pr", ["Ana", "小中"]),
        ("not (username pr)", ["Bo", "Dora"]),
        ("username eq null", ["Bo", "Dora"]),
        ("username ne null", ["Ana", "小中"]),
        ('phone eq "+34 (600) 111.222"', ["Ana"]),
        ('phone sw "+49 151"', ["Bo"]),
        ("phone pr", ["Ana", "Bo"]),
        ("phone pr and phone pr", ["Ana", "Bo"]),
        ('name eq "ÁNA"', ["Ana"]),
        ('name sw "d"', ["Dora"]),
        ('name ge "b" and name le "d"', ["Bo"]),
        ('name gt "bo" and name lt "e"', ["Dora"]),
        ("name pr", ["Ana", "Bo", "小中", "Dora"]),
        ("is_active eq true", ["Ana", "小中", "Dora"]),
        ("is_active ne true", ["Bo"]),
        ("not (is_active eq true)", ["Bo"]),
        ('tag eq "vip"', ["Ana"]),
        ('tags eq "vip" or tags[value eq "STAFF"]', ["Ana", "Bo"]),
        ("not (tags pr)", ["小中", "Dora"]),
        ("tag pr", ["Ana", "Bo"]),
        ('scopes eq "users:read"', ["Ana"]),
        ('department eq "SALES"', ["Bo"]),
        ('profile.department sw "ven"', ["Ana"]),
        ('addresses.city eq "MÁLAGA"', ["Ana"]),
        ('addresses[city eq "berlin"] and addresses[country eq "de"]', ["Ana", "Bo"]),
        ('country ne "DE"', ["小中", "Dora"]),
        ("age eq 0", ["小中"]),
        ("profile.age gt 0 and age lt 40", ["Ana"]),
        ("age ge 30 and age le 40 and age ne 30", ["Bo"]),
        ("age pr", ["小中", "Ana", "Bo"]),
        ('created_at gt "2026-01-02T00:00:00Z" and created_at lt "2026-01-04"', ["小中"]),
        ('created_at eq "2026-01-02T01:00:00+01:00"', ["Bo"]),
        ('created_at ge "2026-01-02T00:00:00.0001Z"', ["小中", "Dora"]),
        ('created_at eq "2026-01-02T00:00:00.0001Z"', []),
        ("last_login_at pr", ["Ana", "Bo"]),
        ("not (last_login_at pr)", ["小中", "Dora"]),
        ('id eq "ffffffffffffffffffffffff"', []),
        ('id eq "nobody"', []),
        ('id ne "ffffffffffffffffffffffff"', ["Ana", "Bo", "小中", "Dora"]),
        ('(tag eq "vip" or country eq "中国") and not (age gt 20)', ["小中"]),
        ('name eq "Dora" or (email eq "bo@example.com" and is_active eq false)', ["Bo", "Dora"]),
        ('tag eq "vip" and tag eq "nothing"', []),
        ('department eq "{\\"$ne\\": null}"', []),
    ],
)
async def test_an_expression_finds_whom_it_describes(
    four: httpx.AsyncClient, expression: str, found: list[str]
) -> None:
    assert await names(four, filter=expression) == found
    for sort in SORTS:
        walked = flat(await walk(four, filter=expression, sort=sort, limit=1))
        assert len(set(walked)) == len(walked) == len(found), sort


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("age", "It is no filter: invalid syntax at column"),
        ('age eq "', "It is no filter: invalid syntax at column"),
        ("age eq 1 and", "It is no filter: "),
        ("age eq 1)", "It is no filter: "),
        ('bio co "x"', "No index serves `bio`: compare one of id, email"),
        ('emial eq "x"', "No index serves `emial`: did you mean `email`?"),
        ('password_hash eq "x"', "No index serves `password_hash`: "),
        ("credentials.generation eq 1", "No index serves `credentials.generation`: "),
        ('keys.email eq "x"', "No index serves `keys.email`: "),
        ('search.t eq "x"', "No index serves `search.t`: "),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "x"', "No index serves `urn:ietf"),
        (
            'name co "n"',
            "No index serves `name co`: compare by `eq`, `ne`, `gt`, `ge`, `lt`, `le`, `sw`, `pr`",
        ),
        ('email ew "com"', "No index serves `email ew`: "),
        (
            'department gt "a"',
            "No index serves `department gt`: compare by `eq`, `ne`, `sw`, `pr`, or ask `q`.",
        ),
        ("is_active gt true", "No index serves `is_active gt`: "),
        ('is_active eq "True"', "`is_active` must be compared with true or false."),
        ('age gt "3"', "`age` must be compared with a whole number."),
        ("age eq true", "`age` must be compared with a whole number."),
        ("age eq 1.5", "`age` must be compared with a whole number."),
        ('created_at gt "yesterday"', "`created_at` must be compared with a time, such as"),
        ("email eq 3", "`email` must be compared with a text in double quotes."),
        ("not (name pr)", "Everybody has `name`."),
        (
            'addresses[city eq "Berlin" and country eq "DE"]',
            "No index serves two comparisons of one of `addresses`: join two by `and`.",
        ),
        (" or ".join(["age eq 1"] * 51), "It has more than 50 comparisons."),
        ("not (" * 60 + "age eq 1" + ")" * 60, "It is no filter: the filter nests more than 32 expressions."),
        ("(" * 1990 + "age eq 1", "It is no filter: "),
    ],
)
async def test_what_no_index_serves_is_refused_and_says_what_would_be_served(
    four: httpx.AsyncClient, expression: str, says: str
) -> None:
    error = refused(await four.get("/users", params={"filter": expression}))
    assert error["parameter"] == "filter"
    assert error["detail"].startswith(says)


@pytest.mark.parametrize("text", ["", "x" * 4001, "age eq 1\0"])
async def test_a_filter_has_1_to_4000_characters_without_nul(four: httpx.AsyncClient, text: str) -> None:
    assert refused(await four.get("/users", params={"filter": text}))["parameter"] == "filter"


async def test_a_value_that_an_expression_wants_may_not_be_missing(four: httpx.AsyncClient) -> None:
    for asked in (
        {"filter": 'department eq "x" and not (department pr)'},
        {"filter": "age eq 1", "missing": "age"},
    ):
        assert refused(await four.get("/users", params=asked))["detail"].startswith("Leave out ")


async def test_an_expression_goes_with_the_other_filters_counts_skips_and_both_directions(
    four: httpx.AsyncClient,
) -> None:
    assert await names(four, filter="age ge 30", city="berlin", is_active="true") == ["Ana"]
    assert await names(four, filter="age ge 30", age_min=35) == ["Bo"]
    page = await listed(four, filter="age pr", count="exact", skip=1, limit=1)
    assert (page["total"], [item["name"] for item in page["items"]]) == (
        {"value": 3, "relation": "eq"},
        ["Ana"],
    )
    walked = flat(await walk(four, filter='not (tag eq "vip")', limit=1))
    assert flat(await walk_back(four, filter='not (tag eq "vip")', limit=1)) == walked


async def test_an_expression_narrows_a_search(four: httpx.AsyncClient) -> None:
    assert sorted(await names(four, q="berlin")) == ["Ana", "Bo"]
    assert await names(four, q="berlin", filter="not (is_active eq true)") == ["Bo"]
    assert await names(four, q="berlin", filter='department sw "Ve" or age lt 10') == ["Ana"]
    assert await names(four, q="berlin", filter='tag eq "vip"') == ["Ana"]


async def test_a_cursor_belongs_to_its_expression(four: httpx.AsyncClient) -> None:
    cursor = (await listed(four, filter="age pr", limit=1))["next"]
    assert await names(four, filter="age pr", limit=1, cursor=cursor) == ["Ana"]
    for other in ({}, {"filter": "age  pr"}, {"filter": "phone pr"}):
        reply = await four.get("/users", params={"cursor": cursor, **other})
        assert (reply.status_code, reply.json()["code"]) == (400, "invalid_cursor")


async def test_an_export_takes_an_expression(four: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"format": "ndjson", "filter": "not (phone pr)"}
    rows = (await four.get("/users/export", params=asked)).text.splitlines()
    assert [json.loads(row)["name"] for row in rows] == ["小中", "Dora"]
    error = refused(await four.get("/users/export", params=asked | {"filter": "bio pr"}))
    assert error["detail"].startswith("No index serves `bio`")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users:bulk", {"filter": {"filter": "bio pr"}, "change": {"action": "delete"}}),
        ("/users/exports", {"format": "csv", "filter": "bio pr"}),
    ],
)
async def test_jobs_refuse_what_a_listing_would(
    four: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    assert refused(await four.post(path, json=body))["detail"].startswith("No index serves `bio`")

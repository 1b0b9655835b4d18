"""What the tests of imports share: files that go up, plans that come back, and people of every value."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from hypothesis import strategies as st

from models.values import ALL_SCOPES
from tests.support.api import serving
from tests.support.users import problem, users

Plan = dict[str, Any]
CSV = "text/csv"
_numbers = itertools.count(1)

TRICKY = [
    "007", "12345678901234567890", "1.0", "1e5", "TRUE", "false", "2026-01-31", "31.01.2026", "=1+1", "'=1+1",
    "''=x", "+49 30", "-1", "@x", "'", "''", "a\nb", "a\r\nb", "a\rb", "\tx", "x\t", " x", "x ", "\u00a0x",
    "\ufeffx", "張偉", "👨‍👩‍👧‍👦", "🇩🇪 x", 'say "hi"', "a,b;c", "_x000D_", "_x000d_ _x0041_",
    "<b>&amp;", "\u2028x", "＝1",
    "null", "None", "#N/A", "é", "e\u0301", "{}", "[]", "]]>", "\u200dx", "\ue000\U0010fffd",
]  # fmt: skip
"""Texts that one spreadsheet or another takes for something else."""


@asynccontextmanager
async def importing(mongo_uri: str, redis_url: str, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that works on its jobs itself."""
    async with serving(mongo_uri, redis_url, jobs_inside=True, **more) as client:
        yield client


async def empty(client: httpx.AsyncClient) -> None:
    """A directory without users."""
    await users(client).delete_many({})


async def upload(
    client: httpx.AsyncClient, file: bytes, content_type: str = CSV, query: str = "", **headers: str
) -> httpx.Response:
    """As a raw body, whatever comes of it."""
    asked = {"Content-Type": content_type, "Prefer": "wait=30"} | headers
    return await client.post(f"/users/import?{query}", content=file, headers=asked)


async def plan(
    client: httpx.AsyncClient, file: bytes | str, content_type: str = CSV, query: str = ""
) -> Plan:
    """The plan of a file, with its first rows."""
    body = file.encode() if isinstance(file, str) else file
    reply = await upload(client, body, content_type, query)
    assert reply.status_code == 201, reply.text
    return cast("Plan", reply.json())


async def plan_rows(client: httpx.AsyncClient, *lines: str, query: str = "") -> list[dict[str, Any]]:
    """The rows of the plan of a CSV, the first of whose lines is the heading."""
    return cast("list[dict[str, Any]]", (await plan(client, "\n".join(lines) + "\n", query=query))["items"])


async def refused(
    client: httpx.AsyncClient, file: bytes | str, status: int, code: str, *, query: str = "", kind: str = CSV
) -> dict[str, Any]:
    """The problem that a file is answered with."""
    body = file.encode() if isinstance(file, str) else file
    return problem(await upload(client, body, kind, query), status, code)


def counted(plan: Plan) -> dict[str, int]:
    """The counts that are not zero."""
    return {status: count for status, count in plan["counts"].items() if count}


def errors_of(row: dict[str, Any]) -> set[tuple[str, str | None, str | None]]:
    """Code, pointer and column of all that is wrong with a row."""
    return {(bad["code"], bad["pointer"], bad["column"]) for bad in row["errors"]}


# --- people of every value

_LINES = [text for text in TRICKY if not set("\n\r\t") & set(text.strip())]
_printed = st.characters(
    exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"], exclude_characters="\ufffd"
)  # which stands for what a program lost
_any = st.one_of(_printed, st.sampled_from("\n\t"))
_tag_letters = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"], exclude_characters=",;")


def _texts(
    letters: st.SearchStrategy[str], most: int, tricky: Sequence[str] = _LINES
) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(tricky), st.text(letters, min_size=1, max_size=most))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


_lines = _maybe(_texts(_printed, 20))
_addresses = st.lists(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("label", "street", "city", "region", "zipcode", "country"), _lines)
    ),
    max_size=10,
)
_profiles = st.fixed_dictionaries(
    {
        "bio": _maybe(st.one_of(_texts(_any, 40, TRICKY), st.just("=" + "x" * 32_765))),
        "age": _maybe(st.integers(0, 150)),
        "title": _lines,
        "department": _lines,
        "addresses": _addresses,
    }
)
_tags = st.lists(
    _texts(_tag_letters, 20).filter(lambda text: not set(",;\n\r\t") & set(text)).map(str.strip).filter(bool),
    max_size=5,
    unique=True,
)


def people() -> st.SearchStrategy[dict[str, Any]]:
    """Bodies that create a user; no two share what is unique."""
    return st.fixed_dictionaries(
        {
            "name": _texts(_printed, 30),
            "phone": st.booleans(),
            "username": st.booleans(),
            "email": st.sampled_from(
                ["{}@example.com", "Ü{}@example.com", "'{}@bücher.example", "+{}@example.com"]
            ),
            "avatar_url": _maybe(st.sampled_from(["https://example.com/a?b=1&c=%20", "http://[::1]/=x"])),
            "locale": _maybe(st.sampled_from(["zh-CN", "de", "en_US"])),
            "tags": _tags,
            "scopes": st.lists(st.sampled_from(ALL_SCOPES), unique=True, max_size=5),
            "is_active": st.booleans(),
            "profile": _profiles,
        }
    ).map(_make_unique)  # fmt: skip


def _make_unique(person: dict[str, Any]) -> dict[str, Any]:
    number = next(_numbers)
    return person | {
        "phone": f"+4930{number:08}" if person["phone"] else None,
        "username": f"{number:05}" if person["username"] else None,
        "email": person["email"].format(number),
    }


async def create_all(client: httpx.AsyncClient, people: list[dict[str, Any]]) -> int:
    """How many of them are valid users, who are there then."""
    operations = [{"op": "create", "user": person} for person in people]
    reply = await client.post("/users:batch", json={"operations": operations})
    assert reply.status_code == 200, reply.text
    outcomes = reply.json()["results"]
    assert {each["status"] for each in outcomes} <= {201, 422}, outcomes
    return sum(each["status"] == 201 for each in outcomes)

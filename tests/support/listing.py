"""What the tests of listings share: users put straight into the directory, and walks over its pages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
from bson import ObjectId

from app.container import Container
from app.core.mongo import Collection
from app.users.user_records import record
from models.user import UserInput

STORED = ("created_at", "updated_at", "last_login_at", "is_active", "scopes", "email_verified")
MAX_PAGES = 2_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def resources(client: httpx.AsyncClient) -> Container:
    return cast("Container", client.app.state.container)  # type: ignore[attr-defined]  # a handle for tests


def users(client: httpx.AsyncClient) -> Collection:
    return resources(client).connections.users


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def document(number: int, **said: Any) -> dict[str, Any]:
    """A user as stored; `said` in the shape of the API, beside it what only a directory records."""
    kept = {name: said.pop(name) for name in STORED if name in said}
    kept = {"created_at": day(number), "updated_at": day(number)} | kept
    age = {"age": said.pop("age")} if "age" in said else {}
    profile = {"profile": said.pop("profile", {}) | age}
    person = {"name": f"Person {number}", "email": f"p{number}@example.com", **said, **profile}
    user = record(UserInput.model_validate(person), **kept)
    return {"_id": user.id, **user.model_dump(exclude={"id"})}


async def add(client: httpx.AsyncClient, *people: dict[str, Any]) -> list[str]:
    """Their ids. Without more said, they are created a day apart, in the order given."""
    documents = [document(number, **person) for number, person in enumerate(people)]
    await users(client).insert_many(documents)
    return [str(one["_id"]) for one in documents]


async def spoil(client: httpx.AsyncClient, *documents: dict[str, Any]) -> list[Any]:
    """Stores what the validator would refuse."""
    stored = [{"_id": ObjectId()} | one for one in documents]
    await users(client).insert_many(stored, bypass_document_validation=True)
    return [one["_id"] for one in stored]


async def listed(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    reply = await client.get("/users", params=asked)
    assert reply.status_code == 200, reply.text
    page: dict[str, Any] = reply.json()
    return page


async def names(client: httpx.AsyncClient, **asked: Any) -> list[str]:
    return [item["name"] for item in (await listed(client, **asked))["items"]]


async def problem(client: httpx.AsyncClient, **asked: Any) -> tuple[int, str, list[str]]:
    """Status, code and the parameters named."""
    reply = await client.get("/users", params=asked)
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    body = reply.json()
    return reply.status_code, body["code"], [error.get("parameter") for error in body["errors"]]


async def walk(client: httpx.AsyncClient, **asked: Any) -> list[list[str]]:
    """The ids of every page, from the first to the last."""
    page = await listed(client, **asked)
    pages = [_ids(page)]
    while page["next"]:
        page = await listed(client, **asked, cursor=page["next"])
        pages.append(_ids(page))
        assert len(pages) < MAX_PAGES, "the walk does not end"
    return pages


async def walk_back(client: httpx.AsyncClient, **asked: Any) -> list[list[str]]:
    """The ids of every page, in their order, found by walking from the last to the first."""
    page = await listed(client, **asked)
    while page["next"]:
        page = await listed(client, **asked, cursor=page["next"])
    pages = [_ids(page)]
    while page["previous"]:
        page = await listed(client, **asked, cursor=page["previous"])
        pages.append(_ids(page))
        assert len(pages) < MAX_PAGES, "the walk does not end"
    return pages[::-1]


def flat(pages: list[list[str]]) -> list[str]:
    return [one for page in pages for one in page]


def chunks(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["items"]]

"""What the tests of users share: people to create, problems to expect."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import httpx

from app.audit.write import Author
from app.container import Container
from app.database import transactions
from models.user import UserInput

_numbers = itertools.count(1)
NOBODY = "0123456789abcdef01234567"
"""The id of no user."""
BLANK = UserInput.model_construct(name="", email="").model_dump(exclude={"name", "email"})
"""What a user has who was given a name and an e-mail alone."""


def person(**more: Any) -> dict[str, Any]:
    """A body that creates a user; each has an address of their own."""
    return {"name": "Ana", "email": f"person{next(_numbers)}@example.com", **more}


async def create(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    """A new user, as answered."""
    reply = await client.post("/users", json=person(**more))
    assert reply.status_code == 201, reply.text
    return cast("dict[str, Any]", reply.json())


async def read(client: httpx.AsyncClient, user: dict[str, Any]) -> dict[str, Any]:
    """The user as they are now."""
    reply = await client.get(f"/users/{user['id']}")
    assert reply.status_code == 200, reply.text
    return cast("dict[str, Any]", reply.json())


async def verify(client: httpx.AsyncClient, user: dict[str, Any]) -> bool:
    """Note that mail reached the user, as a code that they use does; whether the address is still theirs."""
    opened: Container = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    note = partial(
        opened.users.verify, user["id"], user["email"], author=Author(user_id=user["id"], via="mail")
    )
    return await transactions.together(
        opened.connections.database.client, lambda session: note(session=session)
    )


async def find(client: httpx.AsyncClient, **query: str) -> list[str]:
    """The ids of the users that a listing finds."""
    reply = await client.get("/users", params=query)
    assert reply.status_code == 200, reply.text
    return [user["id"] for user in reply.json()["items"]]


def users(client: httpx.AsyncClient) -> Any:
    """The collection itself."""
    return database(client)["users"]


def database(client: httpx.AsyncClient) -> Any:
    """The database under the app that `client` speaks to."""
    return client.app.state.container.connections.database  # type: ignore[attr-defined]  # set by `serving`


def problem(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The reply's problem, which must be this one, whole, and of the request."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = reply.json()
    assert set(content) == {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert (content["status"], content["code"]) == (status, code), content
    assert content["request_id"] == reply.headers["x-request-id"]
    return content


def pointers(reply: httpx.Response, status: int = 422, code: str = "validation_failed") -> set[str | None]:
    """Where the problem's bad fields stand in the body."""
    return {bad.get("pointer") for bad in problem(reply, status, code)["errors"]}


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
    """Wait for a condition; fails after a bound that only a broken run meets."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition is another process's
            await asyncio.sleep(0.05)


def put(document: dict[str, Any], path: str, *value: Any) -> None:
    """Put `value` at a dotted path (`profile.addresses.0.city`), or take away what is there."""
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    holder: Any = document
    for step in way:
        holder = holder[step]
    if value:
        holder[last] = value[0]
    else:
        del holder[last]

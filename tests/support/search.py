"""What the tests of search share: people stored by the front door, and questions."""

from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from tests.support.users import person

Item = dict[str, Any]


def somebody(name: str, **more: Any) -> Item:
    """A body that creates a user; city, department and title are in their profile."""
    profile: Item = {key: more.pop(key) for key in ("title", "department", "age") if key in more}
    if "city" in more:
        profile["addresses"] = [{"city": city} for city in _many(more.pop("city"))]
    return person(name=name, **more, **({"profile": profile} if profile else {}))


def _many(one: str | list[str]) -> list[str]:
    return [one] if isinstance(one, str) else one


async def store(client: httpx.AsyncClient, people: Sequence[Item]) -> list[str]:
    """Their ids, in the order given."""
    ids = []
    for start in range(0, len(people), 1_000):
        operations = [{"op": "create", "user": one} for one in people[start : start + 1_000]]
        reply = await client.post("/users:batch", json={"operations": operations})
        assert reply.status_code == 200, reply.text
        results = reply.json()["results"]
        assert {result["status"] for result in results} == {201}, results
        ids += [result["id"] for result in results]
    return ids


async def search(client: httpx.AsyncClient, q: str, **asked: Any) -> list[Item]:
    """The first page."""
    reply = await client.get("/users", params={"q": q, **asked})
    assert reply.status_code == 200, reply.text
    items: list[Item] = reply.json()["items"]
    return items


async def found(client: httpx.AsyncClient, q: str, **asked: Any) -> list[str]:
    """Their names."""
    return [item["name"] for item in await search(client, q, **asked)]


async def suggested(client: httpx.AsyncClient, q: str) -> list[Item]:
    reply = await client.get("/users/suggest", params={"q": q})
    assert reply.status_code == 200, reply.text
    items: list[Item] = reply.json()["items"]
    return items


def marked(item: Item) -> dict[str, list[str]]:
    """What the ranges of a match cut out of the fields that they are of."""
    return {
        path: [_at(item, path)[start:end] for start, end in ranges]
        for path, ranges in item["match"]["fields"].items()
    }


def _at(item: Any, path: str) -> str:
    for step in path.split("."):
        item = item[int(step)] if step.isdigit() else item[step]
    return str(item)


def keystrokes(name: str) -> Iterator[str]:
    """What stands in a box while the name is typed, from its second letter on."""
    yield from (name[:length] for length in range(2, len(name) + 1) if not name[:length].endswith(" "))

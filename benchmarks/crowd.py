"""Half the directory bears one surname: what it costs to ask for it, alone and narrowed.

`python -m benchmarks.crowd START END` adds the sample people of these numbers with that surname.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from statistics import fmean
from typing import Any

from app import container
from app.commands.sample import people
from app.core import settings
from app.users.user_records import record
from benchmarks.plan import Sizes
from benchmarks.results import Finding
from benchmarks.search_queries import Query, number
from benchmarks.search_queries.text import is_east_asian, words
from benchmarks.search_scores import score
from benchmarks.searching import PAGE, Answer, p95, searcher
from benchmarks.servers import Backends, searchable, serving
from models.user import UserInput

SURNAME = "Featherstone"
"""Nobody else's in the sample."""
OF_OVERALL = 2
_EACH = 60
_BATCH = 1_000


def measure(backends: Backends, sizes: Sizes, overall_p95: float) -> list[Finding]:
    """Half as many people as the directory has come to it, in a database of its own."""
    database = backends.database(sizes.searched, name="crowd")
    start, end = sizes.searched, sizes.searched + sizes.searched // 2
    subprocess.run(
        [sys.executable, "-m", "benchmarks.crowd", str(start), str(end)],
        env=database.environment(),
        check=True,
    )
    searchable(database)
    asked = list(_queries(list(_crowd(start, end))))  # before the connection opens: it may not rest for long
    with serving("roster", database) as roster, searcher(roster) as ours:
        return [
            finding
            for what, queries in asked
            for finding in _compare(what, queries, [ours.ask(query) for query in queries], overall_p95)
        ]


def _crowd(start: int, end: int) -> Iterator[dict[str, Any]]:
    for person in people(end - start, start=start):
        person["name"] = f"{person['name'].split()[0]} {SURNAME}"
        yield person


def _queries(crowd: list[dict[str, Any]]) -> Iterator[tuple[str, list[Query]]]:
    dice = Random(5)
    some = dice.sample([person for person in crowd if _is_plain(person)], _EACH)
    yield "the surname", [_query(crowd, SURNAME, lambda _: True)] * _EACH
    yield "given name and surname", [_with_given(crowd, person["name"]) for person in some]
    cities = [person["profile"]["addresses"][0]["city"] for person in some]
    yield "the surname with a city filter", [_in_city(crowd, city) for city in cities]


def _is_plain(person: dict[str, Any]) -> bool:
    """Whether they live somewhere, and no other form of their given name's characters is the same name."""
    return bool(person["profile"]["addresses"]) and not is_east_asian(person["name"])


def _with_given(crowd: list[dict[str, Any]], name: str) -> Query:
    meant = set(words(name))
    return _query(crowd, name, lambda person: meant <= set(words(person["name"])))


def _in_city(crowd: list[dict[str, Any]], city: str) -> Query:
    def lives(person: dict[str, Any]) -> bool:
        return any(address["city"] == city for address in person["profile"]["addresses"])

    return _query(crowd, SURNAME, lives, ("city", city))


def _query(
    crowd: list[dict[str, Any]], q: str, fits: Callable[[dict[str, Any]], bool], *filters: tuple[str, str]
) -> Query:
    return Query(q, frozenset(number(person["email"]) for person in crowd if fits(person)), filters)


def _compare(what: str, queries: list[Query], answers: list[Answer], overall_p95: float) -> Iterator[Finding]:
    took = p95([answer.took for answer in answers])
    figures = f"{took:.1f} ms to {overall_p95:.1f} ms"
    asked = f"{what} of a crowd"
    yield Finding(
        "search", f"p95 of {asked}, of the overall p95", figures, took / overall_p95, at_most=OF_OVERALL
    )
    right = [score(query, answer).recall for query, answer in zip(queries, answers, strict=True)]
    figures = f"{fmean(right):.3f}, at worst {min(right):.2f}"
    yield Finding("search", f"recall@{PAGE} of {asked}", figures, fmean(right), at_least=1)


async def fill(start: int, end: int) -> None:
    made = _crowd(start, end)
    async with container.opened(settings.load(), apply_indexes=False) as opened:
        while batch := [_document(person) for person in islice(made, _BATCH)]:
            await opened.connections.users.insert_many(batch, ordered=False)


def _document(person: dict[str, Any]) -> dict[str, Any]:
    said = {name: person[name] for name in UserInput.model_fields if name in person}
    user = record(UserInput.model_validate(said))
    document: dict[str, Any] = {"_id": user.id} | user.model_dump(exclude={"id"})
    return document


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1]), int(sys.argv[2])))

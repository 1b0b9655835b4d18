"""Finding people: how good, how fast beside a regular expression, how fast among ever more people."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

from pymongo import MongoClient

from benchmarks import creating, crowd, regex, search_sizes
from benchmarks.plan import Sizes
from benchmarks.results import Finding
from benchmarks.search_queries import Kind, Query, generate
from benchmarks.search_scores import findings, score
from benchmarks.searching import PAGE, Answer, p95, searcher
from benchmarks.servers import Backends, Database, Server, searchable, serving

OF_REGEX = {200_000: (0.1, 0.3), 1_000_000: (0.03, 0.1)}
"""By the number of users: our median of the regular expression's, and our 95th percentile of its."""
GROWTH_AT_MOST = 2.5
FEW = 10_000
_BESIDE = 60
_WARM_UP_EVERY = 10

Queries = Mapping[Kind, Sequence[Query]]


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    queries = generate(sizes.searched)
    database = searchable(backends.database(sizes.searched))
    with serving("roster", database) as roster, serving("tutorial", database) as tutorial:
        answers = _answers(roster, queries)
        beside = _beside_regex(roster, tutorial, database, queries)
    took = [answer.took for of_kind in answers.values() for answer in of_kind]
    scores = {kind: list(map(score, queries[kind], answers[kind])) for kind in queries}
    return [
        *findings(scores),
        _refused(queries, answers),
        _speed(took, sizes.searched),
        *beside,
        *_among_more(backends, sizes, queries, took),
        *crowd.measure(backends, sizes, p95(took)),
        *search_sizes.measure(database),
        creating.measure(database),
    ]


def _answers(roster: Server, queries: Queries) -> dict[Kind, list[Answer]]:
    with searcher(roster) as ours:
        for query in _all(queries)[::_WARM_UP_EVERY]:
            ours.ask(query)
        return {kind: [ours.ask(query) for query in of_kind] for kind, of_kind in queries.items()}


def _all(queries: Queries) -> list[Query]:
    return [query for of_kind in queries.values() for query in of_kind]


def _refused(queries: Queries, answers: Mapping[Kind, Sequence[Answer]]) -> Finding:
    refused = [
        f"{answer.status} for `{query.q}`"
        for kind in queries
        for query, answer in zip(queries[kind], answers[kind], strict=True)
        if answer.status != 200
    ]
    figures = "; ".join(refused[:3]) or "none"
    return Finding("search", "queries that were refused or failed", figures, float(len(refused)), at_most=0)


def _speed(took: Sequence[float], users: int) -> Finding:
    figures = f"median {median(took):.1f} ms, p95 {p95(took):.1f} ms, slowest {max(took):.1f} ms"
    return Finding("search", f"`GET /users?q=`, {len(took)} queries over {users:,} users", figures)


def _beside_regex(roster: Server, tutorial: Server, database: Database, queries: Queries) -> list[Finding]:
    """In turn: each expression scans everybody. It knows no filters, so queries with one are left out."""
    ours: list[float] = []
    index_read: list[float] = []
    theirs: list[float] = []
    right: list[float] = []
    with (
        searcher(roster) as asks,
        searcher(tutorial, "/users/search") as asks_tutorial,
        MongoClient[dict[str, Any]](database.mongo_uri) as client,
    ):
        users = client.get_default_database()["users"]
        for query in _some(queries):
            ours.append(asks.ask(query).took)
            index_read.append(regex.ask(users, query.q, PAGE))
            answer = asks_tutorial.ask(query)
            theirs.append(answer.took)
            right.append(score(query, answer).recall)
    return [
        Finding(
            "search", f"recall@{PAGE} of the tutorial's `$regex`: {len(right)} queries", f"{fmean(right):.3f}"
        ),
        *_of_regex("`$regex` through the index_read alone", ours, index_read, database.users),
        *_of_regex("the tutorial's `$regex`", ours, theirs, database.users),
    ]


def _some(queries: Queries) -> list[Query]:
    """The first of each kind, then the second, and so on."""
    plain = [of_kind for kind, of_kind in queries.items() if kind.group != "narrowed"]
    turns = [query for turn in zip(*plain, strict=False) for query in turn if not query.filters]
    return turns[:_BESIDE]


def _of_regex(whose: str, ours: list[float], theirs: list[float], users: int) -> Iterable[Finding]:
    at_most = OF_REGEX.get(users, (None, None))
    values = (median(ours), p95(ours)), (median(theirs), p95(theirs))
    for name, one, other, promised in zip(("median", "p95"), *values, at_most, strict=True):
        what = f"`GET /users?q=` over {users:,} users: {name}, of that of {whose}"
        yield Finding("search", what, f"{one:.1f} ms to {other:.1f} ms", one / other, at_most=promised)


def _among_more(backends: Backends, sizes: Sizes, queries: Queries, took: Sequence[float]) -> list[Finding]:
    """The same queries about the same people, among fewer and more others."""
    found: list[Finding] = []
    medians = {sizes.searched: median(took)}
    for users in filter(None, (FEW, sizes.searched_most)):
        database = searchable(backends.database(users))
        with serving("roster", database) as roster, serving("tutorial", database) as tutorial:
            times = [one.took for of_kind in _answers(roster, queries).values() for one in of_kind]
            medians[users] = median(times)
            found.append(_speed(times, users))
            if users in OF_REGEX:
                found += _beside_regex(roster, tutorial, database, queries)
    most = max(medians)
    what = f"median of `GET /users?q=` over {most:,} users, of that over {FEW:,}"
    figures = "; ".join(f"{users:,}: {medians[users]:.1f} ms" for users in sorted(medians))
    return [*found, Finding("search", what, figures, medians[most] / medians[FEW], at_most=GROWTH_AT_MOST)]

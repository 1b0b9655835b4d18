"""`python -m tools.index_contract` writes what every filter and order of a listing costs, by `explain`.

The listing itself is asked for its pages; only the collection under it explains each query instead of running
it. The sample people and their ids are always the same, and so are the figures on one version of MongoDB.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast, get_args

from bson import ObjectId
from pymongo import AsyncMongoClient, MongoClient

from app.commands.sample import people
from app.core.cursors import Position
from app.core.mongo import BSON, Collection
from app.database import indexes
from app.listing.pages import Page, page
from app.listing.queries import build
from app.users.selections import choose
from app.users.user_records import hidden
from models.listing import Filter, ListQuery, Missable
from models.user import (
    FACETS,
    KEPT,
    PARTS,
    SORTED,
    AddressInput,
    Credentials,
    ProfileInput,
    User,
    UserInput,
)
from tests.support.servers import MongoServer

USERS = 20_000
"""Four hundred pages: a query whose cost grows with the directory shows here as it would among millions.

What a cheap page reads does not depend on the number, and bounded ones read a share of it. `make bench` times
a million.
"""
LIMIT = 50
_BATCH = 2_000
SORTS = ("created_at", "updated_at", "last_login_at", "name", "email", "username", "age")
"""Those of which sample people have values; likewise the filters."""
MANY = frozenset(name for name, field in Filter.model_fields.items() if "list" in str(field.annotation))

FILTERS: dict[str, str] = {
    "is_active": "true",
    "email_verified": "true",
    "tag": "vip",
    "scope": "users:read",
    "department": "Sales",
    "city": "Berlin",
    "country": "DE",
    "age_min": "40",
    "age_max": "30",
    "created_from": "2026-01-01",
    "created_to": "2024-01-01",
    "updated_from": "2026-01-01",
    "updated_to": "2024-01-01",
    "last_login_from": "2026-01-01",
    "last_login_to": "2025-01-01",
    **{f"missing:{name}": name for name in get_args(Missable)},
}
"""A value of each filter that many match; those of the unique fields are some sample person's."""

UNIQUE = ("id", "email", "username", "phone")

EXPRESSIONS = (
    'id eq "{id}"',
    'email eq "{email}"',
    'username eq "{username}"',
    'phone eq "{phone}"',
    'email sw "c"',
    'username ge "m"',
    'phone sw "+44"',
    'name eq "charlie macleod"',
    'name sw "cha"',
    'name gt "m"',
    "age eq 40",
    "age gt 30 and age le 40",
    'created_at ge "2026-01-01T00:00:00Z"',
    'last_login_at lt "2025-01-01T00:00:00Z"',
    "is_active eq true",
    "is_active ne true",
    'tag eq "vip"',
    'tag eq "vip" or tag eq "staff"',
    'department eq "Sales" and created_at ge "2025-01-01"',
    'department sw "Sa"',
    'addresses[city eq "Berlin"]',
    "username pr",
    "phone pr",
    "department pr",
    "not (phone pr)",
    "not (department pr)",
    'username ne "cmacleod0"',
    'not (department eq "Sales")',
    'email eq "{email}" or username eq "{username}"',
    'city eq "Berlin" and (age lt 30 or not (phone pr))',
)
"""Comparisons of the filter language, each kind with each operator that serves it, and some joined."""

REASONS = {
    **{field.name: f"`sort={field.name}`." for field in SORTED},
    **{
        f"{field.called}_missing": f"`missing={field.called}`, in the default order."
        for field in FACETS
        if field.may_be_missing and field not in PARTS
    },
    "_id_": "MongoDB's own. `id=`.",
    "email": "No two accounts with one e-mail; signing in; `email=`; `sort=email`. Holds strings only, so "
    "that rows of other programs without the key do not collide.",
    "email_missing": "The end of `sort=email`: users without the key. Empty in a sound directory, so that no "
    "write pays for it.",
    "username": "No two accounts with one username; `username=`; `sort=username`. Holds strings only: most "
    "missing ones are stored as null, and nulls would collide.",
    "username_missing": "The end of `sort=username`: users without one, by id, whom the unique index leaves "
    "out.",
    "phone": "No two accounts with one phone number; `phone=`.",
    "phone_missing": "`missing=phone`, in the default order: it holds only those users.",
    "department_missing": "`missing=department`, likewise.",
    "tag_missing": "`missing=tag`, likewise.",
    "scope_missing": "`missing=scope`, likewise. Nearly empty in most directories.",
    "created_at": "The default order; `created_from`, `created_to`.",
    "updated_at": "`sort=updated_at`; `updated_from`, `updated_to`: what a synchronising client asks.",
    "last_login_at": "`sort=last_login_at`; `last_login_from`, `last_login_to`.",
    "name": "`sort=name`: accents and case ignored, Chinese by pinyin.",
    "age": "`sort=age`; `age_min`, `age_max`.",
    "locale": "How many people have which, for `GET /statistics`. It holds only those who have one.",
    "facets": "One entry for each value of `is_active`, `email_verified`, `tag`, `scope`, `department`, "
    "`city` and `country` a user has, each followed by `created_at` and the id: one index instead of seven "
    "serves every equality filter in the default order, with `created_from` and `created_to` on top.",
    "search_words": "`q`: one entry for each word that finds a user, each followed by the sort key of the "
    "name and the id, so that everybody who holds a common word can be paged through in the order of names.",
    "search_digits": "`q` with a phone number or a part of one: one entry for each place in the number from "
    "which three digits or more follow.",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What the queries of one page did, together."""

    indexes: tuple[str, ...]
    keys: int
    documents: int
    rows: int
    sorted: int
    """Rows sorted in memory."""
    scans: bool
    """Whether the collection is read without an index."""
    queries: int

    def is_cheap(self, values: int = 1) -> bool:
        keys = 1.1 * self.rows + self.queries * (1 + values)
        return not self.scans and not self.sorted and self.keys <= keys


class Explainer:
    """Stands for the collection: explains what it is asked to find, and answers with as many empty rows.

    With `answers`, the answers are the real ones, which an offset needs.
    """

    def __init__(self, users: Collection, *, answers: bool) -> None:
        self._users = users
        self._answers = answers
        self._plans: list[dict[str, Any]] = []
        self.name = users.name
        self.codec_options = users.codec_options
        self.database = self

    async def command(self, command: dict[str, Any], **options: Any) -> dict[str, Any]:
        """In the place of the database, by whose command a page is fetched."""
        database = self._users.database
        if "find" not in command:
            return await database.command(command, **options)
        plan = await database.command("explain", command, verbosity="executionStats")
        self._plans.append(plan["executionStats"])
        if self._answers:
            return await database.command(command, **options)
        rows = [{"_id": ObjectId()} for _ in range(plan["executionStats"]["nReturned"])]
        return {"cursor": {"id": 0, "firstBatch": rows}}

    def find(self, *args: Any, **asked: Any) -> "Explainer":
        self._cursor = self._users.find(*args, **asked)
        return self

    async def find_one(self, *args: Any) -> dict[str, Any] | None:
        rows = await self.find(*args, limit=-1).to_list()
        return rows[0] if rows else None

    async def to_list(self) -> list[dict[str, Any]]:
        plan = await self._cursor.explain()
        self._plans.append(plan["executionStats"])
        if self._answers:
            return await self._cursor.clone().to_list()
        return [{"_id": ObjectId()} for _ in range(plan["executionStats"]["nReturned"])]

    async def count_documents(self, *args: Any, **asked: Any) -> int:
        return await self._users.count_documents(*args, **asked)

    def cost(self) -> Cost:
        stages = [stage for plan in self._plans for stage in _stages(plan["executionStages"])]
        asked = [(stage["indexName"], stage["keysExamined"]) for stage in stages if "indexName" in stage]
        used = [name for name, keys in asked if keys] or [name for name, _ in asked]
        sorts = [stage["inputStage"]["nReturned"] for stage in stages if stage["stage"] == "SORT"]
        return Cost(
            indexes=tuple(dict.fromkeys(used)),
            keys=sum(plan["totalKeysExamined"] for plan in self._plans),
            documents=sum(plan["totalDocsExamined"] for plan in self._plans),
            rows=sum(plan["nReturned"] for plan in self._plans),
            sorted=sum(sorts),
            scans=any(stage["stage"] == "COLLSCAN" for stage in stages),
            queries=len(self._plans),
        )


def _stages(stage: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield stage
    for inner in (*stage.get("inputStages", ()), *([stage["inputStage"]] if "inputStage" in stage else ())):
        yield from _stages(inner)


class Directory:
    """Sample people, and what it costs to list them."""

    def __init__(self, users: Collection) -> None:
        self.users = users

    async def page(self, asked: ListQuery, start: Position | None = None) -> Page:
        return await self._page(self.users, asked, start, 0)

    async def explain(self, asked: ListQuery, start: Position | None = None, *, skip: int = 0) -> Cost:
        explainer = Explainer(self.users, answers=skip > 0)
        await self._page(cast("Collection", explainer), asked, start, skip)
        return explainer.cost()

    async def _page(self, users: Collection, asked: ListQuery, start: Position | None, skip: int) -> Page:
        projection, _ = choose(asked.fields)
        return await page(
            users, build(asked), projection, limit=asked.limit, start=start, skip=skip, budget_s=60
        )

    async def examples(self) -> dict[str, Any]:
        """Each filter with a value."""
        person = await self.users.find_one(
            {"username": {"$ne": None}, "phone": {"$ne": None}}, sort=[("_id", 1)]
        )
        assert person is not None
        return {"id": str(person["_id"]), **{name: person[name] for name in UNIQUE[1:]}, **FILTERS}


def query(**asked: Any) -> ListQuery:
    """As a query string would say it: a repeatable filter may be given as one value."""
    return ListQuery.model_validate(
        {
            name.partition(":")[0]: [value]
            if name.partition(":")[0] in MANY and isinstance(value, str)
            else value
            for name, value in asked.items()
            if value is not None
        }
    )


def is_promised(asked: ListQuery) -> bool:
    return build(asked).is_cheap


def fill(uri: str, count: int) -> None:
    """Sample people with ids by their number; unchecked, as it is a lot of people."""
    made = enumerate(people(count))
    with MongoClient[dict[str, Any]](uri) as client:
        users = client.get_default_database()[User.Settings.name]
        while batch := [
            {"_id": ObjectId(f"{number:024x}")} | stored(person) for number, person in islice(made, _BATCH)
        ]:
            users.insert_many(batch, ordered=False)


def stored(person: dict[str, Any]) -> dict[str, Any]:
    """What `app.commands.samples` would store, without the id; a test compares the two."""
    addresses = [
        dict.fromkeys(AddressInput.model_fields) | address for address in person["profile"]["addresses"]
    ]
    said: dict[str, Any] = {
        **UserInput.model_construct(name="", email="").model_dump(),
        **dict.fromkeys(("last_login_at", "last_login_ip")),
        **KEPT,
        **person,
        "profile": ProfileInput().model_dump() | person["profile"] | {"addresses": addresses},
        "updated_at": person["created_at"],
        "version": 1,
        "credentials": Credentials().model_dump(),
    }
    kept, _ = hidden(said)
    return said | kept


async def opened(uri: str, count: int) -> tuple[AsyncMongoClient[dict[str, Any]], Directory]:
    """A directory of `count` people in the empty database; the caller closes the client."""
    await asyncio.to_thread(fill, uri, count)
    client = AsyncMongoClient[dict[str, Any]](uri)
    database = client.get_default_database()
    await indexes.apply(database)
    return client, Directory(database[User.Settings.name].with_options(codec_options=BSON))


async def measure(directory: Directory) -> dict[tuple[str, str], Cost]:
    """The cost of the first page, by filter (or none) and sort; "" is the default order."""
    costs = {}
    for name, value in {"": None, **await directory.examples()}.items():
        given = {name: value} if name else {}
        for sort in ("", *chain.from_iterable((field, f"-{field}") for field in SORTS)):
            costs[name, sort] = await directory.explain(query(**given, sort=sort or None))
    return costs


async def measure_expressions(directory: Directory) -> dict[str, Cost]:
    """The cost of the first page of each expression, in its default order."""
    examples = await directory.examples()
    return {text: await directory.explain(_expression(text, examples)) for text in EXPRESSIONS}


def _expression(text: str, examples: Mapping[str, Any]) -> ListQuery:
    return query(filter=text.format_map(examples))


def document(
    costs: Mapping[tuple[str, str], Cost],
    expressions: Mapping[str, Cost],
    examples: Mapping[str, Any],
    version: str,
) -> str:
    return TEXT.format(
        version=version,
        users=f"{USERS:,}",
        limit=LIMIT,
        indexes="\n".join(_index_rows()),
        alone="\n".join(_alone_rows(costs, examples)),
        expressions="\n".join(_expression_rows(expressions, examples)),
        pairs="\n".join(_pair_rows(costs, examples)),
    )


def _index_rows() -> Iterator[str]:
    yield _row("Index", "Keys", "Kind", "Reason")
    yield _row(*["---"] * 4)
    yield _row("`_id_`", "`_id`", "unique", REASONS["_id_"])
    for name, index in indexes.declared().items():
        kind = "unique" if index.get("unique") else ""
        if "partialFilterExpression" in index:
            [condition] = index["partialFilterExpression"].values()
            kind = f"{kind}, only strings" if condition else "only null or missing"
            kind = "only empty" if condition == [] else kind
        yield _row(
            f"`{name}`", ", ".join(f"`{key}`" for key in index["key"]), kind.strip(", "), REASONS[name]
        )


_FIGURES = ("Index", "Keys", "Users read", "Rows", "Sorted in memory")


def _figures(cost: Cost) -> tuple[str, ...]:
    used = ", ".join(f"`{name}`" for name in cost.indexes)
    return (used, *(f"{count:,}" for count in (cost.keys, cost.documents, cost.rows, cost.sorted)))


def _alone_rows(costs: Mapping[tuple[str, str], Cost], examples: Mapping[str, Any]) -> Iterator[str]:
    yield _row("Filter", "Sort", *_FIGURES)
    yield _row(*["---"] * 7)
    for (name, sort), cost in costs.items():
        if not name or not sort:
            given = f"`{name.partition(':')[0]}={examples[name]}`" if name else "none"
            order = f"`{sort}`" if sort else f"none, so `{build(query(**_given(name, examples))).sort}`"
            yield _row(given, order, *_figures(cost))


def _expression_rows(costs: Mapping[str, Cost], examples: Mapping[str, Any]) -> Iterator[str]:
    yield _row("Expression", "Sort", "Class", *_FIGURES)
    yield _row(*["---"] * 8)
    for text, cost in costs.items():
        asked = build(_expression(text, examples))
        kind = "cheap" if asked.is_cheap else "bounded"
        yield _row(f"`{text.format_map(examples)}`", f"`{asked.sort}`", kind, *_figures(cost))


def _pair_rows(costs: Mapping[tuple[str, str], Cost], examples: Mapping[str, Any]) -> Iterator[str]:
    yield _row("Filter", "Sort", "Class", *_FIGURES)
    yield _row(*["---"] * 8)
    for name in examples:
        for field in SORTS:
            up, down = costs[name, field], costs[name, f"-{field}"]
            sides = (
                ((f"`{field}`, `-{field}`", up),)
                if up == down
                else ((f"`{field}`", up), (f"`-{field}`", down))
            )
            promised = is_promised(query(**_given(name, examples), sort=field))
            for sort, cost in sides:
                yield _row(
                    f"`{name.replace(':', '=')}`", sort, "cheap" if promised else "bounded", *_figures(cost)
                )


def _given(name: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    return {name: examples[name]} if name else {}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


TEXT = """\
# Indexes

What each listing costs. Written by `make snapshots` and compared by a test: {users} sample users on MongoDB
{version}, the first page of {limit} (which asks for one row more, to know whether a next page follows),
explained with exactly the queries that the listing sends.

## The indexes

Each costs something on every write, so each has its reason.

{indexes}

## The default order

Without `sort`, users come by `created_at`; if the only filters are a range of `updated_at`, `last_login_at`
or `age`, they come by that field, so that one index both finds and sorts them; if the only filter is
`missing=` with `username`, `age` or `last_login_at`, users without it come by id, for the same reason. Ties
are broken by id. Users without the value of the order come last in both directions.

## Promises

- No listing reads the collection without an index.
- **cheap**: at most 1.1 index keys for each row, plus two, and nothing sorted in memory, on every page,
  forward and backward, at any depth and any number of users. (A page that comes to the end looks for
  users without the value: a query with two keys of its own.) This holds for
  - each sort alone;
  - each filter alone in the default order, but for `missing=city` and `missing=country`;
  - one of `is_active`, `email_verified`, `tag`, `scope`, `department`, `city`, `country` in the order of
    `created_at`, also with `created_from` and `created_to`;
  - several values of one of those seven: each value costs one key more, and so does each further value that
    one user has;
  - one `id`, `email`, `username` or `phone`, with whatever else: one key.
- **bounded**: the other pairs. MongoDB either walks the order's index and leaves out users that the filter
  does not match, or finds those that it matches and sorts them. Which is better depends on the values; the
  figures below are those of the sample. Such a page has a time budget (`ROSTER_QUERY_BUDGET_MS`, 2 seconds
  by default). Past it the reply is 422 `query_too_expensive`, which says what to add: a filter that few
  users match (`city`, `department` or `tag`; else `email`, `username`, `phone` or `id`), a range of the
  field that orders, or no `sort`.
- With a cheap query, `skip` examines one key for each skipped user (at most 10,000) and reads no users,
  except with `missing`. `count` examines one key for each counted user and reads none, with the same
  exception, within a budget of its own (`ROSTER_COUNT_BUDGET_MS`); the reply says if it gave up.
- A list in place of a date, a number or a key makes MongoDB sort that order in memory until its index is
  built anew. Only another program can store one, and only past the collection's validator.

## Each sort and each filter alone: cheap

{alone}

## The filter language

`filter=` takes expressions of [RFC 7644, section 3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2).
An index serves these comparisons; every other one is refused, with the ones that would be served:

| Fields | Operators |
| --- | --- |
| `email`, `username`, `name` | `eq ne gt ge lt le sw pr`, ignoring case, and in names accents |
| `phone` | `eq ne sw pr` |
| `id` | `eq ne pr` |
| `tag`, `scope`, `department`, `city`, `country` | `eq ne sw pr` |
| `is_active`, `email_verified` | `eq ne pr` |
| `age`, `created_at`, `updated_at`, `last_login_at` | `eq ne gt ge lt le pr` |

No index serves `co` and `ew`: `q` finds parts of words. Whether a part must not hold (`ne`, `not`) is
looked up for each user of the order's index, or for each whom another part finds: a bounded pair.

{expressions}

## Each filter with each sort

{pairs}
"""


async def _main() -> str:
    with tempfile.TemporaryDirectory() as folder, MongoServer(Path(folder)) as server:
        client, directory = await opened(server.uri, USERS)
        async with client:
            version = (await client.server_info())["version"]
            return document(
                await measure(directory),
                await measure_expressions(directory),
                await directory.examples(),
                version,
            )


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(_main()))

"""docs/indexes.md is true, and what it promises holds: on 20,000 sample users, by `explain`.

No more are needed: of them a page that is not cheap reads hundreds of keys, and a cheap one 50. What a page
reads is counted, not timed; the time that a million users take is the benchmarks' to measure.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from app.commands import samples
from app.commands.sample import people
from app.core.cursors import Position
from app.database import indexes
from app.listing.orders import MISSING
from app.users import user_records
from models.listing import ListQuery
from tests.support.servers import MongoServer
from tools.index_contract import (
    FILTERS,
    LIMIT,
    REASONS,
    SORTS,
    UNIQUE,
    USERS,
    Cost,
    Directory,
    document,
    is_promised,
    measure,
    measure_expressions,
    opened,
    query,
    stored,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "indexes.md"
BOTH_WAYS = [*SORTS, *(f"-{field}" for field in SORTS)]
MISSABLE = ["last_login_at", "-last_login_at", "username", "-username", "age", "-age"]
BOUNDED_ALONE = ["missing:city", "missing:country"]
"""No partial index can hold whose addresses all lack something."""


@pytest.fixture(scope="module")
async def directory(mongo_server: MongoServer) -> AsyncIterator[Directory]:
    client, directory = await opened(mongo_server.uri_of("index_contract"), USERS)
    async with client:
        yield directory
        await client.drop_database("index_contract")


@pytest.fixture(scope="module")
async def examples(directory: Directory) -> dict[str, Any]:
    return await directory.examples()


@pytest.fixture(scope="module")
async def costs(directory: Directory) -> dict[tuple[str, str], Cost]:
    return await measure(directory)


@pytest.fixture(scope="module")
async def expressions(directory: Directory) -> dict[str, Cost]:
    return await measure_expressions(directory)


async def test_the_document_says_what_each_listing_costs(
    mongo_server: MongoServer,
    costs: dict[tuple[str, str], Cost],
    expressions: dict[str, Cost],
    examples: dict[str, Any],
) -> None:
    with MongoClient[dict[str, Any]](mongo_server.uri) as client:
        version = client.server_info()["version"]
    written, measured = DOCUMENT.read_text(), document(costs, expressions, examples, version)
    if version not in written:  # another version may choose otherwise where the choice is its own
        written, measured = (text.partition("## Each filter with")[0] for text in (written, measured))
        written, measured = (text.partition("## Promises")[2] for text in (written, measured))
    assert measured == written, "the costs have changed: run `make snapshots` and look at the difference"


@pytest.mark.usefixtures("client")  # the app binds the document class
async def test_the_sample_is_what_the_sample_command_stores() -> None:
    for one, other in zip(people(300), people(300), strict=True):
        assert stored(one) == {
            key: part for key, part in user_records.document(samples._record(other)).items() if key != "_id"
        }


async def test_every_index_has_its_reason() -> None:
    assert REASONS.keys() == indexes.declared().keys() | {"_id_"}


async def test_no_pair_of_filter_and_sort_scans_the_collection(costs: dict[tuple[str, str], Cost]) -> None:
    assert len(costs) == (1 + len(UNIQUE) + len(FILTERS)) * (1 + len(BOTH_WAYS))
    assert not [pair for pair, cost in costs.items() if cost.scans or not cost.indexes]


async def test_no_expression_scans_the_collection_and_those_that_are_called_cheap_are(
    expressions: dict[str, Cost], examples: dict[str, Any]
) -> None:
    assert not [text for text, cost in expressions.items() if cost.scans or not cost.indexes]
    promised = [text for text in expressions if is_promised(query(filter=text.format_map(examples)))]
    assert len(promised) == 21
    assert not {text: expressions[text] for text in promised if not expressions[text].is_cheap(values=2)}


async def test_each_sort_alone_and_each_filter_alone_is_cheap(costs: dict[tuple[str, str], Cost]) -> None:
    alone = {pair: cost for pair, cost in costs.items() if not all(pair)}
    assert len(alone) == 1 + len(BOTH_WAYS) + len(UNIQUE) + len(FILTERS)
    cheap = {pair: cost for pair, cost in alone.items() if pair[0] not in BOUNDED_ALONE}
    assert not {pair: cost for pair, cost in cheap.items() if not cost.is_cheap()}
    assert all(cost.keys <= 1.1 * cost.rows + 2 for cost in cheap.values())


async def test_every_pair_that_is_called_cheap_is_cheap(
    costs: dict[tuple[str, str], Cost], examples: dict[str, Any]
) -> None:
    promised = [
        (name, sort)
        for name in examples
        for sort in BOTH_WAYS
        if is_promised(query(**{name: examples[name]}, sort=sort))
    ]
    alone = len(FILTERS) - len(BOUNDED_ALONE)
    assert len(promised) == len(UNIQUE) * len(BOTH_WAYS) + alone * 2
    assert not {pair: costs[pair] for pair in promised if not costs[pair].is_cheap()}


async def test_one_id_email_username_or_phone_examines_one_key_in_any_order(
    costs: dict[tuple[str, str], Cost],
) -> None:
    points = {pair: cost for pair, cost in costs.items() if pair[0] in UNIQUE}
    assert not {pair: cost for pair, cost in points.items() if (cost.keys, cost.rows) != (1, 1)}
    assert {pair[0]: cost.indexes for pair, cost in points.items()} == {
        "id": ("_id_",), "email": ("email",), "username": ("username",), "phone": ("phone",)
    }  # fmt: skip


@pytest.mark.parametrize("sort", BOTH_WAYS)
async def test_a_page_in_the_middle_of_a_sort_costs_what_the_first_costs(
    directory: Directory, sort: str
) -> None:
    await _check_both_ways(directory, query(sort=sort))


@pytest.mark.parametrize("name", [name for name in FILTERS if name not in {*BOUNDED_ALONE, "missing:scope"}])
async def test_a_page_in_the_middle_of_a_filter_costs_what_the_first_costs(
    directory: Directory, name: str
) -> None:
    await _check_both_ways(directory, query(**{name: FILTERS[name]}))


@pytest.mark.parametrize(
    "given",
    [
        *({"sort": sort} for sort in BOTH_WAYS),
        *({"sort": sort, "tag": "vip"} for sort in ("created_at", "-created_at")),
        *({"sort": sort, "age_min": 30, "age_max": 60} for sort in ("age", "-age")),
    ],
)
async def test_a_page_that_starts_at_a_row_is_cheap(directory: Directory, given: dict[str, Any]) -> None:
    asked = query(**given)
    following = (await directory.page(asked)).next
    assert following is not None
    cost = await directory.explain(asked, replace(following, inclusive=True))
    assert cost.rows == LIMIT + 1
    assert cost.is_cheap(), cost


@pytest.mark.parametrize("sort", ["created_at", "-created_at"])
async def test_a_filter_within_a_range_of_creation_is_cheap(directory: Directory, sort: str) -> None:
    await _check_both_ways(
        directory, query(tag="vip", created_from="2024-01-01", created_to="2026-01-01", sort=sort)
    )


@pytest.mark.parametrize("sort", MISSABLE)
async def test_a_page_of_users_who_miss_the_value_is_cheap(directory: Directory, sort: str) -> None:
    middle = Position(MISSING, None, ObjectId(f"{USERS // 2:024x}"))
    for start in (middle, Position(MISSING, None, middle.id, backward=True)):
        cost = await directory.explain(query(sort=sort), start)
        assert cost.rows == LIMIT + 1
        assert cost.is_cheap(), cost


@pytest.mark.parametrize("sort", BOTH_WAYS)
async def test_the_last_page_of_a_sort_is_cheap(directory: Directory, sort: str) -> None:
    near_the_end = ObjectId(f"{60 if sort.startswith('-') else USERS - 60:024x}")
    cost = await directory.explain(query(sort=sort), Position(MISSING, None, near_the_end))
    assert cost.queries == 1
    assert cost.is_cheap(), cost


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("city", ["Berlin", "Paris"]),
        ("city", ["Berlin", "Paris", "London", "Tokyo", "nowhere"]),
        ("is_active", ["true", "false"]),
        ("department", ["Sales", "Finance"]),
        ("tag", [f"no-{number}" for number in range(48)] + ["vip", "staff"]),
    ],
)
@pytest.mark.parametrize("sort", ["created_at", "-created_at"])
async def test_several_values_of_a_filter_cost_a_key_more_each(
    directory: Directory, name: str, values: list[str], sort: str
) -> None:
    await _check_both_ways(directory, query(**{name: values}, sort=sort), values=len(values))


async def test_users_with_several_of_the_values_cost_as_many_keys(directory: Directory) -> None:
    cost = await directory.explain(query(scope=["me", "users:read"]))
    assert not cost.sorted
    assert cost.keys <= 2 * cost.rows + 3


@pytest.mark.parametrize("sort", BOTH_WAYS)
async def test_skipping_reads_keys_but_no_users(directory: Directory, sort: str) -> None:
    cost = await directory.explain(query(sort=sort), skip=5_000)
    assert cost.rows == LIMIT + 2  # one more is read to find the offset
    assert cost.keys <= 5_000 + 1.1 * cost.rows + 4
    assert cost.documents <= 1.1 * cost.rows + 2
    assert not cost.sorted


async def test_several_filters_in_any_order_use_an_index(directory: Directory) -> None:
    for sort in ("created_at", "-name", "username"):
        for given in (
            {"city": "Berlin", "tag": "vip"},
            {"city": ["Berlin", "Paris"], "age_min": 30},
            {"is_active": "true", "department": "Sales", "last_login_from": "2025-06-01"},
            {"email": ["a@example.com", "b@example.com"]},
            {"id": [f"{number:024x}" for number in range(0, USERS, 1000)]},
            {"age_min": 30, "created_from": "2025-01-01"},
        ):
            asked = query(**given, sort=sort)
            cost = await directory.explain(asked)
            assert not cost.scans, (given, sort)
            following = (await directory.page(asked)).next
            assert following is None or not (await directory.explain(asked, following)).scans, (given, sort)


async def _check_both_ways(directory: Directory, asked: ListQuery, values: int = 1) -> None:
    """First, second and third page and the second again from behind."""
    first = await directory.page(asked)
    assert (await directory.explain(asked)).is_cheap(values), "first page"
    second = await directory.page(asked, first.next)
    assert second.next is not None
    for start in (first.next, second.next, (await directory.page(asked, second.next)).previous):
        cost = await directory.explain(asked, start)
        assert cost.is_cheap(values), (start, cost)
        assert cost.rows in {LIMIT, LIMIT + 1}

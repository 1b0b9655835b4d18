"""Searches in which letters are wrong and others not typed yet, or in which two of few letters are wrong."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.commands import samples
from tests.support.databases import PreparedDatabases
from tests.support.listing import resources
from tests.support.search import found, search, somebody, store, suggested

SETH, KATHARINA, IGNAZ, OTHER = "Seth Jonker", "Katharina Quellmalz", "Ignaz Xaverius", "Seth Johansen"


@pytest.fixture(scope="module")
async def town(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving() as client:
        await samples.add(resources(client), 200)
        await store(client, [somebody(name) for name in (SETH, KATHARINA, IGNAZ, OTHER)])
        yield client


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("seth jonm", SETH),
        ("seth jnok", SETH),
        ("seth jxonk", SETH),
        ("seth onke", SETH),
        ("quellmalz kathaxi", KATHARINA),
        ("kathaxi", KATHARINA),
        ("katahri", KATHARINA),
        ("katharib", KATHARINA),
        ("quelmalt", KATHARINA),
        ("qwellm", KATHARINA),
        ("ignaz xavr", IGNAZ),
    ],
)
async def test_a_typo_in_a_half_typed_word_finds_the_person(
    town: httpx.AsyncClient, q: str, name: str
) -> None:
    assert name in await found(town, q, limit=10)
    assert name in [item["name"] for item in await suggested(town, q)]


async def test_it_says_that_the_word_is_half_typed(town: httpx.AsyncClient) -> None:
    (item,) = await search(town, "quellmalz kathaxi", highlight="true")
    assert item["match"]["kind"] == "begun_typo"
    assert item["match"]["fields"] == {"name": [[0, 9], [10, 19]]}


async def test_what_is_typed_right_comes_alone(town: httpx.AsyncClient) -> None:
    """Johansen is one typo away from what was typed, too."""
    assert await found(town, "seth jonk") == [SETH]
    assert await found(town, "seth joha") == [OTHER]


async def test_only_the_last_word_is_half_typed(town: httpx.AsyncClient) -> None:
    assert await found(town, "jonm seth") == []
    assert await found(town, 'seth \'"jonm"') == []


async def test_three_letters_are_too_few(town: httpx.AsyncClient) -> None:
    assert await found(town, "seth jxn") == []


@pytest.mark.parametrize(
    ("q", "name"), [("jxxker", SETH), ("seth jnkr", SETH), ("igxxz", IGNAZ), ("xverus", IGNAZ)]
)
async def test_two_typos_in_a_short_word_find_the_person_where_nobody_is_nearer(
    town: httpx.AsyncClient, q: str, name: str
) -> None:
    assert (await found(town, q))[0] == name
    assert (await search(town, q, highlight="true"))[0]["match"]["kind"] == "two_typos"


async def test_four_letters_with_two_typos_find_nobody(town: httpx.AsyncClient) -> None:
    assert SETH not in await found(town, "sxxh")


@pytest.mark.parametrize("q", ["ellmal", "quellmalz harin", "veriu"])
async def test_letters_from_the_middle_of_a_word_find_the_person(town: httpx.AsyncClient, q: str) -> None:
    (item,) = await search(town, q, highlight="true")
    assert item["name"] in {KATHARINA, IGNAZ}
    assert item["match"]["kind"] == "inside"

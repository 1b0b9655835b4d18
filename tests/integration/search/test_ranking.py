"""The order of what `q` finds: usernames by their signs, names by how much of them was typed."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.listing import flat, walk
from tests.support.search import found, search, somebody, store

SIGNS = ["a_ndx1", "a.ndx1", "a-ndx1", "andx1"]
MARIONS = [f"Marion Rothenfels{number}" for number in range(600)]


@pytest.fixture(scope="module")
async def club(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving() as client:
        people = [somebody(f"Person {n}", username=name) for n, name in enumerate(SIGNS)]
        people += [somebody(name, email=f"marion{n}@order.example") for n, name in enumerate(MARIONS)]
        people += [somebody("Marion Zweig-Maier"), somebody("Marion Marionow"), somebody("Aaron Marion Zett")]
        people += [somebody("Whole Marion Name", username="marion")]
        await store(client, people)
        yield client


@pytest.mark.parametrize("name", SIGNS)
async def test_the_username_with_just_these_signs_comes_first(club: httpx.AsyncClient, name: str) -> None:
    for typed in (name, name.upper(), f"username:{name}"):
        items = await search(club, typed, fields="username", highlight="true")
        assert items[0]["username"] == name
        assert {item["username"] for item in items} >= set(SIGNS[:3])
        assert items[0]["match"]["kind"] == "exact"
        assert items[0]["match"]["score"] >= items[1]["match"]["score"]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_pages_have_the_user_of_the_username_once(club: httpx.AsyncClient, limit: int) -> None:
    met = flat(await walk(club, q="andx1", limit=limit))
    assert len(met) == len(set(met)) == len(SIGNS)


async def test_a_username_comes_before_a_crowd_of_that_name(club: httpx.AsyncClient) -> None:
    assert (await found(club, "marion", limit=3))[0] == "Whole Marion Name"
    assert (await found(club, "marion", limit=1)) == ["Whole Marion Name"]
    assert (await found(club, "marion", limit=3, is_active="false")) == []


async def test_one_word_does_not_meet_two_words_of_the_query(club: httpx.AsyncClient) -> None:
    assert sorted(await found(club, "Marion M")) == ["Marion Marionow", "Marion Zweig-Maier"]
    assert sorted(await found(club, "m marion")) == ["Marion Marionow", "Marion Zweig-Maier"]
    assert await found(club, "marion mai") == ["Marion Zweig-Maier"]


async def test_names_of_which_more_was_typed_come_first(club: httpx.AsyncClient) -> None:
    """By the alphabet, Aaron would be the first."""
    assert await found(club, "marion z", limit=2) == ["Aaron Marion Zett", "Marion Zweig-Maier"]
    assert await found(club, "marion zett", limit=1) == ["Aaron Marion Zett"]

"""Searches by e-mail addresses and phone numbers: misspelt, in part, and with a name beside them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.search import found, search, somebody, store

CASTLE, ANN, ZERO, NAMESAKE = "Somebody Castle", "Annegret Smithson", "Zeno Nulldorf", "Annegret Other"
OTHERS = [
    somebody(f"Filler Person{number}", email=f"filler{number}@domain.example", phone=f"+4366098{number:05}")
    for number in range(1230, 1290)
]


@pytest.fixture(scope="module")
async def office(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving() as client:
        people = [
            somebody(CASTLE, email="castle41@example.net"),
            somebody(ANN, email="ann.smithson1234@example.net", phone="+43 660 7654321"),
            somebody(ZERO, email="zeno@example.org", phone="+43 660 1110123"),
            somebody(NAMESAKE, email="other@example.org", phone="+43 660 1118888"),
        ]
        await store(client, people + OTHERS)
        yield client


@pytest.mark.parametrize(
    "q",
    [
        "caste41@example.net",
        "castle14@example.net",
        "casxtle41@example.net",
        "csatle41@example.net",
        "castle4@example.net",
        "castle.41@example.net",
        "castle41@exmaple.net",
        "castle41@example.ne",
        "castle41@example.nte",
        "castle41example.net",
        "castle41@@example.net",
        "castle4@1example.net",
        "email:caste41@example.net",
        "CASTE41@EXAMPLE.NET",
        "caste41",
        "castle42",
    ],
)
async def test_an_address_with_a_typo_finds_the_person(office: httpx.AsyncClient, q: str) -> None:
    assert await found(office, q) == [CASTLE]


async def test_an_address_with_a_typo_says_so_and_heeds_filters(office: httpx.AsyncClient) -> None:
    (item,) = await search(office, "caste41@example.net", highlight="true")
    assert item["match"]["kind"] == "one_typo"
    assert await found(office, "caste41@example.net", is_active="false") == []


async def test_the_right_address_finds_no_other(office: httpx.AsyncClient) -> None:
    assert await found(office, "filler1234@domain.example") == ["Filler Person1234"]


@pytest.mark.parametrize(
    "q", ["mithso", "thson12", "ithson1234", "hson123", "on1234", "ann.smith", "smithson12"]
)
async def test_a_part_of_a_local_part_finds_the_person(office: httpx.AsyncClient, q: str) -> None:
    assert await found(office, q) == [ANN]


@pytest.mark.parametrize(
    "q",
    [
        "annegret 7654",
        "7654 annegret",
        "4321 annegret",
        "annegret 660 765",
        "annegret 0660 7654321",
        "annegret +43 660 7654321",
        "annegret 0660 76 54 321",
        "smithson 06607",
        "annegr 7654",
        "anegret 7654",
        "annegret smithson1234",
        "smithson12 annegret",
        "annegret ann.smith",
        "annegret 1234",
    ],
)
async def test_a_name_and_a_part_of_a_number_or_address_find_the_person_in_any_order(
    office: httpx.AsyncClient, q: str
) -> None:
    assert await found(office, q) == [ANN]


@pytest.mark.parametrize("q", ["annegret 9999", "annegret 66 55", "annegret phone:9999"])
async def test_a_number_that_somebody_else_has_leaves_the_person_out(
    office: httpx.AsyncClient, q: str
) -> None:
    assert await found(office, q) == []


async def test_last_digits_keep_their_zero(office: httpx.AsyncClient) -> None:
    """123 stands in sixty other numbers."""
    assert (await found(office, "0123"))[0] == ZERO
    assert (await found(office, "zeno 0123")) == [ZERO]


async def test_those_whose_number_ends_so_come_first(office: httpx.AsyncClient) -> None:
    items = await found(office, "1237")
    assert items[0] == "Filler Person1237"

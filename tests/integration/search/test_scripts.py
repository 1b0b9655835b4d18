"""`q` by people who know a name by ear, from a passport or with another keyboard."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.commands import samples
from tests.support.databases import PreparedDatabases
from tests.support.listing import resources
from tests.support.search import found, somebody, store

YURI, NATALIA = "Юрий Ёлочкинский", "Наталья Щербаковская"
ALI = "علی کریمی زاده"
RONALD = "Ronald Bdfysxeraser"

PEOPLE = [
    somebody(YURI, email="n1@neva.example"),
    somebody(NATALIA, email="n2@neva.example"),
    somebody(ALI, email="p1@karun.example"),
    somebody(RONALD, email="l1@thames.example"),
]


@pytest.fixture(scope="module")
async def town(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """The people above among four hundred of the sample."""
    async with prepared_databases.serving() as client:
        await samples.add(resources(client), 400)
        await store(client, PEOPLE)
        yield client


@pytest.mark.parametrize("q", ["علي كريمي زاده", "علی کریمی زاده", "علــي كريمى زادة", "كريمي"])
async def test_letters_of_the_arabic_and_the_persian_keyboard_are_one(
    town: httpx.AsyncClient, q: str
) -> None:
    assert ALI in await found(town, q)


@pytest.mark.parametrize(
    ("q", "name"),
    [
        (".hbq tkjxrbycrbq", YURI),
        ("Tkjxrbycrbq .hbq", YURI),
        ("tkjxrby", YURI),
        ("yfnfkmz Oth,f", NATALIA),
        ("кщтфдв", RONALD),
    ],
)
async def test_names_typed_with_the_keyboard_set_to_another_layout(
    town: httpx.AsyncClient, q: str, name: str
) -> None:
    assert name in await found(town, q)


async def test_who_is_found_by_the_letters_as_typed_is_found_by_no_other_layout(
    town: httpx.AsyncClient,
) -> None:
    assert await found(town, "bdfysxeraser") == [RONALD]

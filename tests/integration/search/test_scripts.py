"""`q` by people who know a name by ear, from a passport or with another keyboard."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.commands import samples
from tests.support.databases import PreparedDatabases
from tests.support.listing import resources
from tests.support.search import found, marked, search, somebody, store

YURI, NATALIA = "Юрий Ёлочкинский", "Наталья Щербаковская"
ALI = "علی کریمی زاده"
RONALD = "Ronald Bdfysxeraser"
GIORGOS, GIORGI, ARMEN = "Γιώργος Παπαδοπουλίδης", "გიორგი მარგველაშვილური", "Արմեն Մինասբեկյան"
MOHAMMED, MOSHE, PRIYA = "محمد الفيصلي", "משה אברמוביצקי", "प्रिया भट्टाचार्य"
KANAKO, KENJI, NAMGUNG = "高橋 かな子", "ｻﾄｳﾀﾞ ケンジロウ", "남궁민준호"

PEOPLE = [
    somebody(YURI, email="n1@neva.example"),
    somebody(NATALIA, email="n2@neva.example"),
    somebody(ALI, email="p1@karun.example"),
    somebody(RONALD, email="l1@thames.example"),
    somebody(GIORGOS, email="g1@evros.example"),
    somebody(GIORGI, email="g2@mtkvari.example"),
    somebody(ARMEN, email="a1@araks.example"),
    somebody(MOHAMMED, email="m1@nil.example"),
    somebody(MOSHE, email="m2@yarden.example"),
    somebody(PRIYA, email="i1@ganga.example"),
    somebody(KANAKO, email="j1@sumida.example"),
    somebody(KENJI, email="j2@sumida.example"),
    somebody(NAMGUNG, email="k1@hangang.example"),
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


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("yurii elochkinskii", YURI),
        ("Yuriy Yolochkinskiy", YURI),
        ("elochkinski", YURI),
        ("natalia shcherbakovskaya", NATALIA),
        ("shcherbakov", NATALIA),
        ("giorgos papadopoulidis", GIORGOS),
        ("papadopoulidis", GIORGOS),
        ("giorgi margvelashviluri", GIORGI),
        ("armen minasbekyan", ARMEN),
        ("karimi zadeh", ALI),
        ("priya bhattacharya", PRIYA),
        ("takahashi kanako", KANAKO),
        ("kanako takahashi", KANAKO),
        ("ﾀｶﾊｼ ｶﾅｺ", KANAKO),
        ("たかはしかなこ", KANAKO),
        ("satoda kenjiro", KENJI),
        ("satouda kenjirou", KENJI),
        ("min-jun-ho namgung", NAMGUNG),
        ("namgung minjunho", NAMGUNG),
        ("namgung", NAMGUNG),
        ("ㄴㄱㅁㅈㅎ", NAMGUNG),
        ("남궁 ㅁㅈㅎ", NAMGUNG),
        ("ㄴㄱㅁ", NAMGUNG),
    ],
)
async def test_names_of_other_scripts_typed_as_they_are_spoken(
    town: httpx.AsyncClient, q: str, name: str
) -> None:
    assert name in (await found(town, q))[:3]


@pytest.mark.parametrize(
    ("q", "fields"),
    [
        ("elochkinskiy", {"name": ["Ёлочкинский"]}),
        ("namgung minjunho", {"name": [NAMGUNG]}),
        ("ﾀｶﾊｼ", {"name": [KANAKO]}),
    ],
)
async def test_a_name_found_by_its_reading_is_marked(
    town: httpx.AsyncClient, q: str, fields: dict[str, list[str]]
) -> None:
    assert marked((await search(town, q, highlight="true"))[0]) == fields

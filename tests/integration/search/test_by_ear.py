"""`q` by people who know a name by a nickname or by ear, or type more of it than is stored."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.commands import samples
from tests.support.databases import PreparedDatabases
from tests.support.listing import resources
from tests.support.search import found, search, somebody, store

ROBERT, WILLIAM, BOB = "Robert Zellwegerli", "William Oppenheimski", "Bob Quarrenbosch"
CATHERINE, SEAN = "Catherine Smythesson", "Sean Schmitbauerin"
HANS, JOHN = "Hans Meiersfeld", "John Rossdaleson"
ALEXANDER, JOSE = "Александр Вознесенчук", "José Etxeberrieta"
EVGENY, MOHAMMED, MOSHE = "Евгений Цхинвальчиков", "محمد الفيصلاوي", "משה אברמוביצקי"
PEDRO = "Pedro de Alcantara Joao Carlos Leopoldo Bibiano Xavier Leocadio Miguel Gabriel Rafael Gonzaga"

PEOPLE = [
    somebody(name, email=f"x{number}@limmat.example")
    for number, name in enumerate(
        (ROBERT, WILLIAM, BOB, CATHERINE, SEAN, HANS, JOHN, ALEXANDER, JOSE, EVGENY, MOHAMMED, MOSHE, PEDRO)
    )
]


@pytest.fixture(scope="module")
async def town(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """The people above among four hundred of the sample."""
    async with prepared_databases.serving() as client:
        await samples.add(resources(client), 400)
        await store(client, PEOPLE)
        yield client


async def _kinds(client: httpx.AsyncClient, q: str) -> dict[str, str]:
    """The kind of match of each who is found."""
    return {item["name"]: item["match"]["kind"] for item in await search(client, q, highlight="true")}


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("bob zellwegerli", ROBERT),
        ("Zellwegerli, Bobby", ROBERT),
        ("robert quarrenbosch", BOB),
        ("bill oppenheimski", WILLIAM),
        ("willy oppenh", WILLIAM),
        ("kate smythesson", CATHERINE),
        ("sasha voznesenchuk", ALEXANDER),
        ("саша вознесенчук", ALEXANDER),
        ("pepe etxeberrieta", JOSE),
        ("name:pepe etxeberrieta", JOSE),
    ],
)
async def test_nicknames_find_names_and_names_nicknames(town: httpx.AsyncClient, q: str, name: str) -> None:
    assert await _kinds(town, q) == {name: "nickname"}


async def test_a_quoted_name_is_no_nickname(town: httpx.AsyncClient) -> None:
    assert await found(town, '"bob" zellwegerli') == []


async def test_who_has_the_name_itself_comes_before_nicknames(town: httpx.AsyncClient) -> None:
    names = await found(town, "bob")
    assert names[0] == BOB
    assert ROBERT in names


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("kathryn smithesson", CATHERINE),
        ("shawn schmittbauerin", SEAN),
        ("schmidpowerin sean", SEAN),
        ("yevgenii tskhinvalchikov", EVGENY),
        ("evgenij zchinvaltschikov", EVGENY),
        ("uilliam openheimsky", WILLIAM),
        ("mohammed alfaisalawi", MOHAMMED),
        ("muhammad al-faisalawi", MOHAMMED),
        ("moshe abramovitzki", MOSHE),
    ],
)
async def test_names_that_sound_alike_are_found(town: httpx.AsyncClient, q: str, name: str) -> None:
    assert await found(town, q) == [name]


@pytest.mark.parametrize(
    "q", ["xyzzy qqqq", "xyzzy", "qqqq", "seth qqqq", "xyzzy qqqq zzyzx", "a b qqqq", "dr qqqq"]
)
async def test_nonsense_finds_nobody(town: httpx.AsyncClient, q: str) -> None:
    assert await found(town, q) == []


async def test_a_typo_ranks_before_a_sound(town: httpx.AsyncClient) -> None:
    assert await _kinds(town, "smythessen") == {CATHERINE: "one_typo"}
    assert await _kinds(town, "smeethassen") == {CATHERINE: "sound"}


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("dr hans meiersfeld", HANS),
        ("Prof. Dr. Hans Meiersfeld", HANS),
        ("herr meiersfeld", HANS),
        ("meiersfeld hans jürgen-xaver", ""),
        ("john michael rossdaleson", JOHN),
        ("john rossdalesen qwertz", JOHN),
    ],
)
async def test_titles_and_names_that_are_not_stored_hide_nobody(
    town: httpx.AsyncClient, q: str, name: str
) -> None:
    assert await _kinds(town, q) == ({name: "all_but_one"} if name else {})


@pytest.mark.parametrize("q", ["hans qwertz", '"john" michael rossdaleson', "name:john michael rossdaleson"])
async def test_two_words_and_words_that_are_meant_must_all_match(town: httpx.AsyncClient, q: str) -> None:
    assert await found(town, q) == []


async def test_people_found_by_all_words_but_one_are_paged_through(town: httpx.AsyncClient) -> None:
    await store(town, [somebody("Ute Vlasbloemerij", email=f"u{number}@maas.example") for number in range(5)])
    pages, cursor = [], None
    for _ in range(3):
        asked = {"q": "ute zzyzx vlasbloemerij", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await town.get("/users", params=asked)).json()
        pages.append([item["id"] for item in page["items"]])
        cursor = page["next"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert cursor is None
    assert len({one for page in pages for one in page}) == 5


async def test_a_name_of_many_words_is_found_by_all_of_them(town: httpx.AsyncClient) -> None:
    assert await found(town, PEDRO) == [PEDRO]

"""Pages, exports and rivals of `q`: everybody once, in one order, whatever others write."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import pytest

from app.commands import samples
from app.search import SearchIndex
from tests.support.api import serving
from tests.support.exports import read_cells, read_lines, read_texts
from tests.support.listing import flat, listed, names, problem, resources, walk
from tests.support.search import Item, search, somebody, store
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import database, users

CROWD = 1_200
GIVEN = ["Ada", "Béla", "Çelik", "Dörte", "Élodie", "Åke", "张", "Zoë"]


@pytest.fixture(scope="module")
async def shared(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_server.uri_of("search_walks"), redis_server.url) as client:
        yield client
        await resources(client).connections.database.client.drop_database("search_walks")


@pytest.fixture(scope="module")
async def crowd(shared: httpx.AsyncClient) -> httpx.AsyncClient:
    """1,200 of one surname; a hundred each who have it as e-mail, tag and city; some nearly called so."""
    await store(shared, [_krahenbuhl(number) for number in range(CROWD)])
    await store(
        shared,
        [somebody(f"Login {n:03}", email=f"krahenbuhl.{n}@walk.example") for n in range(100)]
        + [somebody(f"Tagged {n:03}", tags=["Krähenbühl"]) for n in range(100)]
        + [somebody(f"Settled {n:03}", city="Krähenbühl") for n in range(100)]
        + [somebody(f"Krähenbühler {n}") for n in range(30)]
        + [somebody(f"Kräenbühl {n}") for n in range(20)]
        + [somebody(f"Wetterstein {n:03}", tags=["odd" if n % 2 else "even"]) for n in range(120)],
    )
    await samples.add(resources(shared), 100)
    return shared


def _krahenbuhl(number: int) -> Item:
    """Every name is held by five or so; every tenth has a tag, and one in a hundred lives in Thun."""
    return somebody(
        f"{GIVEN[number % len(GIVEN)]} {number % 31:02} Krähenbühl",
        tags=["tenth"] if number % 10 == 0 else [],
        city="Thun" if number % 100 == 0 else "Bern",
    )


# --- everybody once, in one order


@pytest.mark.parametrize("limit", [7, 50, 100, 300, 600, 1000])
async def test_a_crowd_is_walked_through_name_by_name_then_the_others(
    crowd: httpx.AsyncClient, limit: int
) -> None:
    pages = await walk(crowd, q="krähenbühl", limit=limit, fields="id")
    met = flat(pages)
    rows = {str(row["_id"]): row async for row in users(crowd).find({}, {"keys.name": 1, "name": 1})}
    assert max(Counter(met).values()) == 1
    called = [rows[one]["name"] for one in met]
    exact = [name for name in called if name.endswith(" Krähenbühl")]
    assert len(exact) == CROWD
    assert called[:CROWD] == exact, "name before e-mail before the rest"
    places = [(rows[one]["keys"]["name"], one) for one in met[:CROWD]]
    assert places == sorted(places)
    assert [name.split()[0] for name in called[CROWD : CROWD + 300]] == ["Login"] * 100 + [
        "Settled"
    ] * 100 + ["Tagged"] * 100
    assert all(len(page) == limit for page in pages[: CROWD // limit])


async def test_a_crowd_one_by_one_goes_on_where_it_stood(crowd: httpx.AsyncClient) -> None:
    whole = flat(await walk(crowd, q="krähenbühl", limit=1000, fields="id"))
    for start in (1, 600, CROWD - 3, CROWD + 98, CROWD + 298):
        page: dict[str, Any] = {"next": None}
        for size in (start // 2, start - start // 2):
            if size:
                cursor = {"cursor": page["next"]} if page["next"] else {}
                page = await listed(crowd, q="krähenbühl", limit=size, fields="id", **cursor)
        for place in range(start, start + 6):
            page = await listed(crowd, q="krähenbühl", limit=1, fields="id", cursor=page["next"])
            assert [item["id"] for item in page["items"]] == [whole[place]]


async def test_behind_a_crowd_come_prefixes_and_typos(crowd: httpx.AsyncClient) -> None:
    pages = await pages_of(crowd, q="krähenbühl", limit=500, fields="name")
    called = Counter(item["name"].split()[0] for page in pages for item in page)
    assert (called["Krähenbühler"], called["Kräenbühl"]) == (30, 20)


async def called(client: httpx.AsyncClient, **asked: Any) -> list[str]:
    return [item["name"] for page in await pages_of(client, **asked) for item in page]


async def pages_of(client: httpx.AsyncClient, **asked: Any) -> list[list[Item]]:
    page = await listed(client, **asked)
    pages = [page["items"]]
    while page["next"]:
        page = await listed(client, **asked, cursor=page["next"])
        pages.append(page["items"])
    return pages


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize(
    "q", ["wetterstein", "wetters", "wettertsein", "wetterstein 0", "kraehenbuehl thun", "krähenbühl ada 0"]
)
async def test_ranked_people_are_walked_through_in_one_order(
    crowd: httpx.AsyncClient, q: str, limit: int
) -> None:
    whole = [item["id"] for item in await search(crowd, q, limit=1000)]
    assert len(whole) > 11
    pages = await walk(crowd, q=q, limit=limit)
    assert flat(pages) == whole
    assert len(set(whole)) == len(whole)
    assert all(len(page) == limit for page in pages[:-1])


async def test_a_crowd_of_a_city_stands_on_its_first_page_wherever_its_names_are(
    empty: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = [somebody(f"Aaron {n:03} Fernweh", city="Nah") for n in range(400)]
    far = [somebody(f"Zoe {n:03} Fernweh", city="Weit Weg") for n in range(60)]
    await store(empty, [*near, *far])
    await SearchIndex(users(empty)).reindex()  # counts that are no samples
    for module in ("index_reads", "reading"):
        monkeypatch.setattr(f"app.search.{module}.SCAN", 50)
    monkeypatch.setattr("app.search.index_reads.COMMON", 25)
    monkeypatch.setattr("app.search.reading.RANKED", 10)
    page = [item["name"] for item in await search(empty, "fernweh", city="Weit Weg", limit=10)]
    assert page == [f"Zoe {n:03} Fernweh" for n in range(10)]
    assert await called(empty, q="fernweh", city="Weit Weg", limit=7) == [one["name"] for one in far]


@pytest.mark.parametrize("limit", [3, 1000])
async def test_of_more_who_are_near_than_are_ranked_the_best_are(
    empty: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Of ten ranked: shorter words first, then names; names before addresses, whatever comes before them."""
    await store(
        empty,
        [somebody(f"{given} Vorspann", email=f"{given}@near.example") for given in "zyxwvutsr"]
        + [somebody(f"{given} Vorspannungen", email=f"{given}2@near.example") for given in "abcdefghi"]
        + [somebody(f"Anonym {n:02}", email=f"vorspann.{n}@near.example") for n in range(40)],
    )
    monkeypatch.setattr("app.search.reading.RANKED", 10)
    best = [f"{given} Vorspann" for given in sorted("zyxwvutsr")]
    for scan in (3_000, 12):  # all keys at once, or word by word
        monkeypatch.setattr("app.search.single_word.SCAN", scan)
        met = await called(empty, q="vorspan", limit=limit)
        assert met[:10] == [*best, "a Vorspannungen"]
        assert met[10:12] == ["Anonym 00", "Anonym 01"]
        assert len(met) == len(set(met)) == 20
    met = await called(empty, q="vorspamn", limit=limit)
    assert met[:10] == [*best, "Anonym 00"], "typos by class and name, too"


async def test_a_second_word_and_a_filter_narrow_a_crowd_exactly(crowd: httpx.AsyncClient) -> None:
    thun = [f"{GIVEN[n % 8]} {n % 31:02} Krähenbühl" for n in range(0, CROWD, 100)]
    for asked in (
        {"q": "krähenbühl thun"},
        {"q": "krähenbühl city:thun"},
        {"q": "krähenbühl", "city": "Thun"},
    ):
        assert sorted(await names(crowd, **asked)) == sorted(thun), asked
    tenth = sorted(f"{GIVEN[n % 8]} {n % 31:02} Krähenbühl" for n in range(0, CROWD, 10))
    for asked in ({"q": "krähenbühl tag:tenth"}, {"q": "krähenbühl", "tag": "tenth"}):
        assert sorted(await names(crowd, **asked, limit=1000)) == tenth
    (one,) = await search(crowd, "krähenbühl", limit=1, tag="tenth")
    for unique in ("id", "email"):
        pages = await walk(crowd, q="krähenbühl", **{unique: one[unique]})
        assert flat(pages) == [one["id"]]
    bern = flat(await walk(crowd, q="krähenbühl", city="Bern", limit=100))
    assert len(bern) == len(set(bern)) == CROWD - len(thun)


async def test_the_total_is_never_more_than_there_are(crowd: httpx.AsyncClient) -> None:
    for q in ("krähenbühl", "wetterstein", "nobody-is-called-so"):
        everybody = len(flat(await walk(crowd, q=q, limit=1000)))
        page = await listed(crowd, q=q, limit=5, count="capped")
        assert page["total"]["relation"] == "gte"
        assert len(page["items"]) <= page["total"]["value"] <= everybody


# --- cursors


async def test_a_cursor_is_of_its_own_q_and_filters(crowd: httpx.AsyncClient) -> None:
    for q in ("krähenbühl", "wetterstein"):
        cursor = (await listed(crowd, q=q, limit=5, tag="even" if q[0] == "w" else []))["next"]
        tagged = {"tag": "even"} if q[0] == "w" else {}
        assert (await listed(crowd, q=q, cursor=cursor, **tagged))["items"]
        for other in (
            {"q": "krahenbuhl", **tagged}, {"q": q + " ", **tagged}, {"q": q, "tag": "odd"},
            {"q": q, **tagged, "is_active": "true"}, tagged, {**tagged, "sort": "name"},
        ):  # fmt: skip
            assert await problem(crowd, **other, cursor=cursor) == (400, "invalid_cursor", []), other
    plain = (await listed(crowd, limit=5))["next"]
    assert await problem(crowd, q="krähenbühl", cursor=plain) == (400, "invalid_cursor", [])
    assert await problem(crowd, q="krähenbühl", cursor="x") == (400, "invalid_cursor", [])


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"sort": "name"}, ["sort"]),
        ({"sort": "-created_at"}, ["sort"]),
        ({"skip": 0}, ["skip"]),
        ({"skip": 5}, ["skip"]),
        ({"sort": "age", "skip": 1}, ["sort", "skip"]),
    ],
)
async def test_a_search_takes_neither_sort_nor_skip(
    crowd: httpx.AsyncClient, asked: dict[str, Any], named: list[str]
) -> None:
    assert await problem(crowd, q="wetterstein", **asked) == (422, "validation_failed", named)
    if "sort" in asked:
        reply = await crowd.get("/users/export/csv", params={"q": "wetterstein", "sort": asked["sort"]})
        assert reply.status_code == 422, "an export would not be sorted either"
        assert [bad["parameter"] for bad in reply.json()["errors"]] == ["sort"]


# --- exports


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "krähenbühl"},
        {"q": "krähenbühl", "tag": "tenth"},
        {"q": "wetterst", "tag": "odd"},
        {"q": "ada krähenbühl"},
        {"q": "nobody-is-called-so"},
        {"q": ""},
    ],
)
async def test_exports_hold_the_people_of_the_pages_in_their_order(
    crowd: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    expected = flat(await walk(crowd, **asked, limit=1000))
    for form, read in (("csv", read_texts), ("ndjson", read_lines), ("xlsx", read_cells)):
        file = await crowd.get("/users/export", params=asked | {"format": form})
        assert file.status_code == 200
        assert [row["id"] for row in read(file.content)] == expected, form
    chosen = await crowd.get("/users/export/csv", params=asked | {"columns": "name,id"})
    assert [row["id"] for row in read_texts(chosen.content)] == expected


@pytest.mark.parametrize("q", ["x" * 201, "a\x00b", "\x1b[31m"])
async def test_an_export_refuses_what_a_listing_refuses(crowd: httpx.AsyncClient, q: str) -> None:
    for path in ("/users/export", "/users/export/csv", "/users/export/excel", "/users", "/users/suggest"):
        reply = await crowd.get(path, params={"q": q})
        assert reply.status_code == 422
        assert [bad["parameter"] for bad in reply.json()["errors"]] == ["q"]


# --- while others write


@pytest.fixture
async def empty(shared: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """Beside the crowd's words; what the test stores is called otherwise, and goes with it."""
    before = [row["_id"] async for row in users(shared).find({}, {"_id": 1})]
    yield shared
    await users(shared).delete_many({"_id": {"$nin": before}})


@asynccontextmanager
async def writing(*works: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Each again and again, until the block is done."""

    async def repeat(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not over.is_set():
            await work()

    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(repeat(work))
        try:
            yield
        finally:
            over.set()


@asynccontextmanager
async def rivals(client: httpx.AsyncClient, surname: str) -> AsyncIterator[None]:
    """Others create people of the surname at both ends and between, rename some to and fro, delete some."""
    renamed = await store(client, [somebody(f"Renamed {n} {surname}") for n in range(10)])
    numbers = count()
    made: list[str] = []

    async def create() -> None:
        number = next(numbers)
        one = somebody(f"{'AMZ'[number % 3]}{number:04} {surname}")
        reply = await client.post("/users", json=one)
        assert reply.status_code == 201
        made.append(reply.json()["id"])

    async def rename() -> None:
        number = next(numbers)
        name = f"{'AZ'[number % 2]}renamed {surname if number % 5 else 'Otherwise'}"
        reply = await client.patch(f"/users/{renamed[number % 10]}", json={"name": name})
        assert reply.status_code == 200

    async def delete() -> None:
        if made:
            reply = await client.delete(f"/users/{made.pop(0)}")
            assert reply.status_code == 204
        await asyncio.sleep(0)

    async with writing(create, rename, delete):
        yield


@pytest.mark.parametrize(("people", "limit"), [(60, 7), (60, 1), (300, 50), (700, 50), (700, 100)])
async def test_a_walk_meets_each_who_stays_once_whatever_others_write(
    empty: httpx.AsyncClient, people: int, limit: int
) -> None:
    surname = f"Immergleich{'abcdefgh'[people % 7]}{'xy'[limit % 2]}"
    staying = await store(empty, [somebody(f"Bleibt {n:04} {surname}") for n in range(people)])
    async with rivals(empty, surname):
        met = [one for one in flat(await walk(empty, q=surname.lower(), limit=limit)) if one in set(staying)]
    assert met == staying


async def test_a_filtered_walk_through_a_crowd_misses_nobody_while_others_write(
    empty: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where few of those read match: with reads of 20 keys in place of 3,000, that is most pages."""
    monkeypatch.setattr("app.search.index_reads.SCAN", 20)
    monkeypatch.setattr("app.search.index_reads.COMMON", 10)
    monkeypatch.setattr("app.search.reading.SCAN", 20)
    monkeypatch.setattr("app.search.reading.RANKED", 10)
    people = [somebody(f"Bleibt {n:04} Langzug", tags=["rare"] if n % 15 == 0 else []) for n in range(600)]
    staying = (await store(empty, people))[::15]
    for _ in range(3):
        async with rivals(empty, "Langzug"):
            met = flat(await walk(empty, q="langzug", tag="rare", limit=5))
        assert met == staying


async def test_a_walk_through_two_common_words_survives_that_counts_change(
    empty: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.search.index_reads.SCAN", 100)
    monkeypatch.setattr("app.search.index_reads.COMMON", 50)
    monkeypatch.setattr("app.search.reading.RANKED", 20)
    people = [
        somebody(f"{one} {n:03}", city=other)
        for n in range(40)
        for one, other in (("Gemeinsam", "Doppelwort"), ("Doppelwort", "Gemeinsam"))
    ]
    staying = await store(empty, people)
    terms = database(empty)["terms"]
    turns = [(1_000, 2_000), (2_000, 1_000), (1, 1), (1_000, 900)]
    met: list[str] = []
    page: dict[str, Any] = {"next": None}
    for turn in range(100):
        for word, n in zip(("gemeinsam", "doppelwort"), turns[turn % len(turns)], strict=True):
            await terms.update_one({"_id": word}, {"$set": {"n": n}})
        cursor = {"cursor": page["next"]} if page["next"] else {}
        page = await listed(empty, q="gemeinsam doppelwort", limit=7, **cursor)
        met += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
    assert sorted(met) == sorted(staying)


async def test_more_who_come_while_one_walks_push_nobody_out(empty: httpx.AsyncClient) -> None:
    """When the walk began they were few enough to be ranked."""
    staying = await store(empty, [somebody(f"Bleibt {n:03} Zuwachs") for n in range(490)])
    page = await listed(empty, q="zuwachs", limit=100)
    met = [item["id"] for item in page["items"]]
    await store(empty, [somebody(f"Aaron {n:03} Zuwachs") for n in range(200)])
    while page["next"]:
        page = await listed(empty, q="zuwachs", limit=100, cursor=page["next"])
        met += [item["id"] for item in page["items"]]
    assert [one for one in met if one in set(staying)] == staying


async def test_renames_show_nobody_twice_and_no_name_of_before(empty: httpx.AsyncClient) -> None:
    ids = await store(empty, [somebody(f"Wechsel{n} Null") for n in range(8)])
    answered = dict.fromkeys(ids, 0)  # how often each was renamed, as far as the writer was told
    asked = dict.fromkeys(ids, 0)
    numbers = count()
    seen = Counter[str]()
    steps = ["Null", "Einsmal", "Zweimal", "Dreimal", "Viermal"]

    async def rename() -> None:
        number = next(numbers) % len(ids)
        one = ids[number]
        asked[one] += 1
        name = f"Wechsel{number} {steps[asked[one] % 5]} {asked[one]}"
        reply = await empty.patch(f"/users/{one}", json={"name": name})
        assert reply.status_code == 200
        answered[one] = asked[one]

    async def look(path: str, step: str) -> None:
        before = dict(answered)
        reply = await empty.get(path, params={"q": step})
        after = dict(asked)
        met = [item for item in reply.json()["items"] if item["id"] in before]
        assert len({item["id"] for item in met}) == len(met)
        for item in met:
            turn = int(item["name"].split()[-1]) if item["name"][-1].isdigit() else 0
            assert before[item["id"]] <= turn <= after[item["id"]], item["name"]
            seen[step] += 1
        for one, turns in before.items():
            if turns == after[one] and steps[turns % 5] == step:
                assert one in {item["id"] for item in met}, "nobody renamed them meanwhile"

    def looking(path: str) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [lambda step=step: look(path, step) for step in steps[1:]]  # type: ignore[misc]

    async with writing(rename, *looking("/users"), *looking("/users/suggest")):
        while len(seen) < 4 or min(answered.values()) <= 10:  # noqa: ASYNC110 - no event tells of counts
            await asyncio.sleep(0.05)

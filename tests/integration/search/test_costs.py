"""What MongoDB does for `q`: index scans of bounded length, whatever is typed and stored."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx
import pytest
from bson import ObjectId

from app.commands import samples
from app.search.dictionary import SHORTEST
from app.search.index_reads import SCAN
from app.search.ranking import RANKED
from app.search.typos import neighbourhood
from tests.support.api import serving
from tests.support.listing import document, flat, resources, spoil, users, walk
from tests.support.search import Item, found, search, somebody, store, suggested
from tests.support.servers import MongoServer, RedisServer
from tests.support.worst_queries import WORST

CROWD = 5_000
MOST_COMMANDS = 60
"""Of one page: two words of a typo each for ten words, and what is tried where nobody is found."""
TERMS = 1_500 * 6
"""Keys of one look into the dictionary: 1,500 words, each met by the few tokens that two near words share."""
SPELLINGS = 2_900
"""Texts that are one edit away from a local part, or from a word with digits."""


@pytest.fixture(scope="module")
async def city(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    """5,000 of one surname, half of them of one given name and city, and 500 of the sample."""
    async with serving(mongo_server.uri_of("search_costs"), redis_server.url) as client:
        await store(client, [_wolfsgruber(number) for number in range(CROWD)])
        await samples.add(resources(client), 500)
        yield client
        await resources(client).connections.database.client.drop_database("search_costs")


def _wolfsgruber(number: int) -> Item:
    common = number % 2 == 0
    name = "Hannelore Wolfsgruber" if common else f"Friedlinde{number % 40} Wolfsgruber"
    return somebody(
        name, email=f"w{number}@crowd.example", phone=f"+4366012{number:05}",
        city="Rosenheim" if common else "Lech", tags=["odd" if number % 3 else "third"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """One command as MongoDB's profiler recorded it, and as `explain` tells it."""

    collection: str
    command: Mapping[str, Any]
    keys: int
    documents: int
    summary: str
    sorted: bool
    stages: frozenset[str]
    explained_keys: int

    @property
    def ranges(self) -> int:
        """How many ranges of the index it goes along."""
        text = repr(self.command.get("pipeline", [self.command.get("filter")])[0])
        listed = [len(part.split(", '")) for part in re.findall(r"'\$in': \[(.*?)\]", text)]
        return sum(listed) + text.count("$elemMatch") + 1


@asynccontextmanager
async def watched(client: httpx.AsyncClient) -> AsyncIterator[list[Read]]:
    """What was read of users and terms inside the block; the list is filled behind it."""
    database = resources(client).connections.database
    reads: list[Read] = []
    await database.drop_collection("system.profile")
    await database.command("profile", 2)
    try:
        yield reads
    finally:
        await database.command("profile", 0)
    profile = database["system.profile"].find({"op": {"$in": ["command", "query", "getmore"]}}).sort("ts", 1)
    for entry in await profile.to_list():
        *_, collection = entry["ns"].split(".")
        if collection in {"users", "terms"} and {"aggregate", "find", "getMore"} & entry["command"].keys():
            reads.append(await _read(client, collection, entry))


_OURS = (
    "aggregate",
    "find",
    "count",
    "pipeline",
    "filter",
    "query",
    "hint",
    "sort",
    "limit",
    "projection",
    "cursor",
)


async def _read(client: httpx.AsyncClient, collection: str, entry: dict[str, Any]) -> Read:
    said = entry.get("originatingCommand") or entry["command"]
    command = {name: said[name] for name in _OURS if name in said}
    plan = await resources(client).connections.database.command(
        {"explain": command, "verbosity": "executionStats"}
    )
    plans = [plan, *(stage["$cursor"] for stage in plan.get("stages", []) if "$cursor" in stage)]
    stats = next(one["executionStats"] for one in plans if "executionStats" in one)
    outer = {name for stage in plan.get("stages", []) for name in stage if name.startswith("$")}
    return Read(
        collection,
        command,
        entry.get("keysExamined", 0),
        entry.get("docsExamined", 0),
        entry["planSummary"],
        bool(entry.get("hasSortStage")),
        frozenset(
            [*_stages([one["queryPlanner"]["winningPlan"] for one in plans if "queryPlanner" in one]), *outer]
        ),
        stats["totalKeysExamined"],
    )


def _stages(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("stage"), str):
            yield node["stage"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from _stages(one)


def assert_bounded(reads: list[Read], *, commands: int = MOST_COMMANDS) -> None:
    assert 0 < len(reads) <= commands
    for read in reads:
        assert "COLLSCAN" not in read.stages
        assert "COLLSCAN" not in read.summary
        assert not read.sorted, read.command
        assert not {"SORT", "$sort"} & read.stages, read.command
        assert all(
            part.startswith(("IXSCAN", "IDHACK", "EOF", "COUNT_SCAN"))
            for part in read.summary.split(", ")
            if "SCAN" in part
        )
        limit = SCAN + read.ranges if read.collection == "users" else TERMS
        assert read.explained_keys <= 2 * limit, (read.explained_keys, read.command)
        assert read.keys <= 2 * limit, (read.keys, read.command)
        assert read.documents <= SCAN + 1


# --- each kind of read


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "wolfsgruber"},  # a stream
        {"q": "wolfsgruber", "limit": 1000},
        {"q": "wolfsgruber", "tag": "third"},
        {"q": "wolfsgruber", "tag": ["third", "nobody"]},
        {"q": "wolfsgruber", "age_min": 3},
        {"q": "wolfsgruber", "created_from": "2030-01-01"},
        {"q": "wolfsgruber", "email": "w77@crowd.example"},
        {"q": "wolfsgruber", "city": "Lech"},
        {"q": "wolfsgruber", "city": ["Lech", "Rosenheim"]},
        {"q": "hannelore wolfsgruber"},  # pairs
        {"q": "wolfsgruber rosenheim"},
        {"q": "wolfsgruber rosenheim hannelore third"},
        {"q": "city:rosenheim wolfsgruber"},
        {"q": "name:wolfsgruber"},
        {"q": "wolfsgruber", "highlight": "true"},
        {"q": "wolfsgrube"},  # prefixes and typos
        {"q": "wolfsgrubre"},
        {"q": "wolfgrubr"},
        {"q": "hannelor wolfsgr"},
        {"q": "wolfs"},
        {"q": "wo"},
        {"q": "wo", "city": "Lech"},
        {"q": "w"},
        {"q": "w", "limit": 1000},
        {"q": "hann wolf rosen"},
        {"q": '"wolfsgruber"'},
        {"q": "43660"},  # by_digits
        {"q": "+43 660 12"},
        {"q": "phone:660 wolfsgruber"},
        {"q": "phone:12"},
        {"q": "w1@crowd"},  # by_email
        {"q": "w@"},
        {"q": "crowd.example"},  # domains
        {"q": "@crow"},
        {"q": "hannelore @crowd.example"},
        {"q": "wolfsgruber.lech"},
        {"q": "w1@crowd.example", "tag": "third"},
        {"q": "张"},
        {"q": "zhang wei"},
        {"q": "hanne lore wolfs gruber"},  # words joined
        {"q": "nobodyiscalledso"},
        {"q": "hannelore wolsfg"},  # half typed with a typo
        {"q": "hannelore wolsfg", "tag": "third"},
        {"q": "wolsfg"},
        {"q": "olfsgrub"},  # the middle of a word
        {"q": "hannelore olfsgrub"},
        {"q": "owd12"},
        {"q": "lrzowd123"},
        {"q": "wxlxsgruber hannelore"},  # two typos
        {"q": "w77x"},  # spellings of a word with digits
        {"q": "hannelore w77x"},
        {"q": "abcdefghijkl789012345678"},
        {"q": "w77x@crowd.example"},  # spellings of an address
        {"q": f"{'abcdefgh' * 4}@crowd.example"},
        {"q": "w77crowd.example"},
        {"q": "w77@crowd.exmaple"},
        {"q": "hannelore 43660"},  # a name and a part of a phone number
        {"q": "660 wolfsgruber"},
        {"q": "wolfsgruber 0660 12 00042"},
        {"q": "wolfsgruber w"},  # one word of two
        {"q": "bob wolfsgruber"},  # nicknames
        {"q": "hanelury folvskruper"},  # sounds
        {"q": "folvskruper"},
        {"q": "hannelore xaver wolfsgruber"},  # all words but one
        {"q": "zzyzx xyzzy", "city": "Lech"},
        {"q": "hannelore wolfsgruber", "limit": 1},
    ],
    ids=str,
)
async def test_each_read_is_an_index_scan_of_bounded_length(
    city: httpx.AsyncClient, asked: dict[str, Any]
) -> None:
    async with watched(city) as reads:
        assert (await city.get("/users", params=asked)).status_code == 200
    assert_bounded(reads)
    async with watched(city) as reads:
        assert (await city.get("/users/suggest", params={"q": asked["q"]})).status_code == 200
    assert_bounded(reads)


async def test_every_page_of_a_crowd_costs_what_the_first_costs(city: httpx.AsyncClient) -> None:
    """2,500 share one name, so that the id alone says where a page begins."""
    page = (await city.get("/users", params={"q": "wolfsgruber", "limit": 600})).json()
    pages = 1
    while page["next"] and pages < 9:
        async with watched(city) as reads:
            page = (
                await city.get("/users", params={"q": "wolfsgruber", "limit": 600, "cursor": page["next"]})
            ).json()
        pages += 1
        (stream,) = [
            read for read in reads if read.collection == "users" and "search_words" in str(read.command)
        ][:1]
        assert stream.keys <= 600 + 10, "nothing before the page is read"
        assert stream.documents <= 600 + 10
        assert_bounded(reads)
    assert len(flat(await walk(city, q="wolfsgruber", limit=1000))) == CROWD


async def test_no_search_leaves_a_cursor_open_in_mongodb(city: httpx.AsyncClient) -> None:
    """An abandoned one is kept for ten minutes, and with it what it has read."""
    for q in (
        "wolfsgruber",
        "hannelore wolfsgruber",
        "wolfsgrubr lech",
        "rosenheim",
        "w",
        "+43660",
        "@crowd",
    ):
        for limit in (1, 10, 100):
            await search(city, q, limit=limit)
        await suggested(city, q)
    await walk(city, q="wolfsgruber", limit="1000")
    assert (await city.get("/users/export?format=csv&q=wolfsgruber")).status_code == 200
    assert await _open_cursors(city) == []


async def _open_cursors(client: httpx.AsyncClient) -> list[Any]:
    """The commands that opened those which nobody reads on from."""
    database = resources(client).connections.database
    idle = {"type": "idleCursor", "ns": {"$regex": f"^{database.name}\\."}}
    looked = await database.client.admin.aggregate(
        [{"$currentOp": {"idleCursors": True, "allUsers": True}}, {"$match": idle}]
    )
    return [each["cursor"]["originatingCommand"] async for each in looked]


async def test_a_filter_that_few_of_a_crowd_meet_is_looked_for_in_steps(city: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"q": "wolfsgruber", "age_min": 3, "limit": 50}
    async with watched(city) as reads:
        page = (await city.get("/users", params=asked)).json()
    assert_bounded(reads)
    assert page["items"] == []


async def test_typos_cost_a_look_a_word(city: httpx.AsyncClient) -> None:
    async with watched(city) as reads:
        await found(city, "wolfsgrubre hanelore")
    looks = [read for read in reads if read.collection == "terms" and _is_by_typos(read)]
    assert len(looks) <= 2 * 2
    for look in looks:
        assert look.summary.startswith("IXSCAN { d: 1 }")
        assert len(look.command["filter"]["d"]["$in"]) <= len(neighbourhood("wolfsgrubre"))
    async with watched(city) as reads:
        await found(city, "w" * (SHORTEST[1] - 2))
    assert not [read for read in reads if read.collection == "terms" and _is_by_typos(read)]


@pytest.mark.parametrize("q", ["w77x", "abcdefgh789012", "abcdefgh12@crowd.example", "w77x@crowd.example"])
async def test_spellings_are_sought_in_a_read_that_ends_at_each_miss(city: httpx.AsyncClient, q: str) -> None:
    """An address that nobody has so is looked for by its words, too."""
    async with watched(city) as reads:
        await found(city, q)
    sought = [read for read in reads if read.collection == "users" and read.ranges > 100]
    assert 1 <= len(sought) <= 2
    for read in sought:
        assert read.ranges <= SPELLINGS
        assert read.keys <= read.ranges + 20
        assert read.documents <= 20


async def test_a_half_typed_word_costs_a_look_of_six_tokens(city: httpx.AsyncClient) -> None:
    async with watched(city) as reads:
        assert await found(city, "hannelore wolsfgru")
    looks = [read for read in reads if read.collection == "terms" and "~" in str(read.command)]
    assert [len(look.command["filter"]["d"]["$in"]) for look in looks] == [6]


async def test_a_crowd_of_given_name_and_surname_is_ranked_by_keys_alone(city: httpx.AsyncClient) -> None:
    async with watched(city) as reads:
        assert len(await search(city, "hannelore wolfsgruber", limit=10)) == 10
    ranked = [read for read in reads if read.collection == "users" and "search.t" in str(read.command)]
    assert sum(read.keys for read in ranked) <= 2 * RANKED
    assert sum(read.documents for read in ranked) <= 20


def _is_by_typos(read: Read) -> bool:
    return "d" in read.command.get("filter", {})


# --- the worst


@pytest.mark.parametrize("q", WORST, ids=ascii)
async def test_any_text_is_answered_within_bounds(city: httpx.AsyncClient, q: str) -> None:
    async with watched(city) as reads:
        reply = await city.get("/users", params={"q": q, "highlight": "true", "limit": 100})
    assert reply.status_code == 200, reply.text
    if reads:
        assert_bounded(reads, commands=100)
    async with watched(city) as reads:
        assert (await city.get("/users/suggest", params={"q": q})).status_code == 200
    if reads:
        assert_bounded(reads, commands=100)


@pytest.mark.parametrize(
    "raw",
    [
        "%ED%A0%80",
        "%ED%B0%80wolf",
        "%ff%fe",
        "wolf%C3",
        "%F4%90%80%80",
        "%C0%AE",
        "w%u0041",
        "%",
        "%zz",
        "+",
        "%2B",
        "a&q",
    ],
)
async def test_bytes_that_are_no_text_are_answered_too(city: httpx.AsyncClient, raw: str) -> None:
    for path in ("/users", "/users/suggest"):
        reply = await city.get(f"{path}?q={raw}")
        assert reply.status_code in ({200, 422} if _is_utf_8(raw) else {400}), reply.text


def _is_utf_8(raw: str) -> bool:
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    "q",
    [
        "x" * 201, "x " * 101, "a:" * 101, "张" * 201, "x" * 1001, "a\x00b", "\x00",
        "\x1b[31m", "a\x07", "\x7f", "\x85", "\x9f", "a\x0bb",
    ],
    ids=ascii,
)  # fmt: skip
async def test_what_is_too_much_is_refused_by_name(city: httpx.AsyncClient, q: str) -> None:
    for path in ("/users", "/users/suggest", "/users/export"):
        reply = await city.get(path, params={"q": q})
        assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed"), reply.text
        (bad,) = reply.json()["errors"]
        assert bad["parameter"] == "q"
        assert bad["detail"].startswith("Must ")
        assert "jsonschema" not in reply.text


# --- any users


ODD: list[dict[str, Any]] = [
    {"search": None}, {"search": 5}, {"search": "nverdorben"}, {"search": []}, {"search": {}},
    {"search": {"v": 1}}, {"search": {"v": 1, "t": None, "p": None}}, {"search": {"v": "1", "t": 5, "p": 5}},
    {"search": {"v": 1, "t": "nverdorben", "p": "4444444"}},
    {"search": {"v": 1, "t": ["nverdorben", 5, None, {"a": 1}, ["nverdorben"]], "p": [5, "4444444", None]}},
    {"search": {"v": 1, "t": [["nverdorben"]], "p": [["4444444"]]}},
    {"search": {"v": 1, "t": ["nverdorben", "", "n", "&", "+ "], "p": ["", "4444444"]}},
    {"search": [{"v": 1, "t": ["nverdorben"], "p": ["4444444"]}]},
    {"search": {"v": 99, "t": ["nverdorben"], "p": ["4444444"]}},
    {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": {"name": 5, "email": 5}},
    {"keys": {"name": None, "email": None}},
    {"name": None}, {"name": 5}, {"email": ["a"]}, {"tags": "a"}, {"tags": [5, None]}, {"profile": None},
    {"profile": "x"}, {"profile": {"addresses": "x"}}, {"profile": {"addresses": [5, None]}},
    {"profile": {"title": 5, "department": ["x"]}}, {"phone": 5}, {"version": None}, {"facets": None},
    *({"_id": odd} for odd in ("abc", 5, {"a": 1}, True)),
]  # fmt: skip


async def test_malformed_rows_break_no_search(city: httpx.AsyncClient) -> None:
    people = [{"name": "Sound Verdorben"}, {"name": "Whole Verdorben"}]
    sound = [
        document(9_000 + n, phone=f"+4444444{n:05}", tags=["verdorben"], **one)
        for n, one in enumerate(people)
    ]
    base = [
        document(9_100 + n, name=f"Odd{n} Verdorben", phone=f"+4444444{n:04}", tags=["x"])
        for n in range(len(ODD))
    ]
    await users(city).insert_many(sound)
    odd = await spoil(city, *({**one, **change} for one, change in zip(base, ODD, strict=True)))
    missing = document(9_050, name="Missing Verdorben")
    missing.pop("search")
    await spoil(city, missing)
    try:
        for q in (
            "verdorben", "verdorb", "verdrbn", "sound verdorben", "name:verdorben", "tag:x verdorben",
            "4444444", "+4444444", "phone:4444444 verdorben", "p9100@", "city:x verdorben", "title:x",
            "verdorben x",
        ):  # fmt: skip
            for asked in (
                {"q": q},
                {"q": q, "highlight": "true"},
                {"q": q, "fields": "name", "highlight": "true"},
            ):
                reply = await city.get("/users", params=asked)
                assert reply.status_code == 200, (asked, reply.text)
            assert all(isinstance(item["name"], str) for item in await suggested(city, q)), q
            for form in ("csv", "ndjson", "xlsx"):
                assert (await city.get("/users/export", params={"q": q, "format": form})).status_code == 200
        for limit in (1, 2, 1000):
            met = flat(await walk(city, q="verdorben", limit=limit))
            assert len(set(met)) == len(met)
            assert {str(one["_id"]) for one in sound} <= set(met)
        assert "Missing Verdorben" not in await found(city, "missing verdorben")
        names = {item["name"] for item in await suggested(city, "verdorben sound")}
        assert names == {"Sound Verdorben"}
    finally:
        await users(city).delete_many(
            {"_id": {"$in": [*odd, missing["_id"], *(one["_id"] for one in sound)]}}
        )


async def test_a_crowd_with_spoilt_rows_among_it_is_walked_through(
    city: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.search.reading.RANKED", 10)
    sound = [document(9_300 + n, name=f"Fest{n:03} Zwischenruf") for n in range(40)]
    odd = [document(9_400 + n, name=f"Fest{n * 2:03} Zwischenruf") for n in range(16)]
    changes: list[dict[str, Any]] = [
        {"keys": {}}, {"keys": {"name": None}}, {"keys": {"name": 5}}, {"_id": "abc"}, {"_id": 7},
        {"name": None}, {"search": {"v": 1, "t": ["nzwischenruf", 5], "p": []}}, {"keys": None},
    ] * 2  # fmt: skip
    changes = [
        change | ({"_id": f"{n}"} if change.get("_id") == "abc" else {"_id": n} if "_id" in change else {})
        for n, change in enumerate(changes)
    ]
    await users(city).insert_many(sound)
    ids = await spoil(city, *({**one, **change} for one, change in zip(odd, changes, strict=True)))
    try:
        for limit in (1, 3, 50):
            for more in ({}, {"is_active": "true"}):
                met = flat(await walk(city, q="zwischenruf", limit=limit, **more))
                assert [one for one in met if one in {str(one["_id"]) for one in sound}] == [
                    str(one["_id"]) for one in sound
                ]
                assert len(set(met)) == len(met)
    finally:
        await users(city).delete_many({"_id": {"$in": [*ids, *(one["_id"] for one in sound)]}})


async def test_what_is_found_and_gone_meanwhile_is_left_out(city: httpx.AsyncClient) -> None:
    (user_id,) = await store(city, [somebody("Fluechtig Momentan")])
    assert await found(city, "fluechtig") == ["Fluechtig Momentan"]
    await users(city).delete_one({"_id": ObjectId(user_id)})
    assert await search(city, "fluechtig") == []

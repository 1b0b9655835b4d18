"""Search fields and the dictionary: true after every way of writing, checked and mended while all goes on."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

from app.commands import samples
from app.search import Dictionary, SearchIndex, postings, upkeep
from tests.support.api import serving
from tests.support.identity import PASSWORD, call, member, sign_in
from tests.support.listing import document, resources
from tests.support.live import command
from tests.support.search import found, somebody, store
from tests.support.users import create, database, problem, users

IN_ORDER = "All users and the dictionary are as search needs them.\n"


@pytest.fixture
def run(mongo_uri: str, redis_url: str, tmp_path: Path) -> Any:
    """`python -m app search ...` in a process of its own: its status and what it printed."""

    def run_command(*arguments: str) -> tuple[int, str]:
        ran = command(tmp_path, "search", *arguments, mongo_uri=mongo_uri, redis_url=redis_url)
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, ran.stdout

    return run_command


async def patch(client: httpx.AsyncClient, user: dict[str, Any], **said: Any) -> None:
    reply = await client.patch(f"/users/{user['id']}", json=said)
    assert reply.status_code == 200, reply.text


# --- read your own write


async def test_a_created_user_is_found_at_once_by_all_their_fields(client: httpx.AsyncClient) -> None:
    profile = {"title": "Wart", "department": "Magazin", "addresses": [{"city": "Linz"}]}
    more = {"username": "zackig", "phone": "+4315550001", "tags": ["Kegler"], "profile": profile}
    await create(client, name="Zacharias Übelacker", email="zu@fernweh.example", **more)
    for q in (
        "zacharias", "uebelacker", "fernweh", "zackig", "5550001", "kegler", "wart", "magazin", "linz",
        "zachar", "zahcarias", "ubelakcer",
    ):  # fmt: skip
        assert await found(client, q) == ["Zacharias Übelacker"], q
    assert await SearchIndex(users(client)).check() == []


CHANGES: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "Nachher Zwei"}, "nachher", "vorher"),
    ({"email": "neu.post@danach.example"}, "danach", "davor"),
    ({"username": "spaeter"}, "spaeter", "damals"),
    ({"phone": "+4922222222"}, "22222222", "11111111"),
    ({"tags": ["gruen", "gelb"]}, "gelb", "rot"),
    ({"profile": {"title": "Meisterin"}}, "meisterin", "gesellin"),
    ({"profile": {"department": "Versand"}}, "versand", "einkauf"),
    ({"profile": {"addresses": [{"city": "Passau"}]}}, "passau", "regensburg"),
]
BEFORE: dict[str, Any] = {
    "name": "Vorher Eins", "email": "alt@davor.example", "username": "damals", "phone": "+4911111111",
    "tags": ["rot"],
    "profile": {"title": "Gesellin", "department": "Einkauf", "addresses": [{"city": "Regensburg"}]},
}  # fmt: skip


def merged(change: dict[str, Any]) -> dict[str, Any]:
    return BEFORE | change | {"profile": BEFORE["profile"] | change.get("profile", {})}


@pytest.mark.parametrize("way", ["patch", "put", "batch"])
async def test_a_changed_user_is_found_by_the_new_text_and_not_by_the_old(
    client: httpx.AsyncClient, way: str
) -> None:
    for change, new, old in CHANGES:
        user = await create(client, **BEFORE)
        assert await found(client, old) == ["Vorher Eins"]
        assert await found(client, new) == []
        path = f"/users/{user['id']}"
        if way == "patch":
            reply = await client.patch(path, json=change)
        elif way == "put":
            reply = await client.put(path, json=merged(change))
        else:
            operation = {"op": "update", "id": user["id"], "patch": change}
            reply = await client.post("/users:batch", json={"operations": [operation]})
        assert reply.status_code == 200, reply.text
        assert len(await found(client, new)) == 1, (new, way)
        assert await found(client, old) == [], (old, way)
        assert await SearchIndex(users(client)).check() == []
        assert (await client.delete(path)).status_code == 204
        assert await found(client, new) == []


async def test_a_batch_is_found_at_once_and_whom_it_deletes_not(client: httpx.AsyncClient) -> None:
    ids = await store(client, [somebody(f"Stapel{n} Gemeinsam", tags=["stapelweise"]) for n in range(300)])
    assert len(await found(client, "stapelweise", limit=1000)) == 300
    assert await found(client, '"stapel17"') == ["Stapel17 Gemeinsam"]
    operations: list[dict[str, Any]] = [{"op": "delete", "id": one} for one in ids[:100]]
    operations += [
        {"op": "update", "id": one, "patch": {"name": "Einzeln", "tags": []}} for one in ids[100:150]
    ]
    operations += [{"op": "create", "user": somebody("Nachzügler Gemeinsam")}]
    await client.post("/users:batch", json={"operations": operations})
    assert len(await found(client, "gemeinsam", limit=1000)) == 151
    assert len(await found(client, "stapelweise", limit=1000)) == 150
    assert len(await found(client, "einzeln", limit=1000)) == 50
    assert await found(client, "nachzugler") == ["Nachzügler Gemeinsam"]
    assert await SearchIndex(users(client)).check() == []


async def test_people_who_register_and_change_their_own_record_are_found_at_once(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, registration="open") as client:
        body = {"name": "Selbst Anmelder", "email": "selbst@tuer.example", "password": PASSWORD}
        user = (await call(client, "POST", "/auth/register", json=body)).json()
        assert await found(client, "anmelder") == ["Selbst Anmelder"]
        token = (await sign_in(client, user))["access_token"]
        reply = await call(client, "PATCH", "/users/me", token, json={"name": "Selbst Umbenenner"})
        assert reply.status_code == 200
        assert await found(client, "umbenner") == ["Selbst Umbenenner"]
        assert await found(client, "anmelder") == []
        change = {"email": "wieder@fenster.example", "current_password": PASSWORD}
        reply = await call(client, "POST", "/users/me/email", token, json=change)
        assert reply.status_code == 200, reply.text
        assert await found(client, "fenster") == ["Selbst Umbenenner"]
        assert await found(client, "wieder@fenster.example") == ["Selbst Umbenenner"]
        assert await found(client, "tuer") == []
        assert await SearchIndex(users(client)).check() == []


async def test_what_sets_no_text_leaves_search_as_it_is(client: httpx.AsyncClient) -> None:
    user = await member(client, name="Bleibend Gleich")
    await sign_in(client, user)
    reply = await client.put(f"/users/{user['id']}/password", json={"password": "another kind staple 7"})
    assert reply.status_code == 204
    await patch(client, user, is_active=False)
    assert await found(client, "bleibend") == ["Bleibend Gleich"]
    assert await SearchIndex(users(client)).check() == []


async def test_a_write_that_is_refused_changes_nothing_that_is_found(client: httpx.AsyncClient) -> None:
    await create(client, name="Erster", email="eins@belegt.example")
    other = await create(client, name="Zweiter Rang", email="zwei@frei.example")
    reply = await client.patch(
        f"/users/{other['id']}", json={"name": "Dritter", "email": "eins@belegt.example"}
    )
    problem(reply, 409, "already_exists")
    assert await found(client, "dritter") == []
    assert await found(client, "zweiter") == ["Zweiter Rang"]
    assert await SearchIndex(users(client)).check() == []


# --- check and reindex


async def test_check_has_nothing_to_say_of_a_sound_directory(client: httpx.AsyncClient, run: Any) -> None:
    await samples.add(resources(client), 300)
    await create(client, **BEFORE)
    assert await asyncio.to_thread(run, "check") == (0, IN_ORDER)
    assert await asyncio.to_thread(run, "reindex") == (0, "0 users had to change; all words are counted.\n")


async def test_a_change_past_us_is_named_and_mended_without_a_new_version(
    client: httpx.AsyncClient, run: Any
) -> None:
    user = await create(client, **BEFORE)
    await create(client, name="Anderer Mensch")
    row = await users(client).find_one({"name": "Vorher Eins"})
    await users(client).update_one({"_id": row["_id"]}, {"$set": {"name": "Heimlich Getauscht"}})
    assert await found(client, "heimlich") == []
    sentence = f"user {user['id']} has search fields that do not match their text\n"
    status, said = await asyncio.to_thread(run, "check")
    assert (status, said.startswith(sentence)) == (1, True)
    assert "2 words are missing from the dictionary" in said
    assert await asyncio.to_thread(run, "reindex") == (0, "1 users had to change; all words are counted.\n")
    assert await found(client, "heimlich") == ["Heimlich Getauscht"]
    assert await found(client, "heimlcih getuascht") == ["Heimlich Getauscht"], "its words were learnt"
    assert await found(client, "vorher") == []
    after = await users(client).find_one({"_id": row["_id"]})
    assert (after["version"], after["updated_at"]) == (row["version"], row["updated_at"])
    assert await asyncio.to_thread(run, "check") == (0, IN_ORDER)


async def test_many_differences_are_counted_and_not_all_told(client: httpx.AsyncClient, run: Any) -> None:
    await samples.add(resources(client), 60)
    await users(client).update_many({}, {"$set": {"search.t": ["nspoilt"]}})
    status, said = await asyncio.to_thread(run, "check")
    assert status == 1
    assert said.count("has search fields that do not match") == 20
    assert said.endswith("and 40 users more\n")
    assert await asyncio.to_thread(run, "reindex") == (0, "60 users had to change; all words are counted.\n")


async def test_users_of_before_search_break_nothing_and_are_found_once_indexed(
    client: httpx.AsyncClient, run: Any
) -> None:
    old = [
        document(n, name=f"Altbestand {n:02}", tags=["archiv"], phone=f"+4900000{n:04}") for n in range(30)
    ]
    for one in old:
        del one["search"]
    await users(client).insert_many(old)
    await create(client, name="Neu Altbestand")
    for q in ("altbestand", "altbest", "altbestnad", "archiv", "00000", "p3@example.com", "name:altbestand"):
        assert set(await found(client, q)) <= {"Neu Altbestand", "Altbestand 03"}, q
    user = {"id": str(old[0]["_id"])}
    await patch(client, user, tags=["benutzt"])
    assert await found(client, "altbestand") == ["Altbestand 00", "Neu Altbestand"], (
        "a change makes them anew"
    )
    assert (await asyncio.to_thread(run, "check"))[0] == 1
    assert await asyncio.to_thread(run, "reindex") == (0, "29 users had to change; all words are counted.\n")
    assert len(await found(client, "altbestand")) == 31
    assert len(await found(client, "altbestnad")) == 31
    assert len(await found(client, "archiv")) == 29
    assert await asyncio.to_thread(run, "check") == (0, IN_ORDER)


async def test_a_new_version_of_the_scheme_is_noticed_and_renewed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await create(client, **BEFORE)
    monkeypatch.setattr(upkeep, "VERSION", postings.VERSION + 1)
    assert await SearchIndex(users(client)).check() == [
        f"user {user['id']} has search fields that do not match their text"
    ]
    assert await SearchIndex(users(client)).reindex() == 1
    row = await users(client).find_one({})
    assert (row["search"]["v"], row["version"]) == (postings.VERSION + 1, 1)
    assert await SearchIndex(users(client)).check() == []
    assert await found(client, "vorher") == ["Vorher Eins"]


async def test_a_dictionary_of_before_half_typed_words_serves_and_is_renewed(
    client: httpx.AsyncClient,
) -> None:
    await store(client, [somebody("Vorzeiten Angelegt")])
    terms = database(client)["terms"]
    old = {"$unset": {"k": 1, "s": 1}, "$set": {"d": ["vorzeiten", "orzeiten", "vrzeiten", "vozeiten"]}}
    await terms.update_one({"_id": "vorzeiten"}, old)
    await users(client).update_many({}, {"$set": {"search.v": 2}})
    assert await found(client, "orzeiten") == ["Vorzeiten Angelegt"]
    assert await found(client, "angelegt vorzxi") == []
    assert await found(client, "rzeite") == []
    assert await SearchIndex(users(client)).is_outdated()
    await SearchIndex(users(client)).reindex()
    assert await found(client, "angelegt vorzxi") == ["Vorzeiten Angelegt"]
    assert await found(client, "rzeite") == ["Vorzeiten Angelegt"]


async def test_counts_are_made_anew(client: httpx.AsyncClient, run: Any) -> None:
    await store(client, [somebody(f"Zaehl{'abc'[n % 3]} Vielfach", tags=["vielfach"]) for n in range(40)])
    terms = database(client)["terms"]
    await terms.insert_one({"_id": "verwaist", "n": 5, "d": ["verwaist"]})
    await terms.update_one({"_id": "vielfach"}, {"$set": {"n": 7_000}})
    await asyncio.to_thread(run, "reindex")
    counted = {term["_id"]: term["n"] async for term in terms.find({}, {"n": 1})}
    assert counted["vielfach"] == 40
    assert sorted(counted[f"zaehl{letter}"] for letter in "abc") == [13, 13, 14]
    assert counted["verwaist"] == 0, "left, since a user who holds it may be on the way"


async def test_malformed_rows_stop_neither_check_nor_reindex(client: httpx.AsyncClient, run: Any) -> None:
    changes: list[dict[str, Any]] = [
        {"name": None}, {"name": 5}, {"email": ["x"]}, {"tags": "a"}, {"tags": [5]}, {"profile": None},
        {"profile": "x"}, {"profile": {"addresses": [5]}}, {"profile": {"title": 5}}, {"phone": 5},
        {"version": None}, {"search": "x"}, {"search": [1]}, {"search": {"t": 5}}, {"keys": None},
        {"_id": "abc"},
    ]  # fmt: skip
    odd = [document(n, name=f"Schief{n}") | change for n, change in enumerate(changes)]
    for one in odd:
        if "search" not in one or isinstance(one["search"], dict):
            one["search"] = one.get("search", {}) | {"v": 0}
    unversioned = document(90, name="Unversioniert")
    del unversioned["version"]
    await users(client).insert_many([*odd, unversioned], bypass_document_validation=True)
    await users(client).insert_one(document(99, name="Gerade Gewachsen"))
    status, said = await asyncio.to_thread(run, "check")
    assert status == 1
    assert said.count("has a value that is not text where text should be") == 7
    assert (await asyncio.to_thread(run, "reindex"))[0] == 0
    assert await found(client, "gewahcsen") == ["Gerade Gewachsen"]
    assert await found(client, "schief11") == ["Schief11"]


# --- while all goes on


async def test_reindexing_loses_no_write_of_the_service(client: httpx.AsyncClient) -> None:
    ids = await store(client, [somebody(f"Laufend{n:03} Betrieb") for n in range(200)])
    await users(client).update_many({}, {"$unset": {"search": ""}})
    names = {}
    over = asyncio.Event()

    async def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            one = random.choice(ids)  # noqa: S311 - filler
            name = f"Umgetauft{number} Betrieb"
            reply = await client.patch(f"/users/{one}", json={"name": name})
            assert reply.status_code == 200
            names[one] = name
            await create(client, name=f"Neuling{number} Betrieb")

    writers = [asyncio.create_task(write()) for _ in range(3)]
    try:
        for _ in range(5):
            await SearchIndex(users(client)).reindex()
    finally:
        over.set()
        await asyncio.gather(*writers)
    assert len(names) > 5
    assert await SearchIndex(users(client)).check() == []
    for one, name in names.items():
        row = (await client.get(f"/users/{one}")).json()
        assert row["name"] == name
        assert row["id"] in {
            item["id"] for item in (await client.get("/users", params={"q": name})).json()["items"]
        }


async def test_without_its_dictionary_search_is_exact_and_breaks_nowhere(
    client: httpx.AsyncClient, run: Any
) -> None:
    await store(client, [somebody("Wortlos Verblieben"), somebody("Wortlosigkeit Gegangen")])
    assert await found(client, "wrotlos") == ["Wortlos Verblieben", "Wortlosigkeit Gegangen"]
    await database(client)["terms"].drop()
    assert await found(client, '"wortlos"') == ["Wortlos Verblieben"]
    assert (await found(client, "wortlos"))[0] == "Wortlos Verblieben"
    assert await found(client, "wortlosig") == ["Wortlosigkeit Gegangen"], "prefixes need no dictionary"
    for q in ("wrotlos", "wortlos verbleiben", "w", "张"):
        assert (await client.get("/users", params={"q": q})).status_code == 200
        assert (await client.get("/users/suggest", params={"q": q})).status_code == 200
    await create(client, name="Danach Gekommen")
    assert await found(client, "danach") == ["Danach Gekommen"]
    assert await asyncio.to_thread(run, "reindex") == (0, "0 users had to change; all words are counted.\n")
    assert await found(client, "wrotlos") == ["Wortlos Verblieben", "Wortlosigkeit Gegangen"]
    assert await found(client, "dnaach") == ["Danach Gekommen"]
    assert await asyncio.to_thread(run, "check") == (0, IN_ORDER)
    assert (await database(client)["terms"].index_information()).keys() == {"_id_", "neighbours", "endings"}


async def test_a_dictionary_dropped_while_we_run_is_missed_and_learnt_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await store(client, [somebody("Vergessen Worden")])
    await database(client)["terms"].drop()
    assert await found(client, "vregessen") == []
    monkeypatch.setattr("app.search.dictionary.random.random", lambda: 0.0)  # count the next write
    await create(client, name="Vergessen Abermals")
    assert set(await found(client, "vregessen")) == {"Vergessen Worden", "Vergessen Abermals"}
    assert "dictionary_lost" in capsys.readouterr().err


async def test_a_dictionary_that_takes_no_word_lets_nobody_be_written(client: httpx.AsyncClient) -> None:
    user = await create(client, name="Vorher Da")
    refusing: dict[str, Any] = {"validator": {"d": {"$type": "int"}}, "validationLevel": "strict"}
    await database(client).command("collMod", "terms", **refusing)
    reply = await client.post("/users", json=somebody("Unbekanntes Wort"))
    problem(reply, 503, "unavailable")
    reply = await client.patch(f"/users/{user['id']}", json={"name": "Unbekannter Name"})
    problem(reply, 503, "unavailable")
    operations = [{"op": "create", "user": somebody("Ungewohnter Ausdruck")}]
    reply = await client.post("/users:batch", json={"operations": operations})
    assert [result["status"] for result in reply.json()["results"]] == [503]
    assert await found(client, '"unbekanntes"') == []
    assert await found(client, "vorher") == ["Vorher Da"]
    await database(client).command("collMod", "terms", validator={})
    assert await SearchIndex(users(client)).check() == []
    await create(client, name="Unbekanntes Wort")
    assert await found(client, "unbekanntse") == ["Unbekanntes Wort"]


async def test_words_are_known_before_the_users_who_hold_them(
    client: httpx.AsyncClient, mongo_uri: str
) -> None:
    """Users who are found exactly are found misspelt, at any moment."""
    async with AsyncMongoClient[dict[str, Any]](mongo_uri) as other:
        held = other.get_default_database()
        over = asyncio.Event()

        async def write() -> None:
            for number in range(40):
                word = f"q{''.join(chr(97 + (number * step) % 26) for step in (3, 5, 7, 11))}zz"
                await store(client, [somebody(f"Frisch {word}{tail}") for tail in ("a", "b", "c")])
            over.set()

        async def look() -> None:
            while not over.is_set():
                rows = await held["users"].find({}).to_list()
                needed = {word for row in rows for word in postings.index(row).words}
                assert await Dictionary(held).find_missing(needed) == 0

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            group.create_task(look())

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from app.auth.access_tokens import AccessTokens
from app.core.errors import InvalidTokenError, UnavailableError
from app.keys.key_store import KeyStore
from app.keys.keyring import LEEWAY_S, LOOK_AGAIN_S, PUBLISH_AHEAD_S, Keyring, keep_current
from app.monitoring import logs
from tests.support.clock import Clock
from tests.support.servers import MongoServer
from tests.support.users import until

SECRET = "0123456789abcdef0123456789abcdef"
OTHER_SECRET = "fedcba9876543210fedcba9876543210"
USER = "6742f0c1a5d3b8e9f0123456"
TTL_S = 600
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth", "sealed"}
Database = AsyncDatabase[dict[str, Any]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(bare_uri: str) -> AsyncIterator[Database]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri) as client:
        yield client.get_default_database()


async def open_keyring(
    database: Database, clock: Clock, *, secret: str = SECRET, algorithm: str | None = "EdDSA"
) -> Keyring:
    return await Keyring.open(database, secret, algorithm=algorithm, token_ttl_s=TTL_S, now=clock)


def make_tokens(keyring: Keyring, clock: Clock) -> AccessTokens:
    return AccessTokens(keyring, issuer="http://roster", audience="roster", ttl_s=TTL_S, now=clock)


def issue(keyring: Keyring, clock: Clock) -> str:
    token, _ = make_tokens(keyring, clock).issue(user_id=USER, sid="s", client_id="web", scopes=["me"])
    return token


def kids(keyring: Keyring) -> list[str]:
    return [key["kid"] for key in keyring.public()]


async def states(keyring: Keyring) -> dict[str, str]:
    return {key.kid: key.state for key in await keyring.list()}


# Making keys


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
async def test_the_first_process_makes_a_key_and_the_next_signs_with_it(
    database: Database, clock: Clock, algorithm: str
) -> None:
    first = await open_keyring(database, clock, algorithm=algorithm)
    second = await open_keyring(database, clock, algorithm=algorithm)
    assert kids(first) == kids(second) == [first.signing.kid] == [second.signing.kid]
    assert second.signing.algorithm == algorithm
    assert (await make_tokens(first, clock).verify(issue(second, clock))).user_id == USER


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
async def test_ten_processes_that_start_at_once_end_up_with_one_key(
    database: Database, clock: Clock, algorithm: str
) -> None:
    opened = await asyncio.gather(*(open_keyring(database, clock, algorithm=algorithm) for _ in range(10)))
    assert len({keyring.signing.kid for keyring in opened}) == 1
    assert await database["keys"].count_documents({}) == 1


async def test_ten_processes_with_a_new_algorithm_make_one_new_key(database: Database, clock: Clock) -> None:
    old = await open_keyring(database, clock)
    opened = await asyncio.gather(*(open_keyring(database, clock, algorithm="ES256") for _ in range(10)))
    assert await database["keys"].count_documents({}) == 2
    assert {keyring.signing.kid for keyring in opened} == {old.signing.kid}
    clock.now += PUBLISH_AHEAD_S
    assert {keyring.signing.algorithm for keyring in opened} == {"ES256"}
    assert len({keyring.signing.kid for keyring in opened}) == 1


async def test_the_first_key_is_for_es256_and_each_further_one_as_the_newest_unless_set(
    database: Database, clock: Clock
) -> None:
    first = await open_keyring(database, clock, algorithm=None)
    assert first.signing.algorithm == "ES256"
    await open_keyring(database, clock, algorithm="RS256")
    clock.now += PUBLISH_AHEAD_S
    unset = await open_keyring(database, clock, algorithm=None)
    assert (unset.signing.algorithm, len(kids(unset))) == ("RS256", 2)
    await unset.rotate()
    clock.now += PUBLISH_AHEAD_S
    assert unset.signing.algorithm == "RS256"
    assert len(kids(unset)) == 3


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
async def test_a_directory_that_signed_before_goes_on_with_its_key(
    database: Database, clock: Clock, algorithm: str
) -> None:
    before = await open_keyring(database, clock, algorithm=algorithm)
    token = issue(before, clock)
    after = await open_keyring(database, clock, algorithm=None)
    assert kids(after) == [before.signing.kid] == [after.signing.kid]
    assert (await make_tokens(after, clock).verify(token)).user_id == USER
    await after.rotate(at_once=True)
    assert [key["alg"] for key in after.public()] == [algorithm]


async def test_a_key_sealed_under_another_secret_still_says_which_algorithm_is_used(
    database: Database, clock: Clock
) -> None:
    await open_keyring(database, clock, algorithm="EdDSA")
    other = await open_keyring(database, clock, secret=SECRET[::-1], algorithm=None)
    assert other.signing.algorithm == "EdDSA"
    assert len(kids(other)) == 2


async def test_ten_rotations_at_once_make_ten_keys_of_which_one_signs(
    database: Database, clock: Clock
) -> None:
    opened = [await open_keyring(database, clock) for _ in range(10)]
    made = await asyncio.gather(*(keyring.rotate() for keyring in opened))
    assert len(set(made)) == 10
    clock.now += PUBLISH_AHEAD_S
    for keyring in opened:
        await keyring.refresh()
    assert len({keyring.signing.kid for keyring in opened}) == 1
    replaced = await database["keys"].count_documents({"verifies_until": {"$ne": None}})
    assert replaced == 10


async def test_a_key_is_stored_sealed_and_with_a_majority(database: Database, clock: Clock) -> None:
    keyring = await open_keyring(database, clock)
    (document,) = await database["keys"].find().to_list()
    assert document.keys() == {
        "_id", "number", "algorithm", "public", "sealed", "created_at", "signs_from", "verifies_until"
    }  # fmt: skip
    assert document["_id"] == keyring.signing.kid
    assert not PRIVATE & document["public"].keys()
    private = keyring.signing.private()["d"]
    assert private.encode() not in document["sealed"]
    assert private not in str(document)
    assert keyring._store._collection.write_concern.document == {"w": "majority"}
    assert (await database["keys"].index_information())["number_1"]["unique"] is True


# Rotation


async def test_a_new_key_is_published_before_it_signs_and_the_old_one_verifies_until_its_tokens_expire(
    database: Database, clock: Clock
) -> None:
    keyring = await open_keyring(database, clock)
    other = await open_keyring(database, clock)
    old = keyring.signing.kid
    new = (await keyring.rotate()).kid
    assert kids(keyring) == [new, old]
    assert keyring.signing.kid == old
    assert await states(keyring) == {new: "will_sign", old: "signs"}

    clock.now += PUBLISH_AHEAD_S - 1
    last = issue(keyring, clock)
    clock.now += 1
    assert keyring.signing.kid == new
    assert await states(keyring) == {new: "signs", old: "verifies"}
    await other.refresh()
    assert kids(other) == [new, old]
    for ring in (keyring, other):
        assert (await make_tokens(ring, clock).verify(last)).user_id == USER
        assert (await make_tokens(ring, clock).verify(issue(keyring, clock))).user_id == USER

    clock.now += TTL_S + LEEWAY_S - 0.5
    assert kids(keyring) == [new, old]
    clock.now += 0.5
    assert kids(keyring) == [new]
    assert keyring.find(old) is None
    assert await database["keys"].count_documents({"_id": old}) == 1
    await keyring.refresh()
    assert await database["keys"].count_documents({"_id": old}) == 0
    assert await states(keyring) == {new: "signs"}


async def test_a_second_rotation_leaves_the_end_of_the_first_as_it_was(
    database: Database, clock: Clock
) -> None:
    keyring = await open_keyring(database, clock)
    await keyring.rotate()
    (before,) = [key.verifies_until for key in await keyring.list() if key.verifies_until]
    clock.now += 10
    await keyring.rotate()
    ends = [key.verifies_until for key in await keyring.list()]
    assert ends[0] is None
    assert ends[1] is not None
    assert (ends[1] - before).total_seconds() == 10
    assert ends[2] == before


async def test_a_stolen_key_is_refused_at_once_also_for_tokens_that_were_verified(
    database: Database, clock: Clock
) -> None:
    keyring = await open_keyring(database, clock)
    await keyring.rotate()
    tokens = make_tokens(keyring, clock)
    token = issue(keyring, clock)
    await tokens.verify(token)
    assert tokens.known(token) is not None
    generation = keyring.generation
    new = (await keyring.rotate(at_once=True)).kid
    assert keyring.generation > generation
    assert tokens.known(token) is None
    with pytest.raises(InvalidTokenError, match="unknown signing key"):
        await tokens.verify(token)
    assert keyring.signing.kid == new
    assert kids(keyring) == [new]
    assert await database["keys"].distinct("_id") == [new]


async def test_another_process_refuses_the_stolen_key_once_it_sees_a_token_of_the_new_one(
    database: Database, clock: Clock
) -> None:
    keyring, other = await open_keyring(database, clock), await open_keyring(database, clock)
    tokens = make_tokens(other, clock)
    old = issue(keyring, clock)
    await tokens.verify(old)
    await keyring.rotate(at_once=True)
    new = [issue(keyring, clock) for _ in range(5)]
    claims = await asyncio.gather(*(tokens.verify(token) for token in new))
    assert {found.user_id for found in claims} == {USER}
    assert tokens.known(old) is None
    with pytest.raises(InvalidTokenError):
        await tokens.verify(old)


async def test_refreshing_without_news_keeps_what_was_verified(database: Database, clock: Clock) -> None:
    keyring = await open_keyring(database, clock)
    tokens = make_tokens(keyring, clock)
    token = issue(keyring, clock)
    await tokens.verify(token)
    await keyring.refresh()
    assert tokens.known(token) is not None


# Finding keys


async def test_a_flood_of_unknown_key_ids_reads_the_keys_once_in_a_while(
    database: Database, clock: Clock
) -> None:
    keyring, other = await open_keyring(database, clock), await open_keyring(database, clock)
    assert [await keyring.find_fresh(f"random {number}") for number in range(200)] == [None] * 200
    new = (await other.rotate()).kid
    assert await keyring.find_fresh(new) is None
    clock.now += LOOK_AGAIN_S
    found = await keyring.find_fresh(new)
    assert found is not None
    assert found.kid == new


async def test_keys_are_read_again_in_the_background(database: Database, clock: Clock) -> None:
    keyring, other = await open_keyring(database, clock), await open_keyring(database, clock)
    task = asyncio.create_task(keep_current(keyring, every_s=0.01))
    new = (await other.rotate()).kid

    async def knows() -> bool:
        return keyring.find(new) is not None

    await until(knows)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_clock_ahead_of_ours_does_not_leave_us_without_a_key(
    database: Database, clock: Clock
) -> None:
    first = await open_keyring(database, clock)
    clock.now -= 20
    assert (await open_keyring(database, clock)).signing.kid == first.signing.kid


async def test_while_mongodb_is_away_the_keys_stay(tmp_path: Path, clock: Clock) -> None:
    with MongoServer(tmp_path) as server:
        async with AsyncMongoClient[dict[str, Any]](server.uri, timeoutMS=1_000) as client:
            keyring = await open_keyring(client.get_default_database(), clock)
            token = issue(keyring, clock)
            server.kill()
            await keyring.refresh()
            assert await keyring.find_fresh("unknown") is None
            assert (await make_tokens(keyring, clock).verify(token)).user_id == USER
            with pytest.raises(PyMongoError):
                await keyring.rotate()
            server.restart()
            new = (await keyring.rotate()).kid
            assert new in kids(keyring)


async def test_no_key_and_no_mongodb_is_an_outage(database: Database, clock: Clock) -> None:
    keyring = Keyring(KeyStore(database, SECRET), algorithm="EdDSA", token_ttl_s=TTL_S, now=clock)
    with pytest.raises(UnavailableError):
        _ = keyring.signing
    await keyring.refresh()
    assert keyring.signing.kid == kids(keyring)[0]


# Another secret, and documents that other programs wrote


async def test_with_another_secret_a_new_key_signs_and_the_old_one_verifies(
    database: Database, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", "json")
    old = await open_keyring(database, clock)
    token = issue(old, clock)
    capsys.readouterr()
    opened = await asyncio.gather(*(open_keyring(database, clock, secret=OTHER_SECRET) for _ in range(5)))
    assert len({keyring.signing.kid for keyring in opened}) == 1
    assert opened[0].signing.kid != old.signing.kid
    assert (await make_tokens(opened[0], clock).verify(token)).user_id == USER
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (warned, *_) = [line for line in lines if line["level"] == "warning"]
    assert warned["event"] == "signing_key_sealed_under_another_secret"
    assert warned["kid"] == old.signing.kid
    clock.now += TTL_S + LEEWAY_S
    await opened[0].refresh()
    assert kids(opened[0]) == [opened[0].signing.kid]


@pytest.mark.parametrize(
    "damage",
    [
        {"public": {"kty": "OKP"}}, {"public": "x"}, {"public": None}, {"algorithm": "HS256"},
        {"algorithm": ["EdDSA"]}, {"algorithm": "ES256"}, {"sealed": "text"}, {"sealed": {}},
        {"signs_from": "now"}, {"verifies_until": 5}, {"created_at": None}, {"number": "x"},
        {"number": 1e300},
        {"public": {"kty": "oct", "k": "AAAA"}},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_malformed_document_is_no_key(
    database: Database, clock: Clock, damage: dict[str, Any]
) -> None:
    first = await open_keyring(database, clock)
    await database["keys"].update_one({}, {"$set": damage})
    second = await open_keyring(database, clock)
    assert kids(second) == [second.signing.kid]
    assert second.signing.kid != first.signing.kid
    await second.rotate()
    assert len(kids(second)) == 2


# What stays inside


@pytest.mark.logs_on_purpose  # what the drivers tell at their debug level
async def test_nothing_private_is_published_listed_or_logged(
    database: Database, clock: Clock, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    logs.configure("debug", "json")
    caplog.set_level(logging.DEBUG)
    private: list[str] = []
    said = ""
    for algorithm in ("EdDSA", "ES256", "RS256"):
        keyring = await open_keyring(database, clock, algorithm=algorithm)
        await keyring.rotate()
        clock.now += PUBLISH_AHEAD_S
        private += [str(keyring.signing.private()[name]) for name in ("d", "p", "q", "dp", "dq", "qi")
                    if name in keyring.signing.private()]  # fmt: skip
        said += repr(keyring.signing) + repr(await keyring.list()) + repr(keyring.find(keyring.signing.kid))
    published = keyring.public()
    assert len(published) == 6
    for key in published:
        assert not PRIVATE & key.keys()
        members = {"OKP": {"crv", "x"}, "EC": {"crv", "x", "y"}, "RSA": {"n", "e"}}[key["kty"]]
        assert key.keys() == {"kty", "kid", "use", "alg"} | members
        assert key["use"] == "sig"
    said += orjson.dumps(published).decode() + capsys.readouterr().err + caplog.text
    assert len(private) == 8
    for secret in (*private, SECRET):
        assert secret not in said

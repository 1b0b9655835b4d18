import asyncio
import json
import logging
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core import sealing
from app.core.errors import InvalidError
from app.keys.password_keys import PasswordKeys
from app.monitoring import logs
from tests.support.clock import Clock

SECRET = "0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse 电池 staple"
NOON = 1_800_014_400.0  # 2027-01-15, 12:00 UTC
DAY_S = 86_400
ANEW = "Encrypt the password anew with the key of GET /auth/keys/password."
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
Database = AsyncDatabase[dict[str, Any]]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
async def database(bare_uri: str) -> AsyncIterator[Database]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri) as client:
        yield client.get_default_database()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def keys(database: Database, redis: Redis, clock: Clock) -> PasswordKeys:
    return PasswordKeys(database, redis, SECRET, now=clock)


def header(public: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": public["kid"]} | changes


def encrypt(public: dict[str, Any], content: str | bytes = PASSWORD, **changes: Any) -> str:
    """As a client's JOSE library does it, whatever the header asks for."""
    asked = header(public, **changes)
    key = RSAKey.import_key({name: public[name] for name in ("kty", "n", "e")})
    plain = content if isinstance(content, bytes) else content.encode()
    return jwe.encrypt_compact(asked, plain, key, algorithms=[asked["alg"], asked["enc"], "DEF"])


def seal_by_hand(public: dict[str, Any], head: bytes, content: bytes = b"password") -> str:
    """A good JWE but for its header, which may be anything."""
    key = RSAKey.import_key({name: public[name] for name in ("kty", "n", "e")}).public_key
    oaep = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
    cek, iv, aad = bytes(32), bytes(12), sealing.encode(head)
    enc = jwe.JWERegistry.algorithms["enc"]["A256GCM"]
    text, tag = enc.encrypt(content, cek, iv, aad.encode())
    return ".".join([aad, *(sealing.encode(part) for part in (key.encrypt(cek, oaep), iv, text, tag))])


async def refused(keys: PasswordKeys, sealed: str) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        await keys.open(sealed)
    (field,) = caught.value.errors
    assert field.pointer == "/password_jwe"
    assert field.detail == caught.value.detail
    assert caught.value.detail.endswith(ANEW)
    assert caught.value.__cause__ is None
    return caught.value


async def refused_silently(keys: PasswordKeys, sealed: str) -> None:
    """Without a word on why."""
    assert (await refused(keys, sealed)).detail == ANEW


# The key


async def test_todays_key_is_public_and_only_that(keys: PasswordKeys, database: Database) -> None:
    public = await keys.public()
    assert public.keys() == {"kty", "n", "e", "kid", "use", "alg"}
    assert (public["kty"], public["use"], public["alg"]) == ("RSA", "enc", "RSA-OAEP-256")
    assert public["kid"] == "password-2027-01-15"
    assert len(sealing.decode(public["n"])) == 256
    assert await keys.public() == public
    (stored,) = await database["password_keys"].find().to_list()
    assert stored.keys() == {"_id", "sealed"}
    assert stored["_id"] == public["kid"]


async def test_ten_processes_agree_on_the_key_of_the_day(
    database: Database, redis: Redis, clock: Clock
) -> None:
    opened = [PasswordKeys(database, redis, SECRET, now=clock) for _ in range(10)]
    public = await asyncio.gather(*(each.public() for each in opened for _ in range(3)))
    assert all(key == public[0] for key in public)
    assert await database["password_keys"].count_documents({}) == 1
    assert [await each.open(encrypt(public[0])) for each in opened] == [PASSWORD] * 10


async def test_a_key_is_accepted_until_the_end_of_the_next_day_and_then_deleted(
    keys: PasswordKeys, database: Database, redis: Redis, clock: Clock
) -> None:
    first = await keys.public()
    sealed = [encrypt(first) for _ in range(3)]
    clock.now += DAY_S
    second = await keys.public()
    assert second["kid"] == "password-2027-01-16"
    assert second["n"] != first["n"]
    assert await keys.open(sealed[0]) == PASSWORD
    clock.now += DAY_S // 2 - 1
    assert await PasswordKeys(database, redis, SECRET, now=clock).open(sealed[1]) == PASSWORD
    clock.now += 1
    await refused_silently(keys, sealed[2])
    await refused_silently(PasswordKeys(database, redis, SECRET, now=clock), sealed[2])
    assert await keys.open(encrypt(second)) == PASSWORD
    await keys.public()
    assert await database["password_keys"].distinct("_id") == ["password-2027-01-16", "password-2027-01-17"]
    assert keys._held.keys() == {"password-2027-01-16", "password-2027-01-17"}


async def test_another_process_whose_clock_is_ahead_may_have_made_tomorrows_key(
    keys: PasswordKeys, database: Database, redis: Redis, clock: Clock
) -> None:
    clock.now += DAY_S // 2
    public = await PasswordKeys(database, redis, SECRET, now=clock).public()
    clock.now -= 2
    assert await keys.open(encrypt(public)) == PASSWORD


async def test_a_key_sealed_under_another_secret_is_replaced(
    database: Database, redis: Redis, clock: Clock
) -> None:
    old = await PasswordKeys(database, redis, "f" * 32, now=clock).public()
    keys = PasswordKeys(database, redis, SECRET, now=clock)
    await refused_silently(keys, encrypt(old))
    new = await keys.public()
    assert new["kid"] == old["kid"]
    assert new["n"] != old["n"]
    assert await keys.open(encrypt(new)) == PASSWORD
    assert await PasswordKeys(database, redis, SECRET, now=clock).public() == new


# What is good


@pytest.mark.parametrize("password", ["x", PASSWORD, "x" * 1024, "\0", " padded ", "😀" * 300, "a.b.c.d.e"])
async def test_the_password_comes_out_as_it_was_typed(keys: PasswordKeys, password: str) -> None:
    assert await keys.open(encrypt(await keys.public(), password)) == password


async def test_a_password_is_opened_by_a_process_that_did_not_publish_the_key(
    keys: PasswordKeys, database: Database, redis: Redis, clock: Clock
) -> None:
    sealed = encrypt(await keys.public())
    assert await PasswordKeys(database, redis, SECRET, now=clock).open(sealed) == PASSWORD


# Replays


async def test_a_jwe_is_good_once_for_all_processes(
    keys: PasswordKeys, database: Database, redis: Redis, clock: Clock
) -> None:
    sealed = encrypt(await keys.public())
    opened = [PasswordKeys(database, redis, SECRET, now=clock) for _ in range(10)]
    results = await asyncio.gather(*(each.open(sealed) for each in opened), return_exceptions=True)
    assert results.count(PASSWORD) == 1
    errors = {error.detail for error in results if isinstance(error, InvalidError)}
    assert errors == {f"It was used already. {ANEW}"}
    assert (await refused(keys, sealed)).detail == f"It was used already. {ANEW}"
    assert await keys.open(encrypt(await keys.public())) == PASSWORD


async def test_the_mark_of_a_used_jwe_outlives_its_key(
    keys: PasswordKeys, redis: Redis, clock: Clock
) -> None:
    await keys.open(encrypt(await keys.public()))
    clock.now += DAY_S
    await keys.open(encrypt(await keys.public()))
    names = [str(name) for name in await redis.keys("*")]
    assert len(names) == 2
    for name in names:
        assert name.startswith("roster:jwe:")
        assert len(name) == len("roster:jwe:") + 64
        assert DAY_S * 1.5 < await redis.ttl(name) <= DAY_S * 1.5 + 60


async def test_a_used_jwe_in_another_spelling_is_refused(keys: PasswordKeys) -> None:
    sealed = encrypt(await keys.public(), "x" * 17)
    assert await keys.open(sealed) == "x" * 17
    parts = sealed.split(".")
    for place, part in enumerate(parts):
        last = LETTERS.index(part[-1])
        spellings = [
            part + "=" * (-len(part) % 4),
            part + "=",
            part + " ",
            " " + part,
            part + "\n",
            part + "A",
        ]
        if len(part) % 4:
            spellings.append(part[:-1] + LETTERS[last + 1])
        for spelling in spellings:
            if spelling != part:
                await refused(keys, ".".join([*parts[:place], spelling, *parts[place + 1 :]]))
    standard = sealed.replace("-", "+").replace("_", "/")
    if standard != sealed:
        await refused(keys, standard)


async def test_a_refused_jwe_leaves_no_mark(keys: PasswordKeys, redis: Redis) -> None:
    sealed = encrypt(await keys.public())
    head, *rest = sealed.split(".")
    await refused_silently(keys, ".".join([head, *rest[:-1], sealing.encode(bytes(16))]))
    assert await redis.keys("*") == []
    assert await keys.open(sealed) == PASSWORD


async def test_without_redis_no_password_is_opened(database: Database, clock: Clock) -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as nowhere:
        keys = PasswordKeys(database, nowhere, SECRET, now=clock)
        with pytest.raises(RedisError):
            await keys.open(encrypt(await keys.public()))


# Attacks


@pytest.mark.parametrize(
    "changes",
    [
        {"enc": "A128GCM"}, {"enc": "A256CBC-HS512"}, {"alg": "RSA-OAEP"}, {"zip": "DEF"}, {"typ": "JWE"},
        {"cty": "JWT"}, {"kid": "password-2027-01-14"}, {"kid": "password-2027-01-16"},
        {"kid": "password-2020-01-01"}, {"kid": "password-2027-02-30"}, {"kid": "password-２０２７-01-15"},
        {"kid": "../../password-2027-01-15"}, {"kid": "password-2027-01-15\0"}, {"kid": "x" * 1_000},
        {"kid": ""},
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_another_header_is_refused(keys: PasswordKeys, changes: dict[str, Any]) -> None:
    public = await keys.public()
    if len(str(changes)) < 500:
        await refused_silently(keys, encrypt(public, **changes))
    await refused_silently(keys, seal_by_hand(public, orjson.dumps(header(public, **changes))))


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["exp"]}, {"jwk": {"kty": "RSA"}}, {"jku": "https://evil.example"}, {"x5u": "https://e.example"},
        {"x5c": ["AA"]}, {"p2c": 1_000_000_000}, {"epk": {}}, {"zip": None}, {"kid": None}, {"kid": ["x"]},
        {"kid": {"$ne": ""}}, {"kid": 1}, {"alg": ["RSA-OAEP-256"]}, {"enc": None}, {"": 1},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_header_of_more_or_of_other_types_is_refused(
    keys: PasswordKeys, more: dict[str, Any]
) -> None:
    public = await keys.public()
    assert await keys.open(seal_by_hand(public, orjson.dumps(header(public)))) == "password"
    await refused_silently(keys, seal_by_hand(public, orjson.dumps(header(public, **more))))


@pytest.mark.parametrize("name", ["alg", "enc", "kid"])
async def test_a_header_of_less_is_refused(keys: PasswordKeys, name: str) -> None:
    public = await keys.public()
    short = {key: value for key, value in header(public).items() if key != name}
    await refused_silently(keys, seal_by_hand(public, orjson.dumps(short)))


@pytest.mark.parametrize("head", [b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 900, b'{"alg":NaN}'])
async def test_a_header_that_is_no_strict_object_is_refused(keys: PasswordKeys, head: bytes) -> None:
    await refused_silently(keys, seal_by_hand(await keys.public(), head))


async def test_a_header_with_a_member_twice_is_refused(keys: PasswordKeys) -> None:
    public = await keys.public()
    twice = orjson.dumps(header(public))[:-1] + b',"alg":"RSA-OAEP-256"}'
    await refused_silently(keys, seal_by_hand(public, twice))


async def test_rsa1_5_is_refused_also_under_the_name_of_oaep(keys: PasswordKeys) -> None:
    public = await keys.public()
    key = RSAKey.import_key({name: public[name] for name in ("kty", "n", "e")}).public_key
    _, _, *rest = seal_by_hand(public, orjson.dumps(header(public))).split(".")
    oaep_sha1 = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # noqa: S303  (the attack)
    for scheme in (padding.PKCS1v15(), oaep_sha1):
        wrapped = sealing.encode(key.encrypt(bytes(32), scheme))
        for alg in ("RSA1_5", "RSA-OAEP", "RSA-OAEP-256"):
            head = sealing.encode(orjson.dumps(header(public, alg=alg)))
            await refused_silently(keys, ".".join([head, wrapped, *rest]))


async def test_dir_is_refused(keys: PasswordKeys) -> None:
    public = await keys.public()
    for secret in (bytes(32), sealing.decode(public["n"])[:32]):
        asked = header(public, alg="dir")
        key = OctKey.import_key({"kty": "oct", "k": sealing.encode(secret)})
        sealed = jwe.encrypt_compact(asked, b"password", key, algorithms=["dir", "A256GCM"])
        await refused_silently(keys, sealed)
        _, _, *rest = sealed.split(".")
        head = sealing.encode(orjson.dumps(header(public)))
        await refused_silently(keys, ".".join([head, "", *rest]))
        await refused_silently(keys, ".".join([head, "AAAA", *rest]))


async def test_a_bomb_is_not_inflated(keys: PasswordKeys) -> None:
    public = await keys.public()
    deflate = zlib.compressobj(wbits=-15)
    bomb = deflate.compress(b"x" * 1_000_000) + deflate.flush()
    await refused_silently(keys, seal_by_hand(public, orjson.dumps(header(public, zip="DEF")), bomb))


async def test_every_part_is_under_the_seal(keys: PasswordKeys) -> None:
    parts = encrypt(await keys.public()).split(".")
    for place, part in enumerate(parts):
        content = sealing.decode(part)
        for spoilt in (content[:-1], content[1:], content + b"\0", content[:-1] + bytes([content[-1] ^ 1])):
            await refused_silently(
                keys, ".".join([*parts[:place], sealing.encode(spoilt), *parts[place + 1 :]])
            )


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ".",
        "....",
        "a.b.c.d.e",
        "x" * 4_096,
        "x" * 1_000_000,
        "." * 4_096,
        "\ud800.a.b.c.d",
        "密码",
        PASSWORD,
    ],
    ids=lambda text: ascii(text[:12]),
)
async def test_what_is_no_jwe_is_refused(keys: PasswordKeys, garbage: str) -> None:
    await keys.public()
    await refused_silently(keys, garbage)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\xed\xa0\x80", b"x" * 1_025, b"x" * 3_000, b""])
async def test_what_is_no_password_is_refused(keys: PasswordKeys, content: bytes) -> None:
    await refused_silently(keys, encrypt(await keys.public(), content))


async def test_before_there_is_a_key_nothing_opens(keys: PasswordKeys, database: Database) -> None:
    stranger = RSAKey.generate_key(2048)
    public = dict(stranger.as_dict(private=False)) | {"kid": "password-2027-01-15"}
    await refused_silently(keys, encrypt(public))
    assert await database["password_keys"].count_documents({}) == 0
    await keys.public()
    await refused_silently(keys, encrypt(public))


@pytest.mark.logs_on_purpose  # what the drivers tell at their debug level
async def test_neither_password_nor_private_key_is_kept_or_logged(
    keys: PasswordKeys,
    database: Database,
    redis: Redis,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs.configure("debug", "json")
    caplog.set_level(logging.DEBUG)
    public = await keys.public()
    sealed = encrypt(public)
    await keys.open(sealed)
    error = await refused(keys, sealed)
    (held,) = keys._held.values()
    private = [str(held.key.as_dict(private=True)[name]) for name in ("d", "p", "q", "dp", "dq", "qi")]
    said = capsys.readouterr().err + caplog.text + str(error) + repr(held) + json.dumps(public)
    said += str(await database["password_keys"].find().to_list()) + str(await redis.keys("*"))
    said += str([await redis.get(name) for name in await redis.keys("*")])
    for secret in (*private, PASSWORD, SECRET, sealed):
        assert secret not in said

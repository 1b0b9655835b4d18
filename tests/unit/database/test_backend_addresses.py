"""What is taken of the addresses of MongoDB and Redis, and the sentence where one is not."""

import re
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.database import probes
from app.database.addresses import read_mongo, read_redis

APP = Path(__file__).parents[3] / "app"
SECRET = "secret-word"

OVERRIDDEN = {
    "mongodb://h/roster?readPreference=secondary": ["readpreference"],
    "mongodb://h/roster?w=1": ["w"],
    "mongodb://h/roster?journal=false&j=false": ["j", "journal"],
    "mongodb://h/roster?readConcernLevel=snapshot": ["readconcernlevel"],
    "mongodb://h/roster?retryWrites=false&retryReads=false": ["retryreads", "retrywrites"],
    "mongodb://h/roster?uuidRepresentation=standard&tz_aware=true": ["tz_aware", "uuidrepresentation"],
    "mongodb://h/roster?unicode_decode_error_handler=ignore": ["unicode_decode_error_handler"],
    "mongodb://h/roster?timeoutMS=0&socketTimeoutMS=1&wTimeoutMS=1": [
        "sockettimeoutms", "timeoutms", "wtimeoutms",
    ],
    "mongodb://h/roster?maxPoolSize=1&waitQueueTimeoutMS=1": ["maxpoolsize", "waitqueuetimeoutms"],
    "mongodb://h/roster?readPreferenceTags=dc:a&maxStalenessSeconds=90": [
        "maxstalenessseconds", "readpreferencetags",
    ],
    "mongodb+srv://h.example/?retryWrites=true&w=majority&appName=Cluster0": [],
    "mongodb://h/?readPreference=primary": [],
}  # fmt: skip


@pytest.mark.parametrize(("uri", "options"), OVERRIDDEN.items())
def test_an_option_that_would_break_a_promise_is_taken_out_and_named(uri: str, options: list[str]) -> None:
    address = read_mongo(uri)
    assert address.overridden == options
    assert address.database == "roster"
    assert not any(f"{option}=" in address.uri.lower() for option in [*options, "w", "retrywrites"])


@pytest.mark.parametrize(
    ("uri", "database"),
    [
        ("mongodb://h", "roster"),
        ("mongodb://h/", "roster"),
        ("mongodb://h/?replicaSet=rs&tls=true&authSource=admin", "roster"),
        ("mongodb://u:p%2F%40@a:1,b:2/people-2_x?replicaSet=rs", "people-2_x"),
        ("mongodb://%2Ftmp%2Fmongodb.sock/people", "people"),
        ("mongodb://h/人们", "人们"),
    ],
)
def test_what_breaks_none_stays_as_it_is(uri: str, database: str) -> None:
    address = read_mongo(uri)
    assert address.database == database
    assert address.uri.rstrip("/") == uri.rstrip("/")


REFUSED_MONGO = {
    f"http://{SECRET}": "is not a MongoDB address",
    "mongodb://h/roster.users": "at most 63 letters, digits, _ and -",
    "mongodb://h/my%20database": "at most 63 letters, digits, _ and -",
    "mongodb://h/ro%2Fster": "at most 63 letters, digits, _ and -",
    "mongodb://h/roster;x": "at most 63 letters, digits, _ and -",
    f"mongodb://h/{'x' * 64}": "at most 63 letters, digits, _ and -",
    f"mongodb://h/{'人' * 22}": "at most 63 letters, digits, _ and -",
    "mongodb://h/admin": "names MongoDB's own database admin: name Roster's, as in /roster?authSource=admin",
    "mongodb://h/Local": "names MongoDB's own database Local",
    f"mongodb://ana:{SECRET}/@h/roster": "must be escaped: / as %2F",
    f"mongodb://ana:{SECRET}?@h/roster": "must be escaped: / as %2F",
    "mongodb://h/roster?repliaSet=rs": "did you mean replicaset?",
    "mongodb://h/roster?db=x": "an option that MongoDB's drivers do not know",
    f"mongodb://h/roster?{SECRET}": "an option that MongoDB's drivers do not know",
}


@pytest.mark.parametrize(("uri", "words"), REFUSED_MONGO.items())
def test_an_address_of_mongodb_that_would_mean_another_is_refused_in_a_sentence(uri: str, words: str) -> None:
    with pytest.raises(StartError) as refused:
        read_mongo(uri)
    assert str(refused.value).startswith("ROSTER_MONGO_URI ")
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://h:6379/",
        "redis://h:6379/15",
        f"redis://ana:{SECRET}%40@[::1]:6379/0",
        "rediss://h/0?ssl_ca_certs=/x.pem&ssl_cert_reqs=required",
        "unix:///run/redis.sock?db=3",
        "unix:///run/redis.sock",
    ],
)
def test_what_leads_to_one_redis_is_taken(url: str) -> None:
    assert read_redis(url) == url


REFUSED_REDIS = {
    f"redis+sentinel://:{SECRET}@h:26379/mymaster": "Redis Sentinel or Cluster, which Roster does not speak",
    "redis-cluster://h:6379": "Redis Sentinel or Cluster, which Roster does not speak",
    f"redis://:{SECRET}@a:6379,b:6379/0": "names several hosts",
    SECRET: "is not a Redis address",
    "valkey://h": "is not a Redis address",
    "redis:h": "is not a Redis address",
    "redis://": "names no host",
    "redis:///0": "names no host",
    "redis://h:99999/0": "has an invalid port",
    "redis://h:x/0": "has an invalid port",
    "redis://h/abc": "must end in the number of a database",
    "redis://h/1/2": "must end in the number of a database",
    "redis://h/-1": "must end in the number of a database",
    "redis://h/0?db=3": "takes no options but those of TLS",
    "redis://h/0?decode_responses=false": "takes no options but those of TLS",
    "redis://h/0?protocol=2": "takes no options but those of TLS",
    "redis://h/0?socket_timeout=60": "takes no options but those of TLS",
    "redis://h/0?ssl_cert_reqs=none": "takes no options but those of TLS",
    "unix:///run/redis.sock?db=x": "must give the number of a database",
    f"redis://:{SECRET}/@h/0": "must be escaped: / as %2F",
    f"redis://:{SECRET}?@h/0": "must be escaped: / as %2F",
    f"redis://:{SECRET}#@h/0": "must be escaped: / as %2F",
}


@pytest.mark.parametrize(("url", "words"), REFUSED_REDIS.items())
def test_an_address_of_redis_that_would_mean_another_is_refused_in_a_sentence(url: str, words: str) -> None:
    with pytest.raises(StartError) as refused:
        read_redis(url)
    assert str(refused.value).startswith("ROSTER_REDIS_URL ")
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)


def test_the_trial_sends_every_command_that_scripts_and_code_do() -> None:
    sources = [*APP.rglob("*.lua"), *APP.rglob("*.py")]
    sent = {
        command
        for source in sources
        for command in re.findall(r"(?:redis\.p?call|\bpack)\(['\"]([A-Z]+)", source.read_text())
    }
    tried = {str(command[0]) for command in probes._redis_commands("x")}
    assert "ZADD" in sent
    assert (
        sent - {"AUTH", "SELECT", "INFO", "PING", "EVALSHA"} <= tried
    )  # those are sent before, or in its place

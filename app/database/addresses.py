"""Reads the addresses of MongoDB and Redis, and refuses options that would break Roster's promises.

No error repeats a part of an address that may belong to an unescaped password.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from pymongo.common import VALIDATORS

from app.core.errors import StartError
from app.core.near_names import find_near

DEFAULT_DATABASE = "roster"

_LONGEST_NAME = 63
"""In bytes."""
_NAME = re.compile(r"[\w-]+")
_RESERVED = ("admin", "config", "local")
_OURS = frozenset(
    {
        "fsync", "j", "journal", "maxpoolsize", "maxstalenessseconds", "minpoolsize", "readconcernlevel",
        "readpreference", "readpreferencetags", "retryreads", "retrywrites", "serverselectiontimeoutms",
        "sockettimeoutms", "timeoutms", "tz_aware", "unicode_decode_error_handler", "uuidrepresentation", "w",
        "waitqueuetimeoutms", "wtimeout", "wtimeoutms",
    }
)  # fmt: skip
"""Options that Roster decides itself: read and write concerns, decoding, time-outs."""
_AS_OURS = frozenset(
    {("w", "majority"), ("readpreference", "primary"), ("retrywrites", "true"), ("retryreads", "true")}
)
"""Options that many addresses set to what Roster does anyway."""
_TLS = re.compile(r"ssl_[a-z_]+")
_DATABASE_NUMBER = re.compile(r"/?|/[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class MongoAddress:
    uri: str
    """The address without the options that Roster decides itself."""
    database: str
    overridden: Sequence[str]
    """The options that were removed and would have changed something."""
    options: frozenset[str]
    """The names of the options in it, in lower case."""


def read_mongo(uri: str) -> MongoAddress:
    """StartError: what is wrong with it."""
    head, _, query = uri.partition("?")
    scheme, _, rest = head.partition("://")
    if scheme not in ("mongodb", "mongodb+srv"):
        raise _wrong("MONGO_URI", "is not a MongoDB address, such as mongodb://host:27017/roster")
    hosts, _, path = rest.partition("/")
    if "@" in path or "@" in query:
        raise _unescaped("MONGO_URI")
    options = [(part, *part.lower().partition("=")[::2]) for part in re.split("[&;]", query) if part]
    _refuse_unknown("MONGO_URI", (name for _, name, _ in options), {*VALIDATORS, *_OURS})
    left = "&".join(part for part, name, _ in options if name not in _OURS)
    overridden = sorted(
        {name for _, name, value in options if name in _OURS and (name, value) not in _AS_OURS}
    )
    database = _read_database(unquote(path)) if path else DEFAULT_DATABASE
    return MongoAddress(
        f"{scheme}://{hosts}/{path}" + (f"?{left}" if left else ""),
        database,
        overridden,
        frozenset(name for _, name, _ in options) - _OURS,
    )


def _read_database(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST_NAME:
        raise _wrong(
            "MONGO_URI", "must name a database of at most 63 letters, digits, _ and - after its hosts"
        )
    if name.lower() in _RESERVED:
        raise _wrong(
            "MONGO_URI",
            f"names MongoDB's own database {name}: name Roster's, as in /roster?authSource={name}",
        )
    return name


def read_redis(url: str) -> str:
    """The address, unchanged. StartError: what is wrong with it."""
    scheme = url.partition("://")[0].lower()
    if "sentinel" in scheme or "cluster" in scheme:
        raise _wrong(
            "REDIS_URL",
            "asks for Redis Sentinel or Cluster, which Roster does not speak: name one address that leads to "
            "the master, such as redis://host:6379/0",
        )
    if scheme not in ("redis", "rediss", "unix") or "://" not in url:
        raise _wrong("REDIS_URL", "is not a Redis address, such as redis://host:6379/0")
    parts = urlsplit(url)
    if "," in parts.netloc.rpartition("@")[2]:
        raise _wrong(
            "REDIS_URL", "names several hosts: Roster speaks to one Redis, no Cluster and no Sentinel"
        )
    if "@" in parts.path + parts.query + parts.fragment or parts.fragment:
        raise _unescaped("REDIS_URL")
    _read_place(url)
    return url


def _read_place(url: str) -> None:
    """Check host, port and number of the database, or the path of a socket."""
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _wrong(
            "REDIS_URL", "has an invalid port: write an address such as redis://host:6379/0"
        ) from None
    names = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme != "unix":
        if not host:
            raise _wrong("REDIS_URL", "names no host: write an address such as redis://host:6379/0")
        if not _DATABASE_NUMBER.fullmatch(parts.path):
            raise _wrong("REDIS_URL", "must end in the number of a database, such as redis://host:6379/0")
    elif "db" in names and not names.pop("db").isdigit():
        raise _wrong("REDIS_URL", "must give the number of a database, such as unix:///run/redis.sock?db=0")
    if not all(parts.scheme == "rediss" and _TLS.fullmatch(name) for name in names):
        raise _wrong(
            "REDIS_URL",
            "takes no options but those of TLS (rediss://host:6379/0?ssl_ca_certs=/path): the others are "
            "decided by Roster",
        )


def _refuse_unknown(setting: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = [*known]
    for name in names:
        if name not in known:
            near = find_near(name, known)
            meant = f": did you mean {near[0]}?" if near else ""
            raise _wrong(setting, f"has an option that MongoDB's drivers do not know{meant}")


def _unescaped(setting: str) -> StartError:
    return _wrong(
        setting, "has a sign in user or password that must be escaped: / as %2F, ? as %3F, # as %23, @ as %40"
    )


def _wrong(setting: str, what: str) -> StartError:
    return StartError(f"ROSTER_{setting} {what}" + ("" if what.endswith("?") else "."))

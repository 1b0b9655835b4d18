"""One-time records in Redis, under the digest of their code.

A record is of the epoch (`RedisConnection`) in which it was made. After a restart or a fail-over Redis may
have lost that a code was used, so no code of before is good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Literal

from app.core import secret_codes
from app.database.redis_connection import EPOCH, RedisConnection, Script, pack

_FOLDER = Path(__file__).parent / "scripts"
_REMEMBERED_MS = 600_000


@dataclass(frozen=True, slots=True)
class Use:
    record: dict[str, str]
    is_first: bool
    """A second use means that somebody has a copy: end what the first one gave."""


@cache
def _script(name: Literal["put", "change", "use"]) -> Script:
    return Script((_FOLDER / f"{name}.lua").read_text("utf-8"))


class OneTimeRecords:
    """`kind` keeps a code of one sort from being one of another. No name in a record begins with a point."""

    def __init__(self, redis_connection: RedisConnection) -> None:
        self._connection = redis_connection

    async def put(self, kind: str, code: str, record: Mapping[str, str], *, ttl_s: int) -> None:
        await self._connection.run(_script("put"), [_key(kind, code)], ttl_s * 1000, EPOCH, *_flat(record))

    async def read(self, kind: str, code: str) -> dict[str, str] | None:
        """The record without using it; None if there is none, or if it was used."""
        packed = pack("HGETALL", _key(kind, code))
        found = await self._connection.call(lambda _: packed, 1)
        held = _pairs(found.replies[0])
        return _visible(held) if held.get(".epoch") == found.epoch and ".used" not in held else None

    async def change(self, kind: str, code: str, fields: Mapping[str, str]) -> bool:
        """Set these fields, if the record lives and is unused; whether it does."""
        _, changed = await self._connection.run(_script("change"), [_key(kind, code)], EPOCH, *_flat(fields))
        return bool(changed)

    async def use(self, kind: str, code: str) -> Use | None:
        """Use the record, in one step; None if there is none, or it was used more than ten minutes ago."""
        _, answer = await self._connection.run(_script("use"), [_key(kind, code)], EPOCH, _REMEMBERED_MS)
        if not answer:
            return None
        is_first, held = answer
        return Use(_visible(_pairs(held)), bool(is_first))


def _key(kind: str, code: str) -> str:
    return f"roster:once:{kind}:{secret_codes.digest(code)}"


def _flat(record: Mapping[str, str]) -> list[str]:
    return list(chain.from_iterable(record.items()))


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _visible(held: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in held.items() if not name.startswith(".")}

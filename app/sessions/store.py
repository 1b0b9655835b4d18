"""The sessions in Redis: the keys, and one script for whatever must be one step."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.sessions.channel import Argument, Channel, pack

Script = Literal["create", "refresh", "vouch", "doubt", "settle", "finish", "list"]
SCRIPTS: tuple[Script, ...] = ("create", "refresh", "vouch", "doubt", "settle", "finish", "list")
TIMEOUT_S = 0.5
EPOCH = "<epoch>"
"""Stands for the epoch of the connection that a script is sent over."""

_KEYS = 3

_FOLDER = Path(__file__).parent / "scripts"
_CHECK = (
    b"*5\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$5\r\nepoch\r\n$5\r\nended\r\n"
    b"*5\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$6\r\ndoubts\r\n$4\r\nonly\r\n"
)


@cache
def read_script(name: Script) -> str:
    return (_FOLDER / "common.lua").read_text("utf-8") + (_FOLDER / f"{name}.lua").read_text("utf-8")


@cache
def _digest(name: Script) -> str:
    return hashlib.sha1(read_script(name).encode(), usedforsecurity=False).hexdigest()


def key(user_id: str, rest: str) -> str:
    """The id stands between braces: one slot of a cluster, and no id that is the beginning of another's."""
    return f"roster:{{{user_id}}}:{rest}"


class Store:
    def __init__(self, redis: Redis) -> None:
        self._channel = Channel(redis, timeout_s=TIMEOUT_S, scripts=[read_script(name) for name in SCRIPTS])

    async def look(self, user_id: str, sid: str) -> tuple[str, list[str | None], list[str | None]]:
        """The epoch; a session's generation, epoch, end; its user's generation, doubts, only session."""
        session, state = key(user_id, f"session:{sid}").encode(), key(user_id, "state").encode()
        packed = _CHECK % (len(session), session, len(state), state)
        found = await self._channel.call(lambda _: packed, 2)
        return found.epoch, found.replies[0], found.replies[1]

    async def run(self, script: Script, user_id: str, sid: str, *arguments: Argument) -> tuple[str, Any]:
        """The epoch and the script's answer; its arguments are said in its own file, `EPOCH` is filled in."""
        keys = (key(user_id, "state"), key(user_id, "sessions"), key(user_id, f"session:{sid}"))
        try:
            found = await self._channel.call(_packer("EVALSHA", _digest(script), *keys, *arguments), 1)
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            found = await self._channel.call(_packer("EVAL", read_script(script), *keys, *arguments), 1)
        return found.epoch, found.replies[0]

    def close(self) -> None:
        self._channel.close()


def _packer(command: str, script: str, *arguments: Argument) -> Callable[[str], bytes]:
    def pack_for(epoch: str) -> bytes:
        return pack(command, script, _KEYS, *(epoch if part is EPOCH else part for part in arguments))

    return pack_for

"""The sessions in Redis: the keys, and one script for whatever must be one step."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

from app.channel import Argument, Channel, Script

Name = Literal["create", "refresh", "vouch", "doubt", "settle", "finish", "list", "count"]

_FOLDER = Path(__file__).parent / "scripts"
_CHECK = (
    b"*5\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$5\r\nepoch\r\n$5\r\nended\r\n"
    b"*5\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$6\r\ndoubts\r\n$4\r\nonly\r\n"
)
_LIVING = "roster:living_sessions"
"""Of all users. It lies in another slot than theirs, which only a Redis Cluster would mind, and `app.channel`
speaks to one server."""


@cache
def _script(name: Name) -> Script:
    return Script((_FOLDER / "common.lua").read_text("utf-8") + (_FOLDER / f"{name}.lua").read_text("utf-8"))


def key(user_id: str, rest: str) -> str:
    """The id stands between braces: none is the beginning of another's."""
    return f"roster:{{{user_id}}}:{rest}"


class Store:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def look(self, user_id: str, sid: str) -> tuple[str, list[str | None], list[str | None]]:
        """The epoch; a session's generation, epoch, end; its user's generation, doubts, only session."""
        session, state = key(user_id, f"session:{sid}").encode(), key(user_id, "state").encode()
        packed = _CHECK % (len(session), session, len(state), state)
        found = await self._channel.call(lambda _: packed, 2)
        return found.epoch, found.replies[0], found.replies[1]

    async def run(self, name: Name, user_id: str, sid: str, *arguments: Argument) -> tuple[str, Any]:
        """The epoch and the script's answer; its arguments are said in its own file, `EPOCH` is filled in."""
        of_user = (key(user_id, "state"), key(user_id, "sessions"), key(user_id, f"session:{sid}"))
        return await self._channel.run(_script(name), (*of_user, _LIVING), *arguments)

    async def count(self) -> int:
        """Those that live, of all users."""
        _, living = await self._channel.run(_script("count"), (_LIVING,))
        return int(living)

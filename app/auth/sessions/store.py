"""The sessions in Redis: their keys, and scripts for what must be one step."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from app.auth.sessions.session_ids import MARK, session_of
from app.database.redis_connection import Argument, RedisConnection, Script, pack

Name = Literal[
    "create", "refresh", "confirm", "begin_revocation", "end_revocation", "end_session", "list", "count",
    "begin_grant", "grants", "reauthenticate", "pin",
]  # fmt: skip

Found = tuple[str, list[str | None], list[str | None], str | None]

_FOLDER = Path(__file__).parent / "scripts"
_CHECK = (
    b"*6\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$5\r\nepoch\r\n$5\r\nended\r\n$12\r\nregistration\r\n"
    b"*5\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$6\r\ndoubts\r\n$4\r\nonly\r\n"
)
_CHECK_BROWSER = b"*4\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$5\r\nended\r\n"
_CHECK_COOKIE = b"*5\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$7\r\ncounter\r\n$7\r\nauth_at\r\n$10\r\ncreated_at\r\n"
_CHECK_PIN = (
    b"*10\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$5\r\nepoch\r\n$5\r\nended\r\n$12\r\nregistration\r\n"
    b"$6\r\nclient\r\n$6\r\nscopes\r\n$10\r\ncreated_at\r\n$10\r\nexpires_at\r\n"
    b"*4\r\n$5\r\nHMGET\r\n$%d\r\n%b\r\n$10\r\ngeneration\r\n$6\r\ndoubts\r\n"
)
_CHECK_CLIENT = b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n"
_REMOVED = "-"
"""Stored in place of a client's registration: MongoDB must be asked."""
_CONFIRMED_MS = 3_600_000
_LIVING = "roster:living_sessions"
"""The sessions of all users. Its slot differs from theirs, which only a Redis Cluster would refuse."""


@cache
def _script(name: Name) -> Script:
    return Script((_FOLDER / "common.lua").read_text("utf-8") + (_FOLDER / f"{name}.lua").read_text("utf-8"))


def key(user_id: str, rest: str) -> str:
    """A key of a user; braces keep one id from being the beginning of another."""
    return f"roster:{{{user_id}}}:{rest}"


def _keys(user_id: str, sid: str) -> tuple[str, ...]:
    """The keys of every script but `count`."""
    return key(user_id, "state"), key(user_id, "sessions"), key(user_id, f"session:{sid}"), _LIVING


def _pack(name: Name, user_id: str, sid: str, arguments: Sequence[Argument]) -> bytes:
    keys = _keys(user_id, sid)
    return pack("EVALSHA", _script(name).digest, len(keys), *keys, *arguments)


def _client_key(client_id: str) -> str:
    """The key of a client, which is read by a command of its own."""
    return f"roster:client:{client_id}"


class Store:
    def __init__(self, redis_connection: RedisConnection) -> None:
        self._connection = redis_connection

    async def look(self, user_id: str, sid: str, client_id: str | None = None) -> Found:
        """The epoch, and the fields of a session, of its user, and of its client if one is named.

        Generation, epoch, end and registration; generation, doubts and only session; the confirmed
        registration. A grant has no generation unless its browser session has one.
        """
        session, state = key(user_id, f"session:{sid}").encode(), key(user_id, "state").encode()
        packed, count = _CHECK % (len(session), session, len(state), state), 2
        if client_id is not None:
            client = _client_key(client_id).encode()
            packed, count = packed + _CHECK_CLIENT % (len(client), client), count + 1
        if is_grant := MARK in sid:
            browser = session_of(session.decode()).encode()
            packed, count = packed + _CHECK_BROWSER % (len(browser), browser), count + 1
        found = await self._connection.call(lambda _: packed, count)
        of_session, of_user, *others = found.replies
        if is_grant:
            of_session = _within(of_session, others.pop())
        return found.epoch, of_session, of_user, others[0] if others else None

    async def look_at_browser(self, user_id: str, sid: str) -> tuple[Found, list[str | None]]:
        """The same of a browser session; and its counter, auth_at and created_at."""
        session, state = key(user_id, f"session:{sid}").encode(), key(user_id, "state").encode()
        of_both = (len(session), session, len(state), state, len(session), session)
        packed = (_CHECK + _CHECK_COOKIE) % of_both
        found = await self._connection.call(lambda _: packed, 3)
        of_session, of_user, of_cookie = found.replies
        return (found.epoch, of_session, of_user, None), of_cookie

    async def look_at_pin(self, principal: str, sid: str) -> tuple[str, list[str | None], list[str | None]]:
        """The epoch, and the fields of the session of an opaque token, and of its user.

        As `look`, but of the session client, scopes, beginning and end as well; of the user no only session.
        """
        session, state = key(principal, f"session:{sid}").encode(), key(principal, "state").encode()
        packed = _CHECK_PIN % (len(session), session, len(state), state)
        found = await self._connection.call(lambda _: packed, 2)
        of_session, of_user = found.replies
        return found.epoch, of_session, of_user

    async def read_clock(self) -> int:
        """The server's time in milliseconds, which scripts call `clock()`."""
        found = await self._connection.call(lambda _: pack("TIME"), 1)
        seconds, microseconds = map(int, found.replies[0])
        return seconds * 1000 + microseconds // 1000

    async def confirm_client(self, client_id: str, registration: str) -> None:
        """Confirm a client's registration, unless it is being removed or another one is confirmed."""
        await self._set(client_id, registration, "NX", "PX", _CONFIRMED_MS)

    async def begin_client_revocation(self, client_id: str, ms: int) -> None:
        """For so long, each request of the client's sessions asks MongoDB."""
        await self._set(client_id, _REMOVED, "PX", ms)

    async def _set(self, client_id: str, *arguments: Argument) -> None:
        packed = pack("SET", _client_key(client_id), *arguments)
        await self._connection.call(lambda _: packed, 1)

    async def run(self, name: Name, user_id: str, sid: str, *arguments: Argument) -> tuple[str, Any]:
        """The epoch and the script's answer; a script's file names its arguments; `EPOCH` is replaced."""
        return await self._connection.run(_script(name), _keys(user_id, sid), *arguments)

    async def run_all(self, name: Name, sid: str, calls: Mapping[str, Sequence[Argument]]) -> list[Any]:
        """The script's answers for several users with their arguments, by one message.

        The first is alone, as Redis may lack the script.
        """
        first, others = list(calls)[:1], list(calls)[1:]
        answers = [(await self.run(name, user_id, sid, *calls[user_id]))[1] for user_id in first]
        if others:
            packed = b"".join(_pack(name, user_id, sid, calls[user_id]) for user_id in others)
            answers += (await self._connection.call(lambda _: packed, len(others))).replies
        return answers

    async def count(self) -> int:
        """The number of living sessions of all users."""
        _, living = await self._connection.run(_script("count"), (_LIVING,))
        return int(living)


def _within(grant: list[str | None], browser: list[str | None]) -> list[str | None]:
    """The fields of a grant: while it lives, generation and end are its browser session's."""
    generation, epoch, _, registration = grant
    return grant if generation is None else [browser[0], epoch, browser[1], registration]

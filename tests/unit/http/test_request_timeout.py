import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.request_timeout import RequestTimeout
from tests.unit.http.test_middleware import talking_to

BRIEF_S = 0.1
_START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}


async def hang(_: Scope, __: Receive, ___: Send) -> None:
    await asyncio.Event().wait()


async def begin_and_go_on(_: Scope, __: Receive, send: Send) -> None:
    await send(_START)
    await send({"type": "http.response.body", "body": b"sl", "more_body": True})
    await asyncio.sleep(2 * BRIEF_S)
    await send({"type": "http.response.body", "body": b"ow"})


async def fail_in_time(_: Scope, __: Receive, ___: Send) -> None:
    raise TimeoutError


async def read_all(_: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body", False):
        pass
    await send(_START)
    await send({"type": "http.response.body", "body": b"read"})


def bound(app: ASGIApp) -> ASGIApp:
    return RequestTimeout(app, seconds=BRIEF_S)


async def test_what_takes_too_long_is_503_and_cancelled() -> None:
    cancelled = asyncio.Event()

    async def notice(*around: Any) -> None:
        try:
            await hang(*around)
        finally:
            cancelled.set()

    async with talking_to(bound(notice)) as client:
        reply = await client.get("/")
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert reply.headers["retry-after"] == "1"
    assert "whether it was done is not known" in reply.json()["detail"]
    assert cancelled.is_set()


async def test_each_of_several_is_cancelled_when_its_own_time_is_up() -> None:
    async def hang_or_read(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/hang":
            await hang(scope, receive, send)
        await read_all(scope, receive, send)

    async with talking_to(bound(hang_or_read)) as client:
        first = asyncio.create_task(client.get("/hang"))
        await asyncio.sleep(BRIEF_S / 2)
        replies = await asyncio.gather(client.get("/"), client.get("/hang"), first)
    assert [reply.status_code for reply in replies] == [200, 503, 503]


async def test_a_request_that_is_cancelled_by_others_stays_cancelled() -> None:
    task = asyncio.ensure_future(bound(hang)({"type": "http"}, _unused, _unused))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_that_got_lost_is_made_again() -> None:
    async def lose_one(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await hang(scope, receive, send)
        await hang(scope, receive, send)

    async with talking_to(bound(lose_one)) as client:
        reply = await client.get("/")
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")


async def test_a_reply_that_comes_though_the_request_was_cancelled_is_sent() -> None:
    async def reply_nevertheless(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await hang(scope, receive, send)
        await read_all(scope, receive, send)

    async with talking_to(bound(reply_nevertheless)) as client:
        reply = await client.get("/")
    assert (reply.status_code, reply.text) == (200, "read")


async def test_a_stream_that_has_begun_may_take_its_time() -> None:
    async with talking_to(bound(begin_and_go_on)) as client:
        reply = await client.get("/")
    assert reply.text == "slow"


async def test_a_body_that_comes_slowly_is_waited_for() -> None:
    async def body() -> Any:
        for _ in range(4):
            yield b"x"
            await asyncio.sleep(0.4)

    async with talking_to(RequestTimeout(read_all, seconds=1)) as client:
        reply = await client.post("/", content=body())
    assert reply.text == "read"


async def test_a_body_that_does_not_come_is_408() -> None:
    async def body() -> Any:
        yield b"x"
        await asyncio.sleep(10 * BRIEF_S)

    async with talking_to(bound(read_all)) as client:
        reply = await client.post("/", content=body())
    assert (reply.status_code, reply.json()["code"]) == (408, "body_too_slow")
    assert reply.headers["connection"] == "close"


async def test_a_time_out_of_another_s_is_not_its_own() -> None:
    with pytest.raises(TimeoutError):
        await bound(fail_in_time)({"type": "http"}, _unused, _unused)


async def test_what_is_no_request_is_passed_on() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["type"])

    await bound(app)({"type": "lifespan"}, _unused, _unused)
    assert seen == ["lifespan"]


_unused: Callable[..., Any] = hang

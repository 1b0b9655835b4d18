"""Server-sent events of the log (HTML, section 9.2), each with its place as its id."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.events import Event
from app.http.job_replies import ENDLESS
from app.live import Ended, Reset, Step
from app.live.live import Told


def _write(told: Told) -> bytes:
    """An id alone makes no event for the listener's code, but is where their next request goes on."""
    match told:
        case Event():
            data = orjson.dumps(told.payload(), option=orjson.OPT_UTC_Z)
            return b"id: %d\nevent: %b\ndata: %b\n\n" % (told.position, told.type.encode(), data)
        case Step(position):
            return b": still there\nid: %d\n\n" % position
        case Reset(position):
            return b"id: %d\nevent: reset\ndata: {}\n\n" % position
        case Ended(code):
            return b"event: end\ndata: %b\n\n" % orjson.dumps({"code": code})


async def _write_all(told: AsyncGenerator[Told, None]) -> AsyncGenerator[bytes, None]:
    async for each in told:
        yield _write(each)


class LiveEvents(StreamingResponse):
    """A stream that ends when the server stops; its client goes on with another one."""

    def __init__(self, told: AsyncGenerator[Told, None]) -> None:
        self._told = told
        super().__init__(
            _write_all(told),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[ENDLESS] = True
        async with aclosing(self._told):
            await super().__call__(scope, receive, send)

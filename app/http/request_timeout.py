"""The time-out of requests."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import RosterError, UnavailableError
from app.http.problems import BodyTooSlowError, problem_response


class RequestTimeout:
    """Answers 503 if no reply has begun within `seconds`, and cancels the request.

    It is the last resort: each call of a backend has its own bound, but a request may make many. Each piece
    of the body restarts the time, so that a slow upload is not taken for a slow server; a client that sends
    nothing for so long gets 408. A stream, once begun, is bounded elsewhere.

    One timer serves all requests: a timer for each would cost a page of ten users a twentieth of its rate.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self.app = app
        self.seconds = seconds
        self._waiting: dict[_Exchange, float] = {}
        """Since when each request without a reply waits, the longest first."""
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(self, receive, send)
        self.watch(exchange)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            if not exchange.is_given_up():
                raise
            await problem_response(self._explain(exchange))(scope, receive, send)
        finally:
            self.forget(exchange)

    def watch(self, exchange: "_Exchange") -> None:
        """Start, or restart, the time of a request."""
        loop = asyncio.get_running_loop()
        self._waiting.pop(exchange, None)
        self._waiting[exchange] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._look)

    def forget(self, exchange: "_Exchange") -> None:
        self._waiting.pop(exchange, None)

    def _look(self) -> None:
        """Cancel overdue requests, repeatedly, as `asyncio.wait_for` loses some cancellations."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        overdue = [one for one, since in self._waiting.items() if since + self.seconds <= now]
        for exchange in overdue:
            exchange.give_up()
            self._waiting.pop(exchange)
            self._waiting[exchange] = now
        longest = next(iter(self._waiting.values()), None)
        self._timer = None if longest is None else loop.call_at(longest + self.seconds, self._look)

    def _explain(self, exchange: "_Exchange") -> RosterError:
        if exchange.receiving:
            return BodyTooSlowError(
                f"No part of the body arrived for {self.seconds:g} s.", headers={"Connection": "close"}
            )
        return UnavailableError(
            f"The request took longer than {self.seconds:g} s and was cancelled; "
            "whether it was done is not known."
        )


class _Exchange:
    """One request, until its reply begins."""

    __slots__ = ("_begun", "_bound", "_cancelled", "_receive", "_send", "_task", "receiving")

    def __init__(self, bound: RequestTimeout, receive: Receive, send: Send) -> None:
        self._bound = bound
        self._receive = receive
        self._send = send
        self._task = asyncio.current_task()
        self._cancelled = 0
        self._begun = False
        self.receiving = False

    def give_up(self) -> None:
        if self._task is not None:
            self._cancelled += 1
            self._task.cancel()

    def is_given_up(self) -> bool:
        """Whether we cancelled it, and nobody else."""
        if self._begun or self._task is None or not self._cancelled:
            return False
        while self._cancelled:
            self._cancelled -= 1
            others = self._task.uncancel()
        return not others

    async def receive(self) -> Message:
        self.receiving = True
        message = await self._receive()
        self.receiving = False
        if not self._begun:
            self._bound.watch(self)
        return message

    async def send(self, message: Message) -> None:
        if not self._begun:
            self._begun = True
            self._bound.forget(self)
        await self._send(message)

"""How long a request may take before it is answered that it took too long."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import RosterError, UnavailableError
from app.problems import BodyTooSlowError, problem_response


class RequestBound:
    """Answers 503 where no reply has begun within `seconds`, and cancels what the request was doing.

    The last resort: each call of a backend has a bound of its own, but a request may make many. Time is not
    counted while the body comes, or a slow upload would be taken for a slow server: each piece begins it
    anew, and a client that sends nothing for so long gets 408. A stream, once begun, is bounded elsewhere.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False
        receiving = False

        async def receive_in_time() -> Message:
            nonlocal receiving
            receiving = True
            message = await receive()
            receiving = False
            if not begun and not bound.expired():
                bound.reschedule(loop.time() + self.seconds)
            return message

        async def send_in_time(message: Message) -> None:
            nonlocal begun
            begun = True
            if not bound.expired():  # `asyncio.wait_for` drops a cancellation that meets what it waited for
                bound.reschedule(None)
            await send(message)

        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.seconds) as bound:
                await self.app(scope, receive_in_time, send_in_time)
        except TimeoutError:
            if begun or not bound.expired():
                raise
            await problem_response(self._explain(receiving=receiving))(scope, receive, send)

    def _explain(self, *, receiving: bool) -> RosterError:
        if receiving:
            return BodyTooSlowError(
                f"Nothing of the body came for {self.seconds:g} s.", headers={"Connection": "close"}
            )
        return UnavailableError(
            f"The request took longer than {self.seconds:g} s and was given up; "
            "it is not known whether it was done."
        )

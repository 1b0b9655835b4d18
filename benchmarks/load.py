"""A load generator: keep-alive HTTP/1.1 over raw protocols, in a process of its own.

Closed loop: each connection asks again as soon as it is answered. Open loop: requests are due at fixed times
whatever happened to earlier ones, and latency counts from the due time, so a stall is not left out of the
percentiles (coordinated omission). Chain: a closed loop in which each connection refreshes with the token of
its last answer. Any answer but 200 and 201 makes the run fail: a ratio of errors means nothing.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from time import perf_counter
from typing import Literal, cast

import uvloop

from benchmarks.requests import Form, Request, refresh

_GOOD = ("200", "201")
_RETRY_AFTER_S = 1.0
_SETTLE_S = 20.0
"""What is still unanswered this long after the end counts as an error; 200 sign-ins at once take some 4 s."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Requests that are sent in turn, whichever connection is free; a chain begins with one for each.

    `rate` is the requests a second of an open loop.
    """

    kind: Literal["closed", "open", "chain"]
    port: int
    requests: tuple[str, ...]
    connections: int
    seconds: float
    warm_up: float
    rate: float = 0.0
    client: Form = ()
    """Who refreshes in a chain."""
    patient: bool = False
    """Whether who is answered 503 asks again a second later, as Retry-After says; else that is an error."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Latencies in milliseconds, of the requests sent after the warm-up.

    `per_second` is of the answers between warm-up and end, `answered` all of them, before and after too.
    """

    answered: int
    per_second: float
    p50: float
    p90: float
    p99: float
    slowest: float


class LoadError(Exception):
    """Answers that were neither 200 nor 201, by what they were."""


def closed_loop(
    port: int,
    *asked: str | Request,
    token: str | None = None,
    connections: int = 16,
    seconds: float = 5.0,
    warm_up: float = 1.0,
    patient: bool = False,
) -> Outcome:
    """A path stands for a GET with the token."""
    asked_for = _ready(asked, token)
    return _apart(Plan("closed", port, asked_for, connections, seconds, warm_up, patient=patient))


def open_loop(
    port: int,
    paths: Sequence[str],
    *,
    rate: float,
    token: str | None = None,
    seconds: float = 15.0,
    warm_up: float = 1.0,
) -> Outcome:
    """As many connections as would hold a second's stall."""
    connections = max(8, round(rate))
    return _apart(Plan("open", port, _ready(paths, token), connections, seconds, warm_up, rate))


def refreshing(
    port: int,
    refresh_tokens: Sequence[str],
    *,
    client: Form = (),
    seconds: float = 5.0,
    warm_up: float = 1.0,
) -> Outcome:
    """A chain of refreshes for each token, on a connection of its own."""
    first = _ready([refresh(token, client) for token in refresh_tokens], None)
    return _apart(Plan("chain", port, first, len(first), seconds, warm_up, client=client))


def _ready(asked: Sequence[str | Request], token: str | None) -> tuple[str, ...]:
    requests = [Request(one, token) if isinstance(one, str) else one for one in asked]
    return tuple(request.encode().decode("ascii") for request in requests)


def _apart(plan: Plan) -> Outcome:
    """Run in another process, so that no interpreter lock is shared with the caller's threads."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(plan)).encode(),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise LoadError(done.stdout.decode() or "the load generator failed")
    return Outcome(**json.loads(done.stdout))


class _Run:
    """What a run has counted so far. Its clock is not the loop's: uvloop's has whole milliseconds."""

    def __init__(self, start: float, plan: Plan) -> None:
        self.counted_from = start + plan.warm_up
        self.end = self.counted_from + plan.seconds
        self.answered = 0
        self.within = 0
        self.latencies: list[float] = []
        self.errors: Counter[str] = Counter()
        self.is_patient = plan.patient
        self._is_chain = plan.kind == "chain"
        self._client = plan.client
        self._requests = cycle([request.encode("ascii") for request in plan.requests])

    def next_request(self, last_answer: list[bytes]) -> bytes:
        """`last_answer`, the body in pieces, is empty when a connection asks for the first time."""
        if self._is_chain and last_answer:
            refresh_token = json.loads(b"".join(last_answer))["refresh_token"]
            return refresh(refresh_token, self._client).encode()
        return next(self._requests)

    def count(self, since: float, now: float) -> None:
        """The rate is of what ended in time, whenever it began: slow requests straddle both ends alike."""
        self.answered += 1
        if self.counted_from <= now <= self.end:
            self.within += 1
            if self.counted_from <= since:
                self.latencies.append(now - since)

    def outcome(self, seconds: float) -> Outcome:
        ordered = sorted(self.latencies)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

        rate = self.within / seconds
        return Outcome(self.answered, rate, at(0.5), at(0.9), at(0.99), ordered[-1] * 1000)


class _Connection(asyncio.Protocol):
    """One request at a time; `when_free` is told when the next may be sent."""

    def __init__(self, run: _Run, when_free: "Callable[[_Connection], None]") -> None:
        self._run = run
        self._when_free = when_free
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._body: list[bytes] = []
        self._missing = -1  # bytes of the body still to come; -1 while the head is
        self._since = 0.0
        self.busy = False
        self.refused = False

    def send(self, since: float) -> None:
        assert self._transport
        self.busy = True
        self._since = since
        request = self._run.next_request(self._body)
        self._head = b""
        self._body = []
        self._missing = -1
        self._transport.write(request)

    def close(self) -> None:
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # what a TCP connection always gets

    def connection_lost(self, exc: Exception | None) -> None:
        if self.busy:
            self._run.errors[f"connection lost: {exc}"] += 1

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            head, blank, body = self._head.partition(b"\r\n\r\n")
            if not blank:
                return
            self._missing = self._length(head)
            data = body
        self._body.append(data)
        self._missing -= len(data)
        if self._missing == 0:
            self.busy = False
            if not self.refused:
                self._run.count(self._since, perf_counter())
            self._when_free(self)

    def _length(self, head: bytes) -> int:
        status = head[9:12].decode()
        self.refused = status == "503" and self._run.is_patient
        if status not in _GOOD and not self.refused:
            self._run.errors[status] += 1
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return int(line[15:])
        raise LoadError("an answer without Content-Length: this measures pages, not streams")


async def _connect(plan: Plan, run: _Run, when_free: Callable[[_Connection], None]) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(run, when_free), "127.0.0.1", plan.port)
        for _ in range(plan.connections)
    ]
    return [connection for _, connection in made]


async def _drive_closed(plan: Plan) -> _Run:
    run = _Run(perf_counter(), plan)

    def again(connection: _Connection) -> None:
        if connection.refused:
            asyncio.get_running_loop().call_later(_RETRY_AFTER_S, ask, connection)
        else:
            ask(connection)

    def ask(connection: _Connection) -> None:
        now = perf_counter()
        if now < run.end and not run.errors:
            connection.send(now)

    connections = await _connect(plan, run, again)
    for connection in connections:
        connection.send(perf_counter())
    await asyncio.sleep(run.end - perf_counter())
    await _settle(run, connections)
    return run


async def _drive_open(plan: Plan) -> _Run:
    waiting: deque[float] = deque()
    free: deque[_Connection] = deque()

    def serve(connection: _Connection) -> None:
        if waiting:
            connection.send(waiting.popleft())
        else:
            free.append(connection)

    run = _Run(perf_counter(), plan)
    connections = await _connect(plan, run, serve)
    free.extend(connections)
    start = perf_counter()
    for tick in range(round((plan.warm_up + plan.seconds) * plan.rate)):
        due = start + tick / plan.rate
        await asyncio.sleep(max(0.0, due - perf_counter()))
        waiting.append(due)
        if free:
            serve(free.popleft())
    run.end = perf_counter() + _SETTLE_S  # an answer that comes late is a latency, not a request left out
    await _settle(run, connections)
    return run


async def _settle(run: _Run, connections: Sequence[_Connection]) -> None:
    give_up = perf_counter() + _SETTLE_S
    while any(connection.busy for connection in connections) and perf_counter() < give_up:  # noqa: ASYNC110  # the run is over: nothing is timed by this wait
        await asyncio.sleep(0.01)
    unanswered = sum(connection.busy for connection in connections)
    if unanswered:
        run.errors["unanswered"] += unanswered
    for connection in connections:
        connection.busy = False
        connection.close()


def main() -> None:
    asked = json.load(sys.stdin)
    plan = Plan(**asked | {"requests": tuple(asked["requests"])})
    drive = _drive_open if plan.kind == "open" else _drive_closed
    run = uvloop.run(drive(plan))
    if run.errors or not run.latencies:
        first = plan.requests[0].partition(" HTTP/")[0]
        print(f"port {plan.port}, {first}: {dict(run.errors) or 'no answer'}")
        sys.exit(1)
    print(json.dumps(asdict(run.outcome(plan.seconds))))


if __name__ == "__main__":
    main()

"""The load of the overload bench, in a process of its own: callers who do not wait for each other.

Requests are due at random times (a Poisson process) whatever happened to earlier ones; latency counts from
the due time. All statuses are counted: to be refused in time is an answer here.
"""

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any, cast

import uvloop

WARM_UP_S = 1.0
_TICK_S = 0.001
_SETTLE_S = 10.0
NUMBER = "#NUMBER#"
"""In a request: replaced by a number of as many digits that no other request has."""
_MARK = NUMBER.encode()
_REFUSED = 503


@dataclass(frozen=True, slots=True)
class Stream:
    """Requests of one caller, in turn.

    `rate` a second, whatever becomes of them; at 0 by `connections` that each ask again once answered.
    """

    name: str
    requests: tuple[str, ...]
    rate: float = 0.0
    connections: int = 16
    address: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Plan:
    port: int
    streams: tuple[Stream, ...]
    seconds: float
    warm_up: float = WARM_UP_S


@dataclass(slots=True)
class Outcome:
    """Of the requests that were due between warm-up and end; latencies in milliseconds.

    `good` is a count of 2xx answers for each second by when they came, `statuses` of all; 0 stands for none.
    """

    seconds: float
    good: list[int] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    good_p50: float = 0.0
    good_p99: float = 0.0
    refused_p50: float = 0.0
    refused_p99: float = 0.0
    late_p99: float = 0.0
    without_retry: int = 0
    """503 that said nothing of when to ask again."""

    @property
    def per_second(self) -> float:
        return sum(self.good) / self.seconds

    @property
    def asked(self) -> int:
        return sum(self.statuses.values())

    @property
    def served(self) -> int:
        return sum(number for status, number in self.statuses.items() if 200 <= status < 300)

    def count(self, status: int) -> int:
        return self.statuses.get(status, 0)

    @property
    def wrong(self) -> dict[int, int]:
        """What is neither done nor refused."""
        return {status: number for status, number in self.statuses.items() if not _is_foreseen(status)}


def _is_foreseen(status: int) -> bool:
    return 200 <= status < 300 or status == _REFUSED


def run(plan: Plan) -> dict[str, Outcome]:
    """By the names of the streams; in another process, so that no interpreter lock is shared."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.overload_load"],
        input=json.dumps(asdict(plan)).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return {
        name: Outcome(**outcome | {"statuses": {int(key): n for key, n in outcome["statuses"].items()}})
        for name, outcome in json.loads(done.stdout).items()
    }


class _Caller:
    """One stream: its connections, what is due, and what came of it."""

    def __init__(self, stream: Stream, start: float, plan: Plan) -> None:
        self._requests = [request.encode() for request in stream.requests]
        self.stream = stream
        self.counted_from = start + plan.warm_up
        self.end = self.counted_from + plan.seconds
        self._chance = random.Random(stream.name)
        self.next_due = start
        self._sent = 0
        self._number = random.SystemRandom().randrange(10**7)
        self.due: deque[float] = deque()
        self.free: deque[_Connection] = deque()
        """The one used longest ago first: none is idle for so long that the server closes it."""
        self.connections: list[_Connection] = []
        self.late: list[float] = []
        self.good: list[float] = []
        self.refused: list[float] = []
        self.seconds = [0] * round(plan.seconds)
        self.statuses: Counter[int] = Counter()
        self.without_retry = 0

    def next_request(self) -> bytes:
        self._sent += 1
        request = self._requests[self._sent % len(self._requests)]
        if _MARK in request:
            request = request.replace(_MARK, b"%08d" % (self._number + self._sent))
        return request

    def send_due(self, now: float) -> None:
        while self.next_due <= now and self.next_due < self.end:
            self.due.append(self.next_due)
            self.next_due += self._chance.expovariate(self.stream.rate)
        while self.due and self.free:
            due = self.due.popleft()
            if due >= self.counted_from:
                self.late.append(now - due)
            self.free.popleft().send(due)

    def count(self, due: float, status: int, *, says_when: bool) -> None:
        now = perf_counter()
        is_good = 200 <= status < 300
        if is_good and self.counted_from <= now < self.end:
            self.seconds[min(len(self.seconds) - 1, int(now - self.counted_from))] += 1
        if self.counted_from <= due < self.end:
            self.statuses[status] += 1
            if is_good:
                self.good.append(now - due)
            elif status == _REFUSED:
                self.refused.append(now - due)
                self.without_retry += not says_when

    def outcome(self, seconds: float) -> Outcome:
        unsent = [self.end - due for due in self.due]
        return Outcome(
            seconds,
            self.seconds,
            dict(self.statuses),
            *(_at(self.good, 0.5), _at(self.good, 0.99), _at(self.refused, 0.5), _at(self.refused, 0.99)),
            _at(self.late + unsent, 0.99),
            self.without_retry,
        )


def _at(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


class _Connection(asyncio.Protocol):
    def __init__(self, caller: _Caller) -> None:
        self._caller = caller
        self._transport: asyncio.Transport | None = None
        self._due: float | None = None
        self._head = b""
        self._missing = -1
        self._status = 0
        self._says_when = False

    @property
    def busy(self) -> bool:
        return self._due is not None

    def send(self, due: float) -> None:
        assert self._transport
        self._due = due
        self._head, self._missing = b"", -1
        self._transport.write(self._caller.next_request())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        if self._due is not None:
            self._caller.count(self._due, 0, says_when=False)
            self._due = None

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            head, blank, data = self._head.partition(b"\r\n\r\n")
            if not blank:
                return
            head = head.lower()
            self._status = int(head[9:12])
            self._says_when = b"\r\nretry-after:" in head
            at = head.find(b"\r\ncontent-length:")
            self._missing = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._missing -= len(data)
        if self._missing == 0 and self._due is not None:
            due, self._due = self._due, None
            self._caller.count(due, self._status, says_when=self._says_when)
            self._go_on()

    def _go_on(self) -> None:
        caller = self._caller
        if caller.stream.rate:
            caller.free.append(self)
        elif (now := perf_counter()) < caller.end:
            self.send(now)

    def close(self) -> None:
        if self._transport:
            self._transport.close()


async def _drive(plan: Plan) -> dict[str, Outcome]:
    loop = asyncio.get_running_loop()
    callers = [_Caller(stream, 0.0, plan) for stream in plan.streams]
    for caller in callers:
        for _ in range(caller.stream.connections):
            _, connection = await loop.create_connection(
                lambda caller=caller: _Connection(caller),  # type: ignore[misc]  # the loop's variable, bound
                "127.0.0.1",
                plan.port,
                local_addr=(caller.stream.address, 0),
            )
            caller.connections.append(connection)
    start = perf_counter()
    for caller in callers:
        caller.counted_from += start
        caller.end += start
        caller.next_due += start
        if caller.stream.rate:
            caller.free.extend(caller.connections)
        else:
            for connection in caller.connections:
                connection.send(start)
    open_callers = [caller for caller in callers if caller.stream.rate]
    while (now := perf_counter()) < callers[0].end:
        for caller in open_callers:
            caller.send_due(now)
        await asyncio.sleep(_TICK_S)
    give_up = perf_counter() + _SETTLE_S
    connections = [connection for caller in callers for connection in caller.connections]
    while any(connection.busy for connection in connections) and perf_counter() < give_up:  # noqa: ASYNC110  # nothing is timed by this wait
        await asyncio.sleep(0.01)
    for connection in connections:
        connection.close()
    await asyncio.sleep(0.01)
    return {caller.stream.name: caller.outcome(plan.seconds) for caller in callers}


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    streams = tuple(
        Stream(**stream | {"requests": tuple(stream["requests"])}) for stream in asked.pop("streams")
    )
    outcomes = uvloop.run(_drive(Plan(**asked, streams=streams)))
    print(json.dumps({name: asdict(outcome) for name, outcome in outcomes.items()}))


if __name__ == "__main__":
    main()

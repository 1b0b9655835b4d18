"""`make overload`: asked for twice and four times what it can do, by callers who do not wait for each other.

python -m benchmarks.overload                     every kind for two minutes, into benchmarks/RESULTS.md
python -m benchmarks.overload reads --seconds 10  one kind, shortly; RESULTS.md stays as it is
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import accounts, results, tokens
from benchmarks.bystander import user_paths
from benchmarks.downloads import downloading
from benchmarks.overload_load import NUMBER, WARM_UP_S, Outcome, Plan, Stream, run
from benchmarks.overload_picture import draw
from benchmarks.requests import Request, sign_in
from benchmarks.results import Finding
from benchmarks.servers import Backends, Server, backends, searchable, serving

BENCH = "overload"
PICTURE = Path(__file__).parent / "overload.svg"
USERS = 100_000
SECONDS = 120.0
LEVELS = (2, 4)
_ATTEMPTS = 3
_CONNECTIONS = 800
_LATE_MS = 50.0
"""A generator that sends later than this (p99) has measured itself."""
_PROBES = 2.0
"""Of each kind, a second."""
_SEARCHES = ("anna", "zhang wei", "kumar berlin", "katha mü", "muller", "example.org")
_MIXTURE = {"reads": 60, "pages": 20, "searches": 10, "creates": 8, "sign-ins": 2}

Requests = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Town:
    """A server with people in it, and what is asked of it."""

    server: Server
    requests: dict[str, Requests]
    people: list[str]

    def sign_outs(self, count: int) -> Requests:
        """Each of another session: a sign-out, then a revocation."""
        given = [tokens.sign_in(self.server.port, self.people[n % len(self.people)]) for n in range(count)]
        return tuple(
            _encode(
                Request("/auth/logout", one.access, form=(("all", ""),))
                if number % 2
                else Request("/auth/revoke", form=(("token", one.refresh),))
            )
            for number, one in enumerate(given)
        )


def _encode(request: Request) -> str:
    return request.encode().decode("ascii")


def _build(server: Server, people: list[str]) -> dict[str, Requests]:
    def get(*paths: str) -> Requests:
        return tuple(_encode(Request(path, server.token)) for path in paths)

    made: dict[str, Requests] = {
        "pages": get("/users?limit=100"),
        "reads": get(*user_paths(server)),
        "searches": get(*(f"/users?q={q.replace(' ', '+').replace('ü', '%C3%BC')}" for q in _SEARCHES)),
        "creates": (_create(server),),
        "sign-ins": tuple(_encode(sign_in(person, tokens.PASSWORD)) for person in people),
    }
    chance = random.Random(1)
    kinds = chance.choices(list(_MIXTURE), list(_MIXTURE.values()), k=2_000)
    return made | {"mixture": tuple(chance.choice(made[kind]) for kind in kinds)}


def _create(server: Server) -> str:
    body = f'{{"email":"load{NUMBER}@example.org","name":"Load {NUMBER}","profile":{{"department":"Load"}}}}'
    lines = (
        *("POST /users HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {server.token}"),
        *("Content-Type: application/json", f"Content-Length: {len(body)}", "", body),
    )
    return "\r\n".join(lines)


def measure(backends: Backends, kinds: list[str], seconds: float) -> list[Finding]:
    database = searchable(backends.database(USERS))
    people = accounts.prepare(database, 200)
    findings: list[Finding] = []
    series: dict[str, list[int]] = {}
    with serving("roster", database) as server:
        town = Town(server, _build(server, people), people)
        before = _read_slowly(town)
        for kind in kinds:
            found = _overload(town, kind, seconds, series, before)
            for finding in found:  # at once: the next kind may break off
                print("  " + " | ".join(finding.cells()[1:]), flush=True)
            findings += found
        findings += _share(town, seconds) + _starve(town, seconds)
    draw(series, PICTURE)
    return findings


def _overload(
    town: Town, kind: str, seconds: float, series: dict[str, list[int]], before: Outcome
) -> list[Finding]:
    cpu = town.server.cpu_seconds()
    capacity = _find_capacity(town, kind, min(seconds, 20))
    each_s = _of_counted(town.server.cpu_seconds() - cpu, capacity) / capacity.asked
    findings = []
    rate = capacity.per_second
    for level in LEVELS:
        resident = town.server.resident_bytes()
        town.server.forget_peak()
        cpu = town.server.cpu_seconds()
        flood = Stream(kind, town.requests[kind], rate * level, _CONNECTIONS)
        found = _counted(partial(_ask, town, flood, seconds))
        cpu = _of_counted(town.server.cpu_seconds() - cpu, found[kind])
        grown = town.server.peak_bytes() / resident
        time.sleep(2)  # the promise is of what is two seconds after the end
        after = _read_slowly(town)
        series[f"{kind} × {level}"] = found[kind].good
        refusing = max(0.0, cpu - found[kind].served * each_s) / seconds
        before_it, rate = rate, _find_capacity(town, kind, min(seconds, 20)).per_second
        capacity_then = (before_it + rate) / 2  # a shared machine is faster in one minute than in the next
        findings += _judge(kind, level, capacity_then, found, refusing=refusing)
        findings += [
            Finding(
                BENCH,
                f"{kind} at {level} times: the most memory in the run, of that before",
                f"{town.server.peak_bytes() >> 20} MiB to {resident >> 20} MiB",
                grown,
                at_most=1.25,
            ),
            Finding(
                BENCH,
                f"{kind} at {level} times: median of reading a user 2 s after, of that before all",
                f"{after.good_p50:.1f} ms to {before.good_p50:.1f} ms; {after.served}/{after.asked} served",
                after.good_p50 / before.good_p50 if after.asked == after.served else float("inf"),
                at_most=1.5,
            ),
        ]
    return findings


def _of_counted(cpu_s: float, outcome: Outcome) -> float:
    """The part of the CPU time that fell to what was counted: it was taken over the warm-up too."""
    return cpu_s * outcome.seconds / (outcome.seconds + WARM_UP_S)


def _find_capacity(town: Town, kind: str, seconds: float) -> Outcome:
    """Of as many connections as are served whole: a slow machine refuses some of sixteen sign-ins at once."""
    for connections in (16, 8, 4):
        stream = Stream(kind, town.requests[kind], connections=connections)
        found = run(Plan(town.server.port, (stream,), seconds))[kind]
        if found.served == found.asked:
            return found
    raise RuntimeError(f"{kind} failed without any overload: {found.statuses}")


def _ask(town: Town, flood: Stream, seconds: float) -> dict[str, Outcome]:
    probes = ("/health/live", "/health/ready")
    health = tuple(_encode(Request(path)) for path in probes)
    outs = town.sign_outs(round((seconds + 3) * _PROBES * 1.5))
    streams = (
        flood,
        Stream("health", health, _PROBES, 10),
        Stream("sign-outs", outs, _PROBES, 10),
    )
    return run(Plan(town.server.port, streams, seconds))


def _counted(ask: Callable[[], dict[str, Outcome]]) -> dict[str, Outcome]:
    """Once more where the generator was late: it shares the machine with what it measures."""
    for _ in range(_ATTEMPTS):
        found = ask()
        if all(outcome.late_p99 <= _LATE_MS for outcome in found.values()):
            break
    return found


def _judge(
    kind: str, level: int, capacity: float, found: dict[str, Outcome], *, refusing: float
) -> list[Finding]:
    flood = found[kind]
    late = f"; generator late by {flood.late_p99:.0f} ms" if flood.late_p99 > _LATE_MS else ""
    can = capacity * (1 - refusing if level > min(LEVELS) else 1)
    deducted = f" ({refusing:.0%} deducted for refusals)" if level > min(LEVELS) else ""
    probes = (found["health"], found["sign-outs"])
    asked = sum(probe.asked for probe in probes)
    rows: list[tuple[str, str, float, dict[str, Any]]] = [
        (
            f"good answers a second, of the capacity{deducted}",
            f"{flood.per_second:,.0f}/s to {capacity:,.0f}/s{late}",
            flood.per_second / can,
            {"at_least": 0.9},
        ),
        (
            "p99 of the wait for a good answer, of a second",
            f"{flood.good_p99:.0f} ms (median {flood.good_p50:.0f} ms)",
            flood.good_p99 / 1000,
            {"at_most": 1},
        ),
        (
            "p99 of the wait for a refusal, of 100 ms",
            f"{flood.refused_p99:.0f} ms (median {flood.refused_p50:.1f} ms); {flood.count(503):,} refused",
            flood.refused_p99 / 100,
            {"at_most": 1},
        ),
        (
            "answers that were neither good nor 503 with Retry-After",
            str(flood.wrong or "none"),
            sum(flood.wrong.values()) + flood.without_retry,
            {"at_most": 0},
        ),
        (
            "health probes, sign-outs and revocations that were not served",
            f"of {asked}; p99 {max(probe.good_p99 for probe in probes):.0f} ms{_tell_unserved(probes)}",
            asked - sum(probe.served for probe in probes),
            {"at_most": 0},
        ),
    ]
    return [
        Finding(BENCH, f"{kind} at {level} times: {what}", figures, ratio, **bound)
        for what, figures, ratio, bound in rows
    ]


def _tell_unserved(probes: Sequence[Outcome]) -> str:
    unserved = sum((Counter(probe.statuses) for probe in probes), Counter[int]())
    listed = ", ".join(f"{number} got {status}" for status, number in unserved.items() if status // 100 != 2)
    return f"; {listed}" if listed else ""


def _read_slowly(town: Town) -> Outcome:
    stream = Stream("reads", town.requests["reads"], 50, 20)
    return run(Plan(town.server.port, (stream,), 4))["reads"]


def _share(town: Town, seconds: float) -> list[Finding]:
    """What a polite caller gets while another one asks for four times what there is."""
    capacity = run(Plan(town.server.port, (Stream("pages", town.requests["pages"]),), min(seconds, 10)))[
        "pages"
    ]
    flood = Stream("flood", town.requests["pages"], capacity.per_second * 4, _CONNECTIONS)
    polite = Stream("polite", town.requests["pages"], capacity.per_second / 4, 200, "127.0.0.2")
    found = _counted(lambda: run(Plan(town.server.port, (flood, polite), min(seconds, 30))))["polite"]
    return [
        Finding(
            BENCH,
            "pages asked for by another address at a quarter of the capacity beside a flood of four times it",
            f"{found.served:,} of {found.asked:,} served; p99 {found.good_p99:.0f} ms",
            found.served / found.asked,
            at_least=0.99,
        )
    ]


def _starve(town: Town, seconds: float) -> list[Finding]:
    """What cheap reads get beside floods of all that is expensive."""
    capacity = {
        kind: _find_capacity(town, kind, min(seconds, 10)).per_second
        for kind in ("searches", "sign-ins", "reads")
    }
    floods = [
        Stream(kind, town.requests[kind], capacity[kind] * 2, _CONNECTIONS // 2)
        for kind in ("searches", "sign-ins")
    ]
    reads = Stream("reads", town.requests["reads"], capacity["reads"] / 5, 100, "127.0.0.2")
    with ExitStack() as downloads:
        for form in ("csv", "xlsx", "ndjson", "xlsx"):
            path = f"/users/export?format={form}"
            downloads.enter_context(downloading(town.server.port, path, token=town.server.token))
        found = _counted(lambda: run(Plan(town.server.port, (*floods, reads), min(seconds, 30))))["reads"]
    return [
        Finding(
            BENCH,
            "reads at a fifth of their capacity beside four exports and twice the searches and sign-ins",
            f"{found.served:,} of {found.asked:,} served; p99 {found.good_p99:.0f} ms",
            found.served / found.asked,
            at_least=0.99,
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overload",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = ["pages", "reads", "searches", "creates", "sign-ins", "mixture"]
    parser.add_argument("kind", nargs="*", choices=[*kinds, []])
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of each load ({SECONDS:g})")
    parser.add_argument("--keep", action="store_true", help="write RESULTS.md whatever --seconds is")
    asked = parser.parse_args()
    started = time.perf_counter()
    with backends() as servers:
        findings = measure(servers, asked.kind or kinds, asked.seconds)
    keep = asked.keep or (asked.seconds == SECONDS and not asked.kind)
    results.conclude(findings, mongod=servers.mongod_version, started=started, keep=keep)


if __name__ == "__main__":
    main()

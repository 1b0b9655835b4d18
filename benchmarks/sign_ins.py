"""How many can sign in, beside argon2 and Keycloak, and what readers feel meanwhile."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from benchmarks import accounts, bystander, hashing, requests, tokens
from benchmarks.identity import beside_keycloak, speed
from benchmarks.load import Outcome, closed_loop
from benchmarks.plan import Sizes
from benchmarks.requests import Request
from benchmarks.results import Finding
from benchmarks.servers import Backends, Server, serving

OF_ARGON2 = 0.9
STORM_AT_MOST = 3

_BENCH = "sign-ins"
_USERS = 20_000
"""However many there are, each is found by an index."""
_PEOPLE = 512
"""More than ever sign in at a time, so that nobody signs in twice at once."""
_ROUNDS = 3
_CONNECTIONS = 8
"""Enough for a turn ahead of each thread; on a machine that hashes slowly, more would be refused."""
_STORM = 200
_STORM_RISES_S = 1.0
"""Until all of the crowd are connected: the load generator, another process, tells nobody when they are."""
_STORM_OUTLASTS_S = 4.0


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(_USERS)
    emails = accounts.prepare(database, _PEOPLE)
    asked = [requests.sign_in(email, tokens.PASSWORD) for email in emails]
    with serving("roster", database) as roster, serving("floor_sign_in", database) as floor:
        return [*_rates(roster, floor, asked, sizes), _storm(roster, asked, sizes)]


def _rates(roster: Server, floor: Server, asked: list[Request], sizes: Sizes) -> list[Finding]:
    ours: list[float] = []
    beside: list[float] = []
    argon2: list[float] = []
    each_core: list[float] = []
    for _ in range(_ROUNDS):
        argon2.append(hashing.measure(sizes.sign_in_seconds))
        beside.append(_sign_in(floor, asked, sizes).per_second)
        spent = roster.cpu_seconds()
        load = _sign_in(roster, asked, sizes)
        each_core.append(load.answered / (roster.cpu_seconds() - spent))
        ours.append(load.per_second)
    what = "sign-ins, of the passwords argon2 verifies"
    return [
        speed(_BENCH, f"{what} beside the same load and a write each", ours, beside, at_least=OF_ARGON2),
        speed(_BENCH, f"{what} while nothing else runs", ours, argon2),
        beside_keycloak(_BENCH, "sign-ins", each_core),
    ]


def _sign_in(server: Server, asked: list[Request], sizes: Sizes) -> Outcome:
    return closed_loop(server.port, *asked, connections=_CONNECTIONS, seconds=sizes.sign_in_seconds)


def _storm(roster: Server, asked: list[Request], sizes: Sizes) -> Finding:
    storming = partial(_storming, roster, asked, sizes.bystander_seconds)
    when = f"during {_STORM} sign-ins at a time"
    return bystander.beside(roster, sizes, storming, bench=_BENCH, when=when, at_most=STORM_AT_MOST)


@contextmanager
def _storming(roster: Server, asked: list[Request], seconds: float) -> Iterator[None]:
    """A crowd that signs in again and again around the block, which loads the server for `seconds`.

    Those who are refused come again when they are told to: more wait than there is time for.
    """
    lasting = seconds + _STORM_OUTLASTS_S
    with ThreadPoolExecutor() as pool:
        storm = pool.submit(
            closed_loop, roster.port, *asked, connections=_STORM, seconds=lasting, patient=True
        )
        time.sleep(_STORM_RISES_S)  # all of the storm must have come before reads are timed beside it
        yield
        outlasted = not storm.done()
        storm.result()  # raises at any other answer
        assert outlasted

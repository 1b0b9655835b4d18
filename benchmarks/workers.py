"""Two workers beside one: what a page costs of CPU time, how many there are, and creates a second."""

import json
from collections.abc import Iterator
from itertools import count
from statistics import median

from app.commands.sample import people
from benchmarks.load import Outcome, closed_loop
from benchmarks.plan import Sizes
from benchmarks.requests import Request
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Server, serving
from models.user import UserInput

CPU_OF_ONE = 1.1
_PAGE = "/users?limit=10"
_USERS = 20_000
_WORKERS = 2
_ROUNDS = 5
_CREATED = 2_500
"""For each run; more than there is time for."""
_UNUSED = 1_000_000
"""The number of the first sample person whom no other bench creates."""


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(_USERS, name="written")
    with serving("roster", database) as one, serving("roster", database, workers=_WORKERS) as two:
        return [*_pages(one, two, sizes), _creates(one, two, sizes)]


def _pages(one: Server, two: Server, sizes: Sizes) -> list[Finding]:
    cpu: dict[Server, list[float]] = {one: [], two: []}
    rates: dict[Server, list[float]] = {one: [], two: []}
    for _ in range(_ROUNDS):
        for server in (one, two):
            spent = server.cpu_seconds_of_all()
            load = closed_loop(
                server.port, _PAGE, token=server.token, seconds=sizes.page_seconds, warm_up=0.3
            )
            cpu[server].append((server.cpu_seconds_of_all() - spent) / load.answered * 1e6)
            rates[server].append(load.per_second)
    shares = [used * rate / 1e6 for used, rate in zip(cpu[two], rates[two], strict=True)]
    return [
        Finding(
            "workers",
            f"CPU time of Roster for a page of 10, {_WORKERS} workers, of one's",
            f"{median(cpu[two]):,.0f} us to {median(cpu[one]):,.0f} us{spread(cpu[two], cpu[one])}",
            ratio(cpu[two], cpu[one]),
            at_most=CPU_OF_ONE,
        ),
        Finding(
            "workers",
            f"pages of 10 a second, {_WORKERS} workers, of one's",
            f"{median(rates[two]):,.0f}/s to {median(rates[one]):,.0f}/s{spread(rates[two], rates[one])}; "
            f"the workers had {median(shares):.2f} of the cores, MongoDB, Redis and the generator the rest",
            ratio(rates[two], rates[one]),
        ),
    ]


def _creates(one: Server, two: Server, sizes: Sizes) -> Finding:
    made = _bodies(_UNUSED)
    rates: dict[Server, list[float]] = {one: [], two: []}
    for _ in range(sizes.rounds):
        for server in (one, two):
            rates[server].append(_create(server, made, sizes).per_second)
    return Finding(
        "workers",
        f"creates a second, {_WORKERS} workers, of one's",
        f"{median(rates[two]):,.0f}/s to {median(rates[one]):,.0f}/s{spread(rates[two], rates[one])}",
        ratio(rates[two], rates[one]),
    )


def _create(server: Server, made: Iterator[str], sizes: Sizes) -> Outcome:
    asked = [Request("/users", server.token, json=next(made)) for _ in range(_CREATED)]
    return closed_loop(server.port, *asked, seconds=sizes.page_seconds, warm_up=0.3)


def _bodies(start: int) -> Iterator[str]:
    """Of people who are not there yet, in ASCII."""
    for number in count(start):
        person = next(people(1, start=number))
        yield json.dumps(
            {name: person[name] for name in UserInput.model_fields if name in person}, default=str
        )

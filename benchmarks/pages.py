"""Pages a second of ours, the floors and the tutorial, under 16 connections that never rest.

Ours are authenticated, so the promise is about the floor that checks a token and a session too.
"""

from collections import defaultdict
from statistics import median

from benchmarks.load import closed_loop
from benchmarks.plan import Sizes
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Server, serving

LIMITS = (10, 100)
OF_FLOOR = {10: 0.6, 100: 0.75}
OF_TUTORIAL = {10: 1.2, 100: 3.5}

Rounds = dict[str, list[float]]


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(sizes.users)
    with (
        serving("roster", database) as roster,
        serving("floor_auth", database) as floor_auth,
        serving("floor", database) as floor,
        serving("tutorial", database) as tutorial,
    ):
        servers = {"roster": roster, "floor_auth": floor_auth, "floor": floor, "tutorial": tutorial}
        return [finding for limit in LIMITS for finding in _compare(servers, limit, sizes)]


def _compare(servers: dict[str, Server], limit: int, sizes: Sizes) -> list[Finding]:
    speeds: Rounds = defaultdict(list)
    costs: Rounds = defaultdict(list)
    for _ in range(sizes.page_rounds):
        for name, server in servers.items():
            speed, cost = _load(server, limit, sizes.page_seconds)
            speeds[name].append(speed)
            costs[name].append(cost)
    ours, page = speeds["roster"], f"page of {limit}"
    return [
        _speed(f"{page}, of the checking floor's", ours, speeds["floor_auth"], OF_FLOOR[limit]),
        _speed(f"{page}, of the bare floor's", ours, speeds["floor"], None),
        _speed(f"{page}, of the tutorial's", ours, speeds["tutorial"], OF_TUTORIAL[limit]),
        _cost(f"{page}: the checking floor's CPU time of its server, of ours", costs),
    ]


def _load(server: Server, limit: int, seconds: float) -> tuple[float, float]:
    """Pages a second, and microseconds of CPU that the server process spent on each."""
    path = f"/users?limit={limit}"
    closed_loop(server.port, path, token=server.token, seconds=0.3, warm_up=0)
    spent = server.cpu_seconds()
    outcome = closed_loop(server.port, path, token=server.token, seconds=seconds, warm_up=0)
    return outcome.per_second, (server.cpu_seconds() - spent) / outcome.answered * 1e6


def _speed(what: str, ours: list[float], theirs: list[float], at_least: float | None) -> Finding:
    figures = f"{median(ours):,.0f}/s to {median(theirs):,.0f}/s{spread(ours, theirs)}"
    return Finding("pages", what, figures, ratio(ours, theirs), at_least=at_least)


def _cost(what: str, costs: Rounds) -> Finding:
    """Not promised, but hardly moved by whatever else runs on the machine."""
    ours, floor = costs["roster"], costs["floor_auth"]
    figures = f"{median(floor):,.0f} us to {median(ours):,.0f} us{spread(floor, ours)}"
    return Finding("pages", what, figures, ratio(floor, ours))

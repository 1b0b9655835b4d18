"""Pages a second of ours, the floor and the tutorial, under 16 connections that never rest."""

from collections import defaultdict
from statistics import median

from benchmarks.load import closed_loop
from benchmarks.plan import Sizes
from benchmarks.results import Finding, ratio
from benchmarks.servers import Backends, serving

LIMITS = (10, 100)
OF_FLOOR = {10: 0.6, 100: 0.75}
OF_TUTORIAL = {10: 1.2, 100: 3.5}


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(sizes.users)
    speeds: dict[tuple[str, int], list[float]] = defaultdict(list)
    with (
        serving("roster", database) as roster,
        serving("floor", database) as floor,
        serving("tutorial", database) as tutorial,
    ):
        servers = {"roster": roster, "floor": floor, "tutorial": tutorial}
        for limit in LIMITS:
            for _ in range(sizes.rounds):
                for name, server in servers.items():
                    outcome = closed_loop(server.port, f"/users?limit={limit}", seconds=sizes.seconds)
                    speeds[name, limit].append(outcome.per_second)
    return [finding for limit in LIMITS for finding in _compare(limit, speeds)]


def _compare(limit: int, speeds: dict[tuple[str, int], list[float]]) -> list[Finding]:
    ours, floor, tutorial = (speeds[name, limit] for name in ("roster", "floor", "tutorial"))
    what = f"page of {limit}, of the {{}}'s"
    return [
        Finding(
            "pages", what.format("floor"), _rates(ours, floor), ratio(ours, floor), at_least=OF_FLOOR[limit]
        ),
        Finding(
            "pages",
            what.format("tutorial"),
            _rates(ours, tutorial),
            ratio(ours, tutorial),
            at_least=OF_TUTORIAL[limit],
        ),
    ]


def _rates(ours: list[float], theirs: list[float]) -> str:
    return f"{median(ours):,.0f}/s to {median(theirs):,.0f}/s"

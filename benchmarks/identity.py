"""What it costs to be signed in and to stay so; beside Keycloak and fastapi-users."""

from statistics import median

from benchmarks import accounts, checking, tokens
from benchmarks.load import Outcome, closed_loop, refreshing
from benchmarks.plan import Sizes
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Database, Server, serving

CHECK_OF_ME = 0.33
REFRESHES_OF_ME = 0.3
OF_PEER = 2
KEYCLOAK = {"sign-ins": 15, "refreshes": 120}
"""A second and vCPU, by its sizing guide."""

_ME = "/users/me"
_CONNECTIONS = 16


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(sizes.users)
    emails = accounts.prepare(database, _CONNECTIONS)
    accounts.copy_for_peer(database)
    with serving("roster", database) as roster, serving("peer", database) as peer:
        return [
            *_check(roster, database, emails[0], sizes),
            *_refreshes(roster, emails, sizes),
            *_beside_peer(roster, peer, emails[0], sizes),
        ]


def _check(roster: Server, database: Database, email: str, sizes: Sizes) -> list[Finding]:
    """On one connection, where nothing waits for anything else."""
    check: list[float] = []
    whole: list[float] = []
    check_cpu: list[float] = []
    whole_cpu: list[float] = []
    access = tokens.sign_in(roster.port, email).access
    for _ in range(sizes.page_rounds):
        cost = checking.measure(roster, database, access, sizes.page_seconds)
        spent = roster.cpu_seconds()
        load = _read(roster, _ME, access, sizes, connections=1)
        check.append(cost.takes)
        whole.append(load.p50 * 1000)
        check_cpu.append(cost.cpu)
        whole_cpu.append((roster.cpu_seconds() - spent) / load.answered * 1e6)
    what = f"token and session check, of the {{}} of `GET {_ME}`"
    return [
        _share(what.format("time"), check, whole, at_most=CHECK_OF_ME),
        _share(what.format("server's CPU time"), check_cpu, whole_cpu),
    ]


def _refreshes(roster: Server, emails: list[str], sizes: Sizes) -> list[Finding]:
    ours: list[float] = []
    reads: list[float] = []
    each_core: list[float] = []
    for _ in range(sizes.page_rounds):
        signed_in = [tokens.sign_in(roster.port, email) for email in emails]
        spent = roster.cpu_seconds()
        load = refreshing(roster.port, [one.refresh for one in signed_in], seconds=sizes.page_seconds)
        each_core.append(load.answered / (roster.cpu_seconds() - spent))
        ours.append(load.per_second)
        reads.append(_read(roster, _ME, signed_in[0].access, sizes).per_second)
    return [
        speed("identity", f"refreshes, of `GET {_ME}`", ours, reads, at_least=REFRESHES_OF_ME),
        beside_keycloak("identity", "refreshes", each_core),
    ]


def _beside_peer(roster: Server, peer: Server, email: str, sizes: Sizes) -> list[Finding]:
    """The same person at both."""
    ours: list[float] = []
    theirs: list[float] = []
    theirs_async: list[float] = []
    access = tokens.sign_in(roster.port, email).access
    other = tokens.sign_in(peer.port, email, path="/auth/login").access
    for _ in range(sizes.page_rounds):
        ours.append(_read(roster, _ME, access, sizes).per_second)
        theirs.append(_read(peer, _ME, other, sizes).per_second)
        theirs_async.append(_read(peer, f"/async{_ME}", other, sizes).per_second)
    what = f"`GET {_ME}`, of fastapi-users'"
    return [
        speed("identity", what, ours, theirs, at_least=OF_PEER),
        speed("identity", f"{what} with an async strategy", ours, theirs_async),
    ]


def _read(server: Server, path: str, token: str, sizes: Sizes, *, connections: int = _CONNECTIONS) -> Outcome:
    seconds = sizes.page_seconds
    return closed_loop(server.port, path, token=token, connections=connections, seconds=seconds, warm_up=0.3)


def _share(what: str, part: list[float], whole: list[float], *, at_most: float | None = None) -> Finding:
    figures = f"{median(part):,.0f} us to {median(whole):,.0f} us{spread(part, whole)}"
    return Finding("identity", what, figures, ratio(part, whole), at_most=at_most)


def speed(
    bench: str, what: str, ours: list[float], theirs: list[float], *, at_least: float | None = None
) -> Finding:
    figures = f"{median(ours):,.0f}/s to {median(theirs):,.0f}/s{spread(ours, theirs)}"
    return Finding(bench, what, figures, ratio(ours, theirs), at_least=at_least)


def beside_keycloak(bench: str, what: str, each_core: list[float]) -> Finding:
    """By the CPU time of the server process: the guide counts vCPUs without those of the databases, too."""
    guide = KEYCLOAK[what]
    figures = f"{median(each_core):,.0f}/s to {guide}/s"
    return Finding(
        bench,
        f"{what} a second and core, of Keycloak's sizing guide",
        figures,
        median(each_core) / guide,
    )

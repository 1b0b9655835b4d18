"""Exports: rows a second, time to the first byte, memory."""

from statistics import median

from benchmarks import floor
from benchmarks.downloads import Download, download
from benchmarks.load import closed_loop
from benchmarks.plan import Sizes
from benchmarks.results import Finding, ratio
from benchmarks.servers import Backends, Database, Server, serving

CSV_OF_FLOOR = 0.6
XLSX_OF_OPENPYXL = 4
FIRST_BYTE_IN_PAGES = 5
MOST_MIB = 64


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(sizes.users)
    with serving("roster", database) as ours, serving("floor", database) as theirs:
        page = closed_loop(ours.port, "/users?limit=100", connections=1, seconds=2).p50 / 1000
        findings = [
            *_csv(ours, theirs, floor.SIX, sizes, page),
            *_csv(ours, theirs, floor.EVERY, sizes, page),
            *_xlsx(ours, theirs, floor.TWELVE, sizes, page),
        ]
    many = backends.database(sizes.many)
    return findings + [finding for form in ("csv", "xlsx", "ndjson") for finding in _heavy(many, form)]


def _csv(ours: Server, theirs: Server, columns: tuple[str, ...], sizes: Sizes, page: float) -> list[Finding]:
    pairs = [
        (
            download(ours.port, _ours("csv", columns)),
            download(theirs.port, f"/users/export/csv?columns={len(columns)}"),
        )
        for _ in range(sizes.rounds)
    ]
    assert all(one.lines == sizes.users + 1 for pair in pairs for one in pair)
    what = f"CSV of {len(columns)} columns"
    return [
        _speed(f"{what}, of the floor's rows a second", pairs, sizes, CSV_OF_FLOOR),
        _first(what, pairs, page),
    ]


def _xlsx(ours: Server, theirs: Server, columns: tuple[str, ...], sizes: Sizes, page: float) -> list[Finding]:
    pairs = [
        (
            download(ours.port, _ours("xlsx", columns)),
            download(theirs.port, f"/users/export/xlsx?columns={len(columns)}"),
        )
        for _ in range(sizes.rounds)
    ]
    what = f"XLSX of {len(columns)} columns"
    speed = _speed(f"{what}, of openpyxl write-only's rows a second", pairs, sizes, XLSX_OF_OPENPYXL)
    return [speed, _first(what, pairs, page)]


def _ours(form: str, columns: tuple[str, ...]) -> str:
    return f"/users/export?format={form}&columns={','.join(columns)}"


def _speed(what: str, pairs: list[tuple[Download, Download]], sizes: Sizes, at_least: float) -> Finding:
    ours = [sizes.users / mine.seconds for mine, _ in pairs]
    theirs = [sizes.users / other.seconds for _, other in pairs]
    figures = f"{median(ours):,.0f}/s to {median(theirs):,.0f}/s"
    return Finding("exports", what, figures, ratio(ours, theirs), at_least=at_least)


def _first(what: str, pairs: list[tuple[Download, Download]], page: float) -> Finding:
    waits = [mine.first_byte for mine, _ in pairs]
    figures = f"{median(waits) * 1000:.1f} ms to {page * 1000:.1f} ms"
    return Finding(
        "exports",
        f"{what}: first byte, in pages of 100",
        figures,
        median(waits) / page,
        at_most=FIRST_BYTE_IN_PAGES,
    )


def _heavy(database: Database, form: str) -> list[Finding]:
    """All columns of many users, by a server that has done nothing else but warm up."""
    with serving("roster", database) as server:
        page = closed_loop(server.port, "/users?limit=100", connections=1, seconds=2).p50 / 1000
        idle = server.resident_bytes()
        server.forget_peak()
        got = download(server.port, f"/users/export?format={form}")
        grown = (server.peak_bytes() - idle) / 2**20
    what = f"{form.upper()} of all columns, {database.users:,} rows"
    rate = f"{database.users / got.seconds:,.0f}/s, {got.size / 2**20:,.0f} MiB in {got.seconds:.0f} s"
    return [
        Finding(
            "exports",
            f"{what}: MiB above idle",
            f"{idle / 2**20:.0f} MiB idle; {rate}",
            grown,
            at_most=MOST_MIB,
        ),
        _first(what, [(got, got)], page),
    ]

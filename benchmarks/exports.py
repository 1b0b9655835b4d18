"""Exports: rows a second, time to the first byte, memory."""

import time
from dataclasses import replace
from statistics import median

from benchmarks import floor
from benchmarks.downloads import Download, download, first_byte
from benchmarks.load import closed_loop
from benchmarks.plan import Sizes
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Database, Server, serving

CSV_OF_FLOOR = 0.6
XLSX_OF_OPENPYXL = 4
FIRST_BYTE_IN_PAGES = 5
MOST_MIB = 64

_MORE_LINES = 2
"""The heading and the administrator."""
_FIRST_BYTES = 9
_PAUSE_S = 0.2
"""For the server to notice that the last download was broken off."""


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(sizes.users)
    with serving("roster", database) as ours, serving("floor", database) as theirs:
        findings = [
            *_compare(ours, theirs, "csv", floor.SIX, sizes),
            *_compare(ours, theirs, "csv", floor.EVERY, sizes),
            *_compare(ours, theirs, "xlsx", floor.TWELVE, sizes),
        ]
    many = backends.database(sizes.many)
    return findings + [finding for form in ("csv", "xlsx", "ndjson") for finding in _heavy(many, form)]


def _compare(
    ours: Server, theirs: Server, form: str, columns: tuple[str, ...], sizes: Sizes
) -> list[Finding]:
    """Both downloads in turn; a CSV of ours must have every line of the floor's."""
    path = f"/users/export?format={form}&columns={','.join(columns)}"
    other_path = f"/users/export/{form}?columns={len(columns)}"
    pairs = [
        (download(ours.port, path, token=ours.token), download(theirs.port, other_path))
        for _ in range(sizes.rounds)
    ]
    if form == "csv":
        assert all(one.lines == sizes.users + _MORE_LINES for pair in pairs for one in pair)
    what = f"{form.upper()} of {len(columns)} columns"
    return [_speed(form, what, pairs, sizes), _first_byte(what, ours, path)]


def _speed(form: str, what: str, pairs: list[tuple[Download, Download]], sizes: Sizes) -> Finding:
    ours = [sizes.users / mine.seconds for mine, _ in pairs]
    theirs = [sizes.users / other.seconds for _, other in pairs]
    other, at_least = {
        "csv": ("the floor", CSV_OF_FLOOR),
        "xlsx": ("openpyxl write-only", XLSX_OF_OPENPYXL),
    }[form]
    figures = f"{median(ours):,.0f}/s to {median(theirs):,.0f}/s{spread(ours, theirs)}"
    what = f"{what}, of the rows a second of {other}"
    return Finding("exports", what, figures, ratio(ours, theirs), at_least=at_least)


def _first_byte(what: str, server: Server, path: str) -> Finding:
    token = server.token
    page = closed_loop(
        server.port, "/users?limit=100", token=token, connections=1, seconds=1, warm_up=0.3
    ).p50
    waits = []
    for _ in range(_FIRST_BYTES):
        waits.append(first_byte(server.port, path, token=token) * 1000)
        time.sleep(_PAUSE_S)
    figures = f"{median(waits):.1f} ms to {page:.1f} ms"
    what = f"{what}: first byte, in pages of 100"
    return Finding("exports", what, figures, median(waits) / page, at_most=FIRST_BYTE_IN_PAGES)


def _heavy(database: Database, form: str) -> list[Finding]:
    """All columns of many users, by a server that has done nothing else but warm up."""
    path = f"/users/export?format={form}"
    what = f"{form.upper()} of all columns, {database.users:,} rows"
    with serving("roster", database) as server:
        closed_loop(server.port, "/users?limit=100", token=server.token, seconds=2)
        idle = server.resident_bytes()
        server.forget_peak()
        got = download(server.port, path, token=server.token)
        grown = (server.peak_bytes() - idle) / 2**20
        first = _first_byte(what, server, path)
    if form == "ndjson":  # for comparison: only the spreadsheets are promised
        first = replace(first, at_most=None)
    rate = f"{database.users / got.seconds:,.0f}/s, {got.size / 2**20:,.0f} MiB in {got.seconds:.0f} s"
    figures = f"{idle / 2**20:.0f} MiB idle; {rate}"
    return [Finding("exports", f"{what}: MiB above idle", figures, grown, at_most=MOST_MIB), first]

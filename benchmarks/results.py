"""What was measured and whether it was promised: a table to read and a file to keep."""

import platform
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

FILE = Path(__file__).parent / "RESULTS.md"
BENCHES = (
    "pages",
    "exports",
    "depth",
    "bystander",
    "identity",
    "sign-ins",
    "grants",
    "search",
    "imports",
    "bulk",
    "bad files",
    "trail",
    "workers",
    "mail",
    "avatars",
    "failover",
    "scale",
    "restarts",
    "soak",
    "overload",
    "races",
    "events",
    "telling",
)
"""All of them, in the order of their rows."""
_HEADINGS = ("Bench", "What", "Measured", "Ratio", "Promise", "Kept")


@dataclass(frozen=True, slots=True)
class Finding:
    """One row. `ratio` is the median over the rounds; with neither bound it is told, not promised."""

    bench: str
    what: str
    figures: str
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def kept(self) -> bool | None:
        if self.ratio is None or (self.at_least is None and self.at_most is None):
            return None
        return (
            self.at_least is None or self.ratio >= self.at_least
            if self.at_most is None
            else self.ratio <= self.at_most
        )

    def cells(self) -> tuple[str, ...]:
        promise = f"at least {self.at_least:g}" if self.at_least is not None else ""
        promise = f"at most {self.at_most:g}" if self.at_most is not None else promise
        kept = {True: "yes", False: "NO", None: ""}[self.kept]
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        return (self.bench, self.what, self.figures, ratio, promise, kept)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the rounds' own ratios: a machine that slows down slows both of one round."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def spread(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """How far the rounds lay apart: a ratio is worth no more than that."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return f" (rounds {min(ratios):.2f} to {max(ratios):.2f})"


def show(findings: Sequence[Finding]) -> None:
    table = Table(*_HEADINGS)
    for finding in findings:
        table.add_row(*finding.cells(), style="red" if finding.kept is False else None)
    Console(width=None if Console().is_terminal else 150).print(table)


def conclude(
    findings: Sequence[Finding],
    *,
    mongod: str,
    started: float,
    keep: bool,
    unforeseen: Sequence[object] = (),
) -> None:
    """Show them, write them if they are to be kept, and exit with 1 if one is missed or the log has errors.

    `started` is by `time.perf_counter`.
    """
    show(findings)
    if keep:
        write(findings, mongod=mongod, took_s=time.perf_counter() - started)
    if unforeseen:
        sys.exit(f"The log has {len(unforeseen)} errors that nobody foresaw, first {unforeseen[0]}")
    if missed := [finding.what for finding in findings if finding.kept is False]:
        sys.exit("Missed: " + "; ".join(missed))


def write(findings: Sequence[Finding], *, mongod: str, took_s: float, path: Path = FILE) -> None:
    """These findings in the place of earlier ones of the same benches."""
    measured = {finding.bench for finding in findings}
    told = [row for row in _read(str(path)).splitlines() if row.startswith("| ") and _bench(row) in BENCHES]
    kept = [row for row in told if _bench(row) not in measured]
    new = [f"| {' | '.join(finding.cells())} |" for finding in findings]
    rows = "\n".join(sorted([*kept, *new], key=lambda row: BENCHES.index(_bench(row))))
    path.write_text(
        f"""# Results

Written by `python -m benchmarks`; the rows of a bench are those of its last full run.
Last on {datetime.now(UTC):%Y-%m-%d}: {", ".join(bench for bench in BENCHES if bench in measured)},
in {took_s / 60:.0f} minutes.
Machine: {_machine()}; Python {platform.python_version()}, mongod {mongod} (one-node replica set, 2 GB cache).
Read ratios, not absolutes: each is the median over interleaved rounds of two servers on the same mongod.

| {" | ".join(_HEADINGS)} |
|{"---|" * len(_HEADINGS)}
{rows}

- Floor: one query of the public fields, one decode, orjson or csv.writer; no check, no cursor, no total.
- Checking floor: the same, after an Ed25519 signature verified and a key read in Redis, each time.
- Tutorial: Beanie documents through `response_model`, skip and limit.
- First byte: of the body, after the headers. Memory: peak resident set while exporting, over that before.
- The bystander is `GET /users/{{id}}` at a fixed rate, timed from when each request was due.
- The token and session check is called alone, in a process that asks the same Redis; `GET /users/me` by one
  connection at a time. What the check costs is in both.
- Argon2 (19 MiB, 2 passes) while nothing else runs: a process with a thread for each core. Beside a load: a
  server that verifies one hash for each request and stores when it did, by the same load generator.
- Keycloak's sizing guide counts sign-ins and refreshes a second and vCPU of its server, databases apart; ours
  are by second of CPU time of our server.
- Grants: by one client with a secret, which refreshes in the same round, in 16 chains. Each code is exchanged
  once, and its answer has an ID token as well.
- fastapi-users: its Redis strategy and Beanie adapter as its documentation has them, in an environment of its
  own. The strategy is given by a plain function there, which FastAPI calls in a thread; `async` spares that.
- Search: `benchmarks/search_queries` makes the queries, and says who is right by a plain matcher of its own.
  Recall@10 is of the right answers that fit a page: where more than 10 are right, all 10 must be.
  `$regex`: escaped, ignoring case, over the same fields, sorted by name.
- Imports: from the first byte of the upload to the last row applied, by one worker in a process of its own.
  Raw: one `insert_many` of the same documents, as stored, into an empty collection with the same indexes.
  Memory: of the worker and the process that reads for it, together, looked at twenty times a second.
- Trail: in one process with the server's event loop, one change at a time. The driver's alone: `insert_one`
  of a document that is made already, `update_one` of what the PATCH writes, acknowledged by the majority.
- Workers: CPU time is of the server's processes together; the load generator, MongoDB and Redis share its
  two cores.
- Bulk: from the request to the last user changed, by one worker in a process of its own. Raw: `bulk_write` by
  `_id`, 1,000 at a time, of the fields that the change wrote, as stored, on the same collection.
- Avatars: Pillow alone makes the same squares of the same picture, one after the other in one process. Greedy
  pictures come one after the other, too; memory is of the server and what it forks, in proportional shares.
- Failover: `make faults`, on three mongods with the command lines of docker-compose.yml (0.25 GB cache each)
  and its election times; a writer and a reader at 50 requests a second each, one Roster
  process, all on this one machine. A gap is the longest time between two good answers from the fault on.
  The reader sends the `Operation-Time` of the user it asks for.
- Scale: `make scale`, mongod with a 2 GB cache, one connection at a time; the same searches for the same
  people in each directory. The law is the ratio for ten times the users: a guess beyond what was measured.
- Restarts: `make restarts`, one server of two workers at full speed, mongod with a 0.25 GB cache. wrk counts
  what its sockets and the statuses say. A worker that is killed is frozen while its connections are counted.
- Overload: `make overload`, one process; Poisson arrivals on hundreds of connections from one process on the
  same two cores; capacity is what 16 connections get in a closed loop before and after each flood. Over time:
  ![good answers a second](overload.svg)
- Soak: `make soak`, a server of two processes and a worker over 10,000 people; memory is proportional shares
  (PSS), medians of the looks around minute 5 and in the last minutes. Counts may differ by a tenth and five.
""",
        encoding="utf-8",
    )


def _bench(row: str) -> str:
    return row.split(" | ", 1)[0].removeprefix("| ")


def _machine() -> str:
    cpu = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+) kB", _read("/proc/meminfo"))
    system = re.search(r'PRETTY_NAME="(.*)"', _read("/etc/os-release"))
    cores = _read("/proc/cpuinfo").count("processor\t:")
    return (
        f"{cpu[1] if cpu else platform.processor()}, {cores} cores, "
        f"{int(memory[1]) >> 20 if memory else '?'} GiB, {system[1] if system else platform.system()}"
    )


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""

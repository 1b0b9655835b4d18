"""Imports: rows a second of plan and apply together, memory, and what a reader feels meanwhile."""

import json
import tempfile
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

from benchmarks import memory
from benchmarks.bystander import RATE, p99, user_paths
from benchmarks.plan import Sizes
from benchmarks.requests import Request
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Database, Server, serving, working
from benchmarks.tokens import ADMIN_EMAIL
from models.user import User

NEW_OF_RAW = 0.4
XLSX_OF_CSV = 0.8
UNCHANGED_OF_NEW = 3
MOST_MIB = 200
AT_MOST = 3

_COLUMNS = (
    "username,email,name,phone,avatar_url,locale,tags,scopes,is_active,bio,age,title,department,"
    + ",".join(
        f"address{n}_{part}"
        for n in (1, 2, 3)
        for part in ("label", "street", "city", "region", "zipcode", "country")
    )
    + ",addresses_more"
)
"""All that a caller may say: without ids and versions every row is a new user."""
_PLACE = "/users/imports"
_TIMEOUT_S = 600
_LOOK_S = 0.05
_KEPT = 1_000
"""Users whom a reader reads while all the others come."""


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds of one import."""

    plan: float
    apply: float

    @property
    def whole(self) -> float:
        return self.plan + self.apply


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    people = backends.database(sizes.imported)
    with tempfile.TemporaryDirectory(prefix="roster-bench-files-") as folder:
        return _measure(_export(people, Path(folder)), people, backends.database(0, name="imports"), sizes)


def _measure(files: dict[str, Path], people: Database, directory: Database, sizes: Sizes) -> list[Finding]:
    documents = _read(people)
    raw, csv, xlsx, unchanged = list[float](), list[_Took](), list[_Took](), list[_Took]()
    with serving("roster", directory, jobs_inside=False) as server, working(directory) as worker:
        idle = memory.wait_until_idle(worker.pid)
        with memory.watching(worker.pid) as held:
            for _ in range(sizes.import_rounds):
                _empty(directory)
                raw.append(_insert_raw(directory, documents))
                csv.append(_import(server, files["csv"], sizes.imported, "create"))
                unchanged.append(_import(server, files["csv"], sizes.imported, "unchanged"))
                _empty(directory)
                xlsx.append(_import(server, files["xlsx"], sizes.imported, "create"))
        reader = _bystander(server, directory, files["csv"], sizes)
    return [*_speeds(raw, csv, xlsx, unchanged, sizes), _memory(idle, max(held), sizes), reader]


def _speeds(
    raw: list[float], csv: list[_Took], xlsx: list[_Took], unchanged: list[_Took], sizes: Sizes
) -> list[Finding]:
    rows = sizes.imported
    new = _rates(csv, rows)
    told = f"plan {median(_plans(csv, rows)):,.0f}/s, apply {median(_applies(csv, rows)):,.0f}/s"
    of_raw = [rows / seconds for seconds in raw]
    return [
        Finding(
            "imports",
            f"plan and apply of {rows:,} new rows of CSV, of the rate of a raw insert_many",
            f"{median(new):,.0f}/s ({told}) to {median(of_raw):,.0f}/s{spread(new, of_raw)}",
            ratio(new, of_raw),
            at_least=NEW_OF_RAW,
        ),
        Finding(
            "imports",
            "the same of XLSX, of the rate of CSV",
            f"{median(_rates(xlsx, rows)):,.0f}/s{spread(_rates(xlsx, rows), new)}",
            ratio(_rates(xlsx, rows), new),
            at_least=XLSX_OF_CSV,
        ),
        Finding(
            "imports",
            "the same CSV again, where nothing changes, of the rate of new rows",
            f"{median(_rates(unchanged, rows)):,.0f}/s{spread(_rates(unchanged, rows), new)}",
            ratio(_rates(unchanged, rows), new),
            at_least=UNCHANGED_OF_NEW,
        ),
    ]


def _memory(idle: int, peak: int, sizes: Sizes) -> Finding:
    what = f"imports of {sizes.imported:,} rows: MiB of the worker above idle"
    figures = f"{idle / 2**20:.0f} MiB idle, {peak / 2**20:.0f} MiB at most"
    return Finding("imports", what, figures, (peak - idle) / 2**20, at_most=MOST_MIB)


def _bystander(server: Server, directory: Database, file: Path, sizes: Sizes) -> Finding:
    """Idle and busy in turn; each import lasts longer than it is looked at."""
    idle, busy = list[float](), list[float]()
    for _ in range(sizes.rounds):
        _empty(directory, but=_KEPT)
        paths = user_paths(server)
        idle.append(p99(server, paths, sizes.bystander_seconds))
        importing = threading.Thread(target=_import, args=(server, file, sizes.imported, "create"))
        importing.start()
        busy.append(p99(server, paths, sizes.bystander_seconds))
        importing.join()
    return Finding(
        "imports",
        f"p99 of `GET /users/{{id}}` at {RATE}/s during an import in a process of its own, of its idle value",
        f"{median(busy):.1f} ms to {median(idle):.1f} ms{spread(busy, idle)}",
        ratio(busy, idle),
        at_most=AT_MOST,
    )


def _rates(took: list[_Took], rows: int) -> list[float]:
    return [rows / each.whole for each in took]


def _plans(took: list[_Took], rows: int) -> list[float]:
    return [rows / each.plan for each in took]


def _applies(took: list[_Took], rows: int) -> list[float]:
    return [rows / each.apply for each in took]


def _read(people: Database) -> list[dict[str, Any]]:
    with MongoClient[dict[str, Any]](people.mongo_uri) as mongo:
        return list(mongo.get_default_database()["users"].find({"email": {"$ne": ADMIN_EMAIL}}))


def _export(people: Database, folder: Path) -> dict[str, Path]:
    """The people as files; the administrator among them is known to every directory, and so unchanged."""
    files = {form: folder / f"people.{form}" for form in ("csv", "xlsx")}
    with serving("roster", people) as server:
        for form, file in files.items():
            file.write_bytes(ask(server, "GET", f"/users/export?format={form}&columns={_COLUMNS}"))
    return files


def _insert_raw(directory: Database, documents: list[dict[str, Any]]) -> float:
    """Seconds."""
    with MongoClient[dict[str, Any]](directory.mongo_uri) as mongo:
        database = mongo.get_default_database()
        raw = database.get_collection("raw", write_concern=WriteConcern("majority"))
        raw.drop()
        raw.create_indexes(User.Settings.indexes)
        started = time.perf_counter()
        raw.insert_many(documents)
        seconds = time.perf_counter() - started
        raw.drop()
    return seconds


def _empty(directory: Database, *, but: int = 0) -> None:
    """No imports, and no users but the administrator and so many others."""
    with MongoClient[dict[str, Any]](directory.mongo_uri) as mongo:
        database = mongo.get_default_database()
        found = database["users"].find({}, {"_id": 1}).sort("_id", 1).limit(but + 1)  # 0 would be no limit
        kept = [user["_id"] for user in found][:but]
        database["users"].delete_many({"email": {"$ne": ADMIN_EMAIL}, "_id": {"$nin": kept}})
        for name in ("imports", "import_rows", "import_files.files", "import_files.chunks"):
            database[name].delete_many({})


def _import(server: Server, file: Path, rows: int, expected: str) -> _Took:
    """From the first byte of the upload to the plan, and from there to the end."""
    started = time.perf_counter()
    begun = json.loads(ask(server, "POST", "/users/import", file.read_bytes()))
    shown = wait(server, _PLACE, begun, "planned")
    planned = time.perf_counter()
    begun = json.loads(ask(server, "POST", f"{_PLACE}/{shown['id']}/apply"))
    applied = wait(server, _PLACE, begun, "applied")
    ended = time.perf_counter()
    assert shown["counts"][expected] >= rows - _KEPT, shown["counts"]
    assert applied["counts"]["error"] == applied["counts"]["conflict"] == 0, applied["counts"]
    return _Took(planned - started, ended - planned)


def wait(server: Server, place: str, shown: dict[str, Any], state: str) -> dict[str, Any]:
    while shown["state"] != state:
        assert shown["state"] in {"planning", "applying"}, shown
        time.sleep(_LOOK_S * 5)
        shown = json.loads(ask(server, "GET", f"{place}/{shown['id']}?limit=1"))
    return shown


def ask(
    server: Server,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    kind: str = "application/octet-stream",
) -> bytes:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_S)
    headers = Request(path, server.token).headers | {"Content-Type": kind}
    connection.request(method, path, body, headers | {"Prefer": "wait=30"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{path}: {answer.status} {content[:500]!r}")
    return content

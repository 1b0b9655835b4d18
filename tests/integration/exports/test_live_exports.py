"""Long downloads on a real socket: what a client that leaves and a MongoDB that dies leave behind."""

import json
import socket
import threading
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from app.listing.streams import BATCH_ROWS
from tests.support.exports import read_texts, store_many
from tests.support.live import PATIENCE_S, LiveServer, wait_until
from tests.support.servers import MongoServer, RedisServer

FORMS = ("csv", "xlsx", "ndjson")
MANY = 25_000
MIB = 2**20
WINDOW = 64 * 1024

FAULTY = """
from app.http import replies
from app.__main__ import main
from app.spreadsheets.ndjson import NdjsonWriter

replies.STALLED_S = 1
written = NdjsonWriter.rows


def rows(writer, rows):
    writer.batches = getattr(writer, "batches", 0) + 1
    if writer.batches == 3:
        raise ValueError("the writer broke")
    return written(writer, rows)


NdjsonWriter.rows = rows
main()
"""


@pytest.fixture(scope="module")
def database(mongo_server: MongoServer) -> Iterator[str]:
    """The address of a database of so many users."""
    uri = mongo_server.uri_of("t_live_exports")
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database("t_live_exports")
        store_many(uri, MANY)
        yield uri
        client.drop_database("t_live_exports")


@pytest.fixture(scope="module")
def server(database: str, redis_server: RedisServer, servers_folder: Path) -> Iterator[LiveServer]:
    with LiveServer(servers_folder / "exports", mongo_uri=database, redis_url=redis_server.url) as live:
        yield live


@pytest.fixture(scope="module")
def faulty(database: str, redis_server: RedisServer, servers_folder: Path) -> Iterator[LiveServer]:
    """Its NDJSON breaks in the third batch, a client may stall for a second, two exports run at once."""
    with LiveServer(
        servers_folder / "faulty",
        program=("-c", FAULTY),
        mongo_uri=database,
        redis_url=redis_server.url,
        exports_at_once=2,
    ) as live:
        yield live


def connect(server: LiveServer, path: str) -> socket.socket:
    """A client that has read the first bytes of a reply, and holds few more unread."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    client.settimeout(60)
    client.connect(server.address)
    headers = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
    assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
    return client


def count_cursors(uri: str) -> int:
    """Cursors on the collection of users that stay open on the server, in use or idle."""
    with MongoClient[dict[str, Any]](uri) as client:
        namespace = f"{client.get_default_database().name}.users"
        found = client.admin.aggregate(
            [
                {"$currentOp": {"idleCursors": True, "allUsers": True}},
                {"$match": {"ns": namespace, "cursor": {"$exists": True}}},
            ]
        )
        return len(list(found))


AS_IT_IS = {"Accept-Encoding": "identity"}


def download(server: LiveServer, path: str) -> Iterator[bytes]:
    """The bytes as they come, through a small window, so that the server cannot run ahead."""
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)]
    with (
        server.client(transport=httpx.HTTPTransport(socket_options=small)) as client,
        client.stream("GET", path, headers=AS_IT_IS) as reply,
    ):
        assert reply.status_code == 200
        yield from reply.iter_raw()


def drain_broken(chunks: Iterator[bytes]) -> bytes:
    """What came before the transfer broke."""
    received: list[bytes] = []
    with pytest.raises(httpx.RemoteProtocolError):
        received.extend(chunks)
    return b"".join(received)


@pytest.mark.parametrize("form", FORMS)
def test_a_client_that_hangs_up_closes_the_cursor_and_is_said_so_in_the_log(
    form: str, server: LiveServer, database: str
) -> None:
    known = len(server.find("request", complete=False))
    with connect(server, f"/users/export?format={form}"):
        wait_until(lambda: count_cursors(database) == 1)  # in use and idle, it may be shown as two
    wait_until(lambda: count_cursors(database) == 0)
    wait_until(lambda: len(server.find("request", complete=False)) > known)
    line = server.find("request", complete=False)[-1]
    assert (line["route"], line["status"], line["ended_by"]) == ("/users/export", 200, "client")
    assert not [line for line in server.log if line["level"] in {"warning", "error"}]


def test_a_client_that_stops_reading_holds_up_the_export_and_not_the_memory(
    server: LiveServer, database: str
) -> None:
    (user,) = server.get("/users?limit=1").json()["items"]
    before = server.read_memory()
    with connect(server, "/users/export?format=csv"):
        for _ in range(50):
            assert server.get(f"/users/{user['id']}").status_code == 200
        assert count_cursors(database) == 1
        assert server.read_memory() - before < 32 * MIB
    wait_until(lambda: count_cursors(database) == 0)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_of_25_000_users_takes_no_more_memory_than_a_small_one(
    form: str, server: LiveServer, tmp_path: Path
) -> None:
    server.get("/users?limit=100")
    before = server.read_memory("VmRSS")
    file = tmp_path / "file"
    with (
        file.open("wb") as out,
        server.client() as client,
        client.stream("GET", f"/users/export?format={form}", headers=AS_IT_IS) as reply,
    ):
        assert reply.status_code == 200
        for chunk in reply.iter_raw():
            out.write(chunk)
    assert server.read_memory() - before < 64 * MIB
    if form == "csv":
        assert file.read_bytes().count(b"\r\n") == MANY + 1
    else:
        assert f'<row r="{MANY + 1}">'.encode() in zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml")


def test_users_are_read_while_an_export_runs(server: LiveServer) -> None:
    (user,) = server.get("/users?limit=1").json()["items"]
    done = threading.Event()

    def export() -> None:
        try:
            server.get("/users/export?format=xlsx").raise_for_status()
        finally:
            done.set()

    exporting = threading.Thread(target=export)
    exporting.start()
    answered = 0
    with server.client() as client:
        while not done.is_set():
            assert client.get(f"/users/{user['id']}").status_code == 200
            answered += 1
    exporting.join()
    assert answered > 36


def test_a_fault_of_the_writer_breaks_the_transfer(faulty: LiveServer, database: str) -> None:
    received = drain_broken(download(faulty, "/users/export?format=ndjson"))
    assert received.count(b"\n") == 2 * BATCH_ROWS
    wait_until(lambda: faulty.find("request", complete=False, error="ValueError"))
    assert count_cursors(database) == 0


def test_a_client_that_takes_nothing_any_more_counts_as_gone(faulty: LiveServer, database: str) -> None:
    with connect(faulty, "/users/export?format=csv"):
        assert count_cursors(database) == 1
        wait_until(lambda: count_cursors(database) == 0)
        wait_until(lambda: faulty.find("request", complete=False, error="TimeoutError"))


def test_past_the_exports_that_may_run_at_once_a_caller_is_told_to_come_back(faulty: LiveServer) -> None:
    with connect(faulty, "/users/export?format=csv"), connect(faulty, "/users/export?format=xlsx"):
        refused = faulty.get("/users/export")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_exports")
        assert int(refused.headers["retry-after"]) >= 1
        assert faulty.get("/users?limit=1").status_code == 200
    wait_until(lambda: faulty.get("/users/export?city=Nowhere").status_code == 200)


def test_a_server_that_is_told_to_stop_finishes_the_download_first(
    database: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    with LiveServer(tmp_path, mongo_uri=database, redis_url=redis_server.url) as live:
        chunks = download(live, "/users/export?format=csv&columns=id,bio")
        received = next(chunks)
        live.process.terminate()
        wait_until(lambda: live.find("Shutting down"))
        received += b"".join(chunks)
        assert received.count(b"\r\n") == MANY + 1
        assert live.process.wait(PATIENCE_S) == 0


@pytest.fixture(scope="module")
def mortal(servers_folder: Path) -> Iterator[MongoServer]:
    with MongoServer(servers_folder / "mortal") as mongo:
        store_many(mongo.uri, 20_000)
        yield mongo


@pytest.fixture(scope="module")
def dependent(mortal: MongoServer, redis_server: RedisServer, servers_folder: Path) -> Iterator[LiveServer]:
    """On a MongoDB of its own, which may be frozen and killed."""
    with LiveServer(
        servers_folder / "dependent", mongo_uri=mortal.uri, redis_url=redis_server.url, mongo_timeout_ms=1_000
    ) as live:
        yield live


def test_a_mongodb_that_is_frozen_before_the_first_row_is_503_and_no_empty_file(
    dependent: LiveServer, mortal: MongoServer
) -> None:
    mortal.freeze()
    try:
        for form in FORMS:
            reply = dependent.get(f"/users/export?format={form}")
            assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
            assert reply.headers["content-type"] == "application/problem+json"
            assert int(reply.headers["retry-after"]) >= 1
    finally:
        mortal.thaw()
    wait_until(lambda: whole(dependent))


def test_a_mongodb_that_freezes_during_an_export_breaks_the_transfer(
    dependent: LiveServer, mortal: MongoServer
) -> None:
    chunks = download(dependent, "/users/export?format=csv")
    next(chunks)
    mortal.freeze()
    try:
        drain_broken(chunks)
    finally:
        mortal.thaw()
    wait_until(lambda: whole(dependent))


def test_a_mongodb_that_is_killed_breaks_every_export_and_its_return_mends_the_service(
    dependent: LiveServer, mortal: MongoServer
) -> None:
    running = {form: download(dependent, f"/users/export?format={form}") for form in FORMS}
    first = {form: next(chunks) for form, chunks in running.items()}
    mortal.kill()
    received = {form: first[form] + drain_broken(chunks) for form, chunks in running.items()}
    assert not zipfile.is_zipfile(BytesIO(received["xlsx"]))
    assert received["csv"].count(b"\r\n") < 20_000
    assert received["ndjson"].count(b"\n") < 20_000
    away = dependent.get("/users/export")
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    mortal.restart()
    wait_until(lambda: whole(dependent))
    assert not [line for line in dependent.log if "never retrieved" in json.dumps(line)]


def whole(server: LiveServer) -> bool:
    """Whether an export works again; one that answers 200 must be whole."""
    reply = server.get("/users/export?format=csv&columns=id")
    assert reply.status_code in {200, 503}
    assert reply.status_code == 503 or len(read_texts(reply.content)) == 20_000
    return reply.status_code == 200

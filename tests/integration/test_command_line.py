"""`python -m app` as its users meet it: processes of their own, the words they print and how they end."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from pymongo import MongoClient

from app.__main__ import main
from app.embedded import mongod, ports, processes
from app.embedded.servers import Server
from tests.live import LiveServer, command, environment, find_children, has_ended, wait_until
from tests.servers import _find


@pytest.fixture(scope="module")
def newcomer(servers_folder: Path) -> Iterator[LiveServer]:
    """Started in an empty folder with no setting but a free port."""
    with LiveServer(servers_folder / "newcomer") as live:
        yield live


def count(url: str) -> int:
    total = httpx.get(f"{url}/users?limit=1&count=exact").json()["total"]
    assert total["relation"] == "eq"
    return int(total["value"])


def find_servers(folder: Path) -> list[int]:
    return [int((folder / "data" / name / "pid").read_text()) for name in ("mongod", "redis-server")]


def test_an_empty_folder_becomes_a_directory_of_a_thousand_people(newcomer: LiveServer) -> None:
    assert count(newcomer.url) == 1_000
    page = httpx.get(f"{newcomer.url}/users?limit=1000&sort=name").json()["items"]
    assert len({user["name"] for user in page}) > 900
    assert f"{newcomer.url}/docs" in newcomer.printed
    assert httpx.get(f"{newcomer.url}/docs").status_code == 200


def test_the_three_printed_lines_work(newcomer: LiveServer, tmp_path: Path) -> None:
    lines = [line.strip() for line in newcomer.printed.splitlines() if line.startswith("  curl ")]
    assert len(lines) == 3
    page, user, workbook = (run_curl(line, tmp_path) for line in lines)
    assert len(json.loads(page)["items"]) == 3
    assert json.loads(user)["name"] == "Zoë"
    assert (workbook or (tmp_path / "users.xlsx").read_bytes())[:4] == b"PK\x03\x04"


def run_curl(line: str, folder: Path) -> bytes:
    """What the line prints when it is pasted into a shell; without curl, what the server answers."""
    if shutil.which("curl"):
        return subprocess.run(
            ["sh", "-c", line.replace("curl ", "curl -sS --fail-with-body ", 1)],
            cwd=folder,
            check=True,
            capture_output=True,
        ).stdout
    words = iter(shlex.split(line)[1:])
    given = {word: next(words) if word.startswith("-") else word for word in words}
    (url,) = (word for word in given if word.startswith("http"))
    headers = [given["-H"].split(": ")] if "-H" in given else []
    method, body = ("POST", given["-d"].encode()) if "-d" in given else ("GET", b"")
    return httpx.request(method, url, headers=dict(headers), content=body).raise_for_status().content


def test_sample_adds_to_the_directory_that_runs_and_nothing_the_second_time(newcomer: LiveServer) -> None:
    before = count(newcomer.url)
    first = command(newcomer.folder, "sample", "1005")
    assert (first.returncode, first.stdout, first.stderr) == (
        0,
        "5 people added, 1000 were there already.\n",
        "",
    )
    assert count(newcomer.url) == before + 5
    second = command(newcomer.folder, "sample", "1005")
    assert second.stdout == "0 people added, 1005 were there already.\n"
    assert count(newcomer.url) == before + 5
    assert not any(map(has_ended, find_servers(newcomer.folder)))


def test_a_second_server_on_the_same_folder_is_refused(newcomer: LiveServer) -> None:
    refused = command(newcomer.folder, "serve", "--port", "0")
    assert_one_sentence(refused, f"Process {newcomer.pid} already runs the servers of", "ROSTER_DATA_DIR")
    assert count(newcomer.url) >= 1_000


def test_a_taken_port_is_one_sentence_and_nothing_was_started(newcomer: LiveServer, tmp_path: Path) -> None:
    port = str(newcomer.address[1])
    refused = command(tmp_path, "serve", "--port", port)
    assert_one_sentence(refused, f"Port {port} of 127.0.0.1", "in use", "--port")
    assert not (tmp_path / "data").exists()


def test_users_survive_a_restart_and_two_workers_share_the_servers_until_kill_9_ends_all(
    tmp_path: Path,
) -> None:
    with LiveServer(tmp_path) as first:
        user = httpx.get(f"{first.url}/users?limit=1").json()["items"][0]
        assert httpx.delete(f"{first.url}/users/{user['id']}").status_code == 204
        started = [*find_servers(tmp_path), *find_children(first.pid)]
        assert first.stop(signal.SIGTERM) == 0
    assert all(map(has_ended, started))
    with LiveServer(tmp_path, "--workers", "2") as second:
        wait_until(lambda: len(second.find("Application startup complete.")) == 2)
        assert count(second.url) == 999
        started = [*find_servers(tmp_path), *find_children(second.pid)]
        workers = [pid for pid in started if "spawn_main" in processes.read_command_line(pid)]
        assert len(workers) == 2
        second.process.send_signal(signal.SIGKILL)
        wait_until(lambda: all(map(has_ended, started)))
    assert not ports.is_listening(second.address[1])


def test_settings_in_a_file_reach_the_workers_and_a_directory_of_ones_own_is_left_alone(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        f"ROSTER_MONGO_URI={mongo_uri}\nROSTER_REDIS_URL={redis_url}\n"
        "ROSTER_HOST=0.0.0.0\nROSTER_REQUIRE_IF_MATCH=true\nROSTER_SECRET_KEY=\n"
    )
    with LiveServer(tmp_path, "--workers", "2", "--host", "localhost") as live:
        assert count(live.url) == 0
        user = httpx.post(f"{live.url}/users", json={"name": "A", "email": "a@example.com"}).json()
        assert httpx.delete(f"{live.url}/users/{user['id']}").status_code == 428
        with MongoClient[dict[str, Any]](mongo_uri) as client:
            assert client.get_default_database()["users"].count_documents({}) == 1
        assert live.stop(signal.SIGINT) == 0
    assert not (tmp_path / "data").exists()
    assert "Traceback" not in live.errors


def test_an_ipv6_address_is_printed_as_it_must_be_typed(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with LiveServer(tmp_path, "--host", "::1", mongo_uri=mongo_uri, redis_url=redis_url) as live:
        assert re.fullmatch(r"http://\[::1\]:\d+", live.url)
        assert httpx.get(f"{live.url}/health/live").status_code == 200


@pytest.fixture(scope="module")
def standalone(servers_folder: Path) -> Iterator[str]:
    """A mongod that is no replica set."""
    folder = servers_folder / "standalone" / "mongod"
    binary = _find("mongod", servers_folder)

    def describe(data: Path, port: int) -> list[str]:
        words = mongod.command(binary, data, port)
        place = words.index("--replSet")
        return words[:place] + words[place + 2 :]

    def find_pid(port: int) -> int | None:
        return server.pid if ports.is_listening(port) else None

    server = Server(folder, command=describe, ready=find_pid)
    try:
        server.start()
        yield f"mongodb://127.0.0.1:{server.port}/roster"
    finally:
        server.stop()


def assert_one_sentence(refused: subprocess.CompletedProcess[str], *words: str) -> None:
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("Roster cannot start. ")
    assert refused.stderr.count("\n") == 1
    assert not [word for word in words if word not in refused.stderr], refused.stderr
    assert "Traceback" not in refused.stderr


NOWHERE = "mongodb://ana:secret-word@127.0.0.1:1/roster"
STANDALONE = "of the fixture"

REFUSED: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]] = {
    "an open address": (
        ("serve", "--host", "0.0.0.0"),  # noqa: S104 - refused
        {},
        ("ROSTER_HOST=0.0.0.0", "without sign-in", "127.0.0.1"),
    ),
    "an open address in the environment": (("serve",), {"host": "::"}, ("ROSTER_HOST=::",)),
    "no such port": (("serve", "--port", "70000"), {}, ("ROSTER_PORT", "65535")),
    "a port in words": (("sample", "1"), {"port": "eighty"}, ("ROSTER_PORT", "integer")),
    "a weak key": (("serve",), {"secret_key": "secret-word"}, ("ROSTER_SECRET_KEY", "32")),
    "no MongoDB address": (
        ("serve",),
        {"mongo_uri": "http://secret-word"},
        ("ROSTER_MONGO_URI", "mongodb://"),
    ),
    "half a MongoDB address": (
        ("serve",),
        {"mongo_uri": "mongodb://ana:secret-word@:x:/"},
        ("ROSTER_MONGO_URI", "mongodb://"),
    ),
    "an unreachable MongoDB": (
        ("serve",),
        {"mongo_uri": NOWHERE},
        ("MongoDB cannot be reached", "ROSTER_MONGO_URI"),
    ),
    "an unreachable MongoDB for two workers": (
        ("serve", "--workers", "2"),
        {"mongo_uri": NOWHERE},
        ("MongoDB cannot be reached", "ROSTER_MONGO_URI"),
    ),
    "no Redis address": (("serve",), {"redis_url": "secret-word"}, ("ROSTER_REDIS_URL", "redis://")),
    "an unreachable Redis": (
        ("serve",),
        {"redis_url": "redis://:secret-word@127.0.0.1:1/0"},
        ("Redis cannot be reached", "ROSTER_REDIS_URL"),
    ),
    "a MongoDB without a replica set": (
        ("serve",),
        {"mongo_uri": STANDALONE},
        ("replica set", "--replSet"),
    ),
}
MISTYPED = {
    ("serve", "--port", "eighty"): "--port",
    ("sample", "0"): "count",
    ("sample",): "count",
    ("serve", "--workers", "0"): "--workers",
    ("smaple",): "smaple",
    (): "Usage",
}
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Done]]:
    """A command in this process, as one of its own takes a second only to import; nothing of it stays."""
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch, mock.patch.dict(os.environ):
        patch.chdir(tmp_path)

        def run_here(*arguments: str, **settings: Any) -> Done:
            os.environ.update(environment(tmp_path, **settings))
            patch.setattr(sys, "argv", ["app", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
            return Done(arguments, int(str(ended.value.code)), *capsys.readouterr())

        yield run_here
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def right(mongo_uri: str, redis_url: str) -> dict[str, str]:
    return {"mongo_uri": mongo_uri, "redis_url": redis_url, "mongo_timeout_ms": "300"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_set_wrong_is_said_in_one_sentence(
    name: str, run: Callable[..., Done], right: dict[str, str], standalone: str, tmp_path: Path
) -> None:
    arguments, settings, words = REFUSED[name]
    wrong = {key: standalone if value == STANDALONE else value for key, value in settings.items()}
    refused = run(*arguments, **(right | wrong))
    assert_one_sentence(refused, *words)
    assert "secret-word" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", MISTYPED)
def test_a_mistyped_command_says_how_it_is_used(
    arguments: tuple[str, ...], run: Callable[..., Done], tmp_path: Path
) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert MISTYPED[arguments] in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_indexes_are_checked_and_applied_on_a_directory_of_ones_own(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    def run(*arguments: str) -> tuple[int, list[str]]:
        done = command(tmp_path, "indexes", *arguments, mongo_uri=mongo_uri, redis_url=redis_url)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()

    status, said = run("check")
    assert status == 1
    assert {"index email is missing", "the validator of the collection is missing or old"} <= set(said)
    assert run("apply") == (0, ["Indexes and validator applied."])
    assert run("check") == (0, ["All indexes and the validator are as declared."])
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        users = client.get_default_database()["users"]
        users.drop_index("age")
        users.create_index([("nickname", 1)], name="nickname")
    assert run("check") == (
        1,
        ["index age is missing", "index nickname is not ours; drop it if nothing else needs it"],
    )


def test_openapi_needs_no_server_and_no_setting(tmp_path: Path) -> None:
    nonsense = {"host": "0.0.0.0", "port": "x", "mongo_uri": NOWHERE, "secret_key": "x"}  # noqa: S104
    printed = command(tmp_path, "openapi", **nonsense)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "/users/export" in json.loads(printed.stdout)["paths"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_settings_that_is_no_text_is_said_so(run: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"ROSTER_HOST=\xff\xfe\n")
    assert_one_sentence(run("serve"), ".env")


def test_sample_is_deterministic_and_reports_what_it_adds_to_an_empty_folder(tmp_path: Path) -> None:
    added = command(tmp_path, "sample", "20")
    assert (added.returncode, added.stdout) == (0, "20 people added, 0 were there already.\n")
    assert all(not (tmp_path / "data" / name / "pid").exists() for name in ("mongod", "redis-server"))

"""`python -m app` as its users meet it: processes of their own, the words they print and how they end."""

import contextlib
import gc
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from openpyxl import load_workbook
from pymongo import MongoClient

from app.__main__ import main
from app.commands.embedded import mongod, ports
from app.commands.embedded.servers import Server
from app.commands.running import show_once
from models.values import ALL_SCOPES
from tests.support.live import (
    PATIENCE_S,
    LiveServer,
    command,
    environment,
    find_children,
    has_ended,
    wait_until,
)
from tests.support.servers import find_binary

ASCII = "ascii:strict"


@pytest.fixture(scope="module")
def newcomer(servers_folder: Path) -> Iterator[LiveServer]:
    """Started in an empty folder with no setting but a free port, on a console that prints ASCII alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONIOENCODING", ASCII)
        live = LiveServer(servers_folder / "newcomer")
    with live:
        yield live


def count(live: LiveServer) -> int:
    total = live.get("/users?limit=1&count=exact").json()["total"]
    assert total["relation"] == "eq"
    return int(total["value"])


def find_servers(folder: Path) -> list[int]:
    return [int((folder / "data" / name / "pid").read_text()) for name in ("mongod", "redis-server")]


def test_an_empty_folder_becomes_a_directory_of_a_thousand_people_and_who_administers_them(
    newcomer: LiveServer,
) -> None:
    assert count(newcomer) == 1_001
    page = newcomer.get("/users?limit=1000&sort=name").json()["items"]
    assert len({user["name"] for user in page}) > 900
    (admin,) = newcomer.get("/users?email=admin@example.com").json()["items"]
    assert admin["scopes"] == list(ALL_SCOPES)
    assert f"{newcomer.url}/docs" in newcomer.printed
    assert httpx.get(f"{newcomer.url}/docs").status_code == 200


SHOWN = re.compile(r"Sign in as (\S+) with the password (\S+) \(shown this once\)\.")


def test_the_printed_lines_work_as_they_are_printed(newcomer: LiveServer, tmp_path: Path) -> None:
    shown = SHOWN.search(newcomer.printed)
    assert shown is not None
    assert len(shown[2]) >= 16
    lines = newcomer.printed[newcomer.printed.index("  TOKEN=") :]
    assert lines.count("curl ") == 4
    assert shown[2] in lines
    page, user = paste(lines, tmp_path)
    assert len(page["items"]) == 3
    assert (user["name"], user["email"], user["scopes"]) == ("Zoe", "zoe@example.com", ["me"])
    (sheet,) = load_workbook(tmp_path / "users.xlsx", read_only=True).worksheets
    assert len(list(sheet.rows)) == 1 + 1_002
    assert newcomer.sign_in(shown[1], shown[2]).json()["scope"] == " ".join(sorted(ALL_SCOPES))
    assert shown[2] not in newcomer.errors


def paste(lines: str, folder: Path) -> list[Any]:
    """What the lines print, all of them JSON, when they are pasted into a shell."""
    programs = folder / "programs"
    programs.mkdir()
    if not shutil.which("curl"):
        (programs / "curl").write_text(f"#!{sys.executable}\n{CURL}")
        (programs / "curl").chmod(0o700)
    path = f"{programs}:{os.environ['PATH']}"
    ran = subprocess.run(["sh", "-c", lines], cwd=folder, env={"PATH": path}, check=True, capture_output=True)
    printed, read = ran.stdout.decode(), []
    while printed:
        value, end = json.JSONDecoder().raw_decode(printed)
        read.append(value)
        printed = printed[end:]
    return read


CURL = """
import argparse, sys, urllib.parse, urllib.request
words = argparse.ArgumentParser()
words.add_argument("url")
words.add_argument("-s", action="store_true")
words.add_argument("-o")
words.add_argument("-H", action="append", default=[])
words.add_argument("-d", action="append", default=[])
words.add_argument("--data-urlencode", action="append", default=[])
given = words.parse_args()
encoded = [name + "=" + urllib.parse.quote(value) for name, _, value in
           (pair.partition("=") for pair in given.data_urlencode)]
body = "&".join(given.d + encoded).encode() or None
request = urllib.request.Request(given.url, body, dict(line.split(": ", 1) for line in given.H))
out = open(given.o, "wb") if given.o else sys.stdout.buffer
out.write(urllib.request.urlopen(request).read())
"""
"""A stand-in where there is no curl."""


def test_sample_adds_to_the_directory_that_runs_and_nothing_the_second_time(newcomer: LiveServer) -> None:
    before = count(newcomer)
    first = command(newcomer.folder, "sample", "1005")
    assert (first.returncode, first.stdout, first.stderr) == (
        0,
        "5 people added, 1000 were there already.\n",
        "",
    )
    assert count(newcomer) == before + 5
    second = command(newcomer.folder, "sample", "1005")
    assert second.stdout == "0 people added, 1005 were there already.\n"
    assert count(newcomer) == before + 5
    assert not any(map(has_ended, find_servers(newcomer.folder)))


def test_no_command_stumbles_over_what_a_console_cannot_print(
    newcomer: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", ASCII)
    (tmp_path / "張.csv").write_text("name,email,Größe :cat:\nJosé,jose@example.com,1\n")
    planned = command(newcomer.folder, "import", str(tmp_path / "張.csv"), "--plan-only")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert planned.stdout == (
        '1 rows: 1 create\nUnknown columns, which are not imported: "Gr\\xf6\\xdfe :cat:"\n'
        'row 2: creates name "Jos\\xe9", email "jose@example.com", scopes ["me"], is_active true\n'
    )
    missing = command(newcomer.folder, "import", str(tmp_path / "伟.csv"))
    assert missing.returncode == 2
    assert "\\u4f1f.csv" in re.sub(r"[\s|]", "", missing.stderr)  # the box breaks long paths


def test_a_password_from_a_pipe_is_utf_8_on_any_console(
    newcomer: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", ASCII)
    made = command(newcomer.folder, "create-admin", "umit@example.com", entered="süßer Apfel im Baum\n")
    assert (made.returncode, made.stdout) == (0, "The administrator was created.\n")
    assert newcomer.sign_in("umit@example.com", "süßer Apfel im Baum").status_code == 200
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1:surrogateescape")
    refused = subprocess.run(
        [sys.executable, "-m", "app", "create-admin", "ana@example.com"],
        cwd=newcomer.folder,
        env=environment(newcomer.folder),
        input="süßer Apfel im Baum\n".encode("latin-1"),
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert refused.returncode == 2
    assert b"The password that came through the pipe is not UTF-8." in refused.stderr


def test_a_password_that_stdout_cannot_take_is_shown_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as full:  # it fails at its end, too
        monkeypatch.setattr(sys, "stdout", full)
        show_once("Sign in with the password x (shown this once).")
        monkeypatch.undo()
    assert "password x" in capsys.readouterr().err


def test_a_second_server_on_the_same_folder_is_refused(newcomer: LiveServer) -> None:
    refused = command(newcomer.folder, "serve", "--port", "0")
    assert_one_sentence(refused, f"Process {newcomer.pid} already runs the servers of", "ROSTER_DATA_DIR")
    assert count(newcomer) >= 1_000


def test_a_taken_port_is_one_sentence_and_nothing_was_started(newcomer: LiveServer, tmp_path: Path) -> None:
    port = str(newcomer.address[1])
    refused = command(tmp_path, "serve", "--port", port)
    assert_one_sentence(refused, f"Port {port} of 127.0.0.1", "in use", "--port")
    assert not (tmp_path / "data").exists()


def test_users_and_sessions_survive_a_restart_and_two_workers_share_the_servers_until_kill_9_ends_all(
    tmp_path: Path,
) -> None:
    with LiveServer(tmp_path) as first:
        shown = SHOWN.search(first.printed)
        assert shown is not None
        email, password = shown.groups()
        session = first.sign_in(email, password).json()
        with first.client() as client:
            (user,) = client.get("/users?limit=1&sort=created_at").json()["items"]
            assert client.delete(f"/users/{user['id']}").status_code == 204
        started = [*find_servers(tmp_path), *find_children(first.pid)]
        assert first.stop(signal.SIGTERM) == 0
    assert all(map(has_ended, started))
    with LiveServer(tmp_path, "--workers", "2") as second:
        wait_until(lambda: second.count_started() == 2)
        assert not SHOWN.search(second.printed)
        assert password not in second.printed + second.errors
        assert "Forgot your password? Run: python -m app create-admin EMAIL" in second.printed
        assert count(second) == 1_000
        with second.client(headers={}) as client:
            refresh = {"grant_type": "refresh_token", "refresh_token": session["refresh_token"]}
            assert client.post("/auth/token", data=refresh).status_code == 200
        assert second.sign_in(email, password).status_code == 200
        started = [*find_servers(tmp_path), *find_children(second.pid)]
        assert len(second.find_workers()) == 2
        second.process.send_signal(signal.SIGKILL)
        wait_until(lambda: all(map(has_ended, started)))
    assert not ports.is_listening(second.address[1])


def test_settings_in_a_file_reach_the_workers_and_a_directory_of_ones_own_is_left_alone(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        f"ROSTER_MONGO_URI={mongo_uri}\nROSTER_REDIS_URL={redis_url}\n"
        "ROSTER_HOST=0.0.0.0\nROSTER_REQUIRE_IF_MATCH=true\nROSTER_SECRET_KEY=\nROSTER_ISSUER=\n"
    )
    with LiveServer(tmp_path, "--workers", "2", "--host", "localhost") as live:
        assert count(live) == 0
        with live.client() as client:
            user = client.post("/users", json={"name": "A", "email": "a@example.com"}).json()
            assert client.delete(f"/users/{user['id']}").status_code == 428
            metadata = client.get("/.well-known/oauth-authorization-server").json()
        assert metadata["issuer"] == live.url
        with MongoClient[dict[str, Any]](mongo_uri) as mongo:
            assert mongo.get_default_database()["users"].count_documents({}) == 1
        assert live.stop(signal.SIGINT) == 0
    assert not (tmp_path / "data").exists()
    assert "Traceback" not in live.errors


NOBODY_ADMINISTERS = (
    "This directory has no administrator yet: run `python -m app create-admin EMAIL`, "
    "or set ROSTER_ADMIN_EMAIL and ROSTER_ADMIN_PASSWORD.\n"
)
PASSWORD = "correct horse battery"


def test_a_directory_that_nobody_administers_says_so_until_create_admin_makes_one(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    own: dict[str, Any] = {"mongo_uri": mongo_uri, "redis_url": redis_url}

    def create_admin(email: str, password: str) -> str:
        done = command(tmp_path, "create-admin", email, entered=f"{password}\nnot this line\n", **own)
        assert done.returncode == 0, done.stderr
        assert password not in done.stdout + done.stderr
        return done.stdout

    with LiveServer(tmp_path, **own) as live:
        assert NOBODY_ADMINISTERS in live.errors
        assert "YOU@EXAMPLE.COM" in live.printed
        assert create_admin("boss@example.com", PASSWORD) == "The administrator was created.\n"
        signed_in = live.sign_in("Boss@Example.com", PASSWORD)
        assert signed_in.json()["scope"] == " ".join(sorted(ALL_SCOPES))
        with live.client(headers={"Authorization": f"Bearer {signed_in.json()['access_token']}"}) as boss:
            zoe = boss.post("/users", json={"name": "Zoë", "email": "zoe@example.com"}).json()
            url = f"/users/{zoe['id']}"
            assert boss.put(f"{url}/password", json={"password": "staple and battery"}).status_code == 204
            as_before = live.sign_in("zoe@example.com", "staple and battery").json()
            assert as_before["scope"] == "me"
            assert create_admin("ZOE@example.com", "another staple") == (
                "The user is an administrator now, signed out.\n"
            )
            before = {"Authorization": f"Bearer {as_before['access_token']}"}
            refused = boss.get("/users/me", headers=before)
            assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")
            assert live.sign_in("zoe@example.com", "staple and battery").status_code == 400
            now = live.sign_in("zoe@example.com", "another staple").json()
            assert now["scope"] == " ".join(sorted(ALL_SCOPES))
            assert boss.patch(url, json={"is_active": False}).status_code == 200
            create_admin("zoe@example.com", "another staple")
            assert boss.get(url).json()["is_active"] is True
        assert count(live) == 2
    with LiveServer(tmp_path, **own) as again:
        assert "has no administrator yet" not in again.errors


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("boss@example.com", "short", ("The administrator's password:", "at least 8 characters")),
        ("boss@example.com", "", ("The administrator's password:", "at least 8 characters")),
        ("boss@example.com", "password1", ("The administrator's password:", "most people choose")),
        ("bossanova@example.com", "bossanova1", ("The administrator's password:", "e-mail address")),
        ("boss", PASSWORD, ("The administrator's e-mail", "ana@example.com")),
    ],
)
def test_create_admin_refuses_what_is_no_good_in_one_sentence(
    email: str, password: str, words: tuple[str, ...], right: dict[str, Any], tmp_path: Path
) -> None:
    refused = command(tmp_path, "create-admin", email, entered=f"{password}\n", **right)
    assert_one_sentence(refused, *words)
    assert not password or password not in refused.stderr
    with MongoClient[dict[str, Any]](right["mongo_uri"]) as mongo:
        assert mongo.get_default_database()["users"].count_documents({}) == 0


def test_the_environment_makes_the_first_administrator_and_no_second(
    right: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"ROSTER_ADMIN_PASSWORD={PASSWORD}\n")
    with LiveServer(tmp_path, admin_email="boss@example.com", **right) as live:
        scope = live.sign_in("boss@example.com", PASSWORD).json()["scope"]
        assert scope == " ".join(sorted(ALL_SCOPES))
        assert "has no administrator yet" not in live.errors
        assert PASSWORD not in live.errors + live.printed
    with LiveServer(tmp_path, "--workers", "2", admin_email="other@example.com", **right) as live:
        assert count(live) == 1
        assert live.sign_in("other@example.com", PASSWORD).status_code == 400
        assert live.sign_in("boss@example.com", PASSWORD).status_code == 200


def test_a_newcomer_who_has_made_an_administrator_is_shown_no_password(tmp_path: Path) -> None:
    with LiveServer(tmp_path, admin_email="boss@example.com", admin_password=PASSWORD) as live:
        assert live.sign_in("boss@example.com", PASSWORD).status_code == 200
        assert count(live) == 1_001
        assert not SHOWN.search(live.printed)
        assert PASSWORD not in live.errors + live.printed


def test_a_weak_password_in_the_environment_stops_the_start(right: dict[str, Any], tmp_path: Path) -> None:
    admin = {"admin_email": "boss@example.com", "admin_password": "password1"}
    refused = command(tmp_path, "serve", **right, **admin)
    assert_one_sentence(refused, "The administrator's password:", "most people choose")
    assert "password1" not in refused.stderr


ATTENTIVE = ("-m", "tests.programs.attentive_server")
KEY = re.compile(
    r"(?P<kid>[\w-]{43})  (?P<algorithm>ES256)      (?P<state>signs    |will sign|verifies )"
    r"(  \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ){2}  (?P<until>\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ|another takes over)"
)


def test_keys_are_listed_and_rotated_while_tokens_stay_good_and_at_once_when_they_must_not(
    right: dict[str, Any], tmp_path: Path
) -> None:
    def run_keys(*arguments: str) -> list[str]:
        done = command(tmp_path, "keys", *arguments, **right)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def list_keys() -> list[tuple[str, str, bool]]:
        """Each line whole, so that nothing else of a key stands there."""
        head, *lines = run_keys("list")
        assert head.split() == ["kid", "algorithm", "state", "created", "signs", "from", "verifies", "until"]
        keys = [KEY.fullmatch(line) for line in lines]
        assert all(keys), lines
        return [(key["kid"], key["state"].strip(), key["until"][0] == "2") for key in keys if key]

    assert list_keys() == [], "to look makes no key"
    with LiveServer(tmp_path, program=ATTENTIVE, **right) as live:

        def published() -> list[str]:
            return [key["kid"] for key in live.get("/.well-known/jwks.json").json()["keys"]]

        (first,) = published()
        assert list_keys() == [(first, "signs", False)]
        (said,) = run_keys("rotate")
        assert said.endswith(" signs in 60 s.")
        second = said.split()[0]
        assert list_keys() == [(second, "will sign", False), (first, "signs", True)]
        wait_until(lambda: published() == [second, first])
        assert live.get("/users").status_code == 200
        assert read_kid(live.mint()) == first, "the new key has been published for too short a time"

        (said,) = run_keys("rotate", "--at-once")
        assert said.endswith(" signs from now on; the old keys are gone.")
        third = said.split()[0]
        assert list_keys() == [(third, "signs", False)]
        wait_until(lambda: live.get("/users").status_code == 401)
        assert live.get("/users").json()["code"] == "invalid_token"
        assert published() == [third]
        live.token = live.mint()
        assert read_kid(live.token) == third
        assert live.get("/users").status_code == 200


def read_kid(token: str) -> str:
    head = token.partition(".")[0]
    return str(json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


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
    binary = find_binary("mongod", servers_folder)

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
        ("ROSTER_HOST=0.0.0.0", "set ROSTER_ISSUER", "https"),
    ),
    "an open address in the environment": (("serve",), {"host": "::"}, ("ROSTER_HOST=::", "ROSTER_ISSUER")),
    "an issuer that is not https": (
        ("serve",),
        {"issuer": "http://secret-word.example.com"},
        ("ROSTER_ISSUER", "https://users.example.com"),
    ),
    "half an administrator": (
        ("serve",),
        {"admin_password": "secret-word"},
        ("ROSTER_ADMIN_EMAIL", "ROSTER_ADMIN_PASSWORD", "together"),
    ),
    "lifetimes out of order": (
        ("serve",),
        {"session_idle_ttl_s": "100"},
        ("ROSTER_SESSION_IDLE_TTL_S", "ROSTER_ACCESS_TOKEN_TTL_S"),
    ),
    "an algorithm that shares its key": (
        ("serve",),
        {"token_algorithm": "HS256"},
        ("ROSTER_TOKEN_ALGORITHM", "ES256"),
    ),
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
    ("create-admin",): "email",
    ("keys", "rotate", "--now"): "--now",
    ("smaple",): "smaple",
    (): "Usage",
}
Done = subprocess.CompletedProcess[str]


def collect_sockets() -> None:
    """Now and in silence, not in a later test: PyMongo leaks that of a monitor stopped while it connects."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


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
            collect_sockets()
            return Done(arguments, int(str(ended.value.code)), *capsys.readouterr())

        yield run_here
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def right(bare_uri: str, redis_url: str) -> dict[str, Any]:
    return {"mongo_uri": bare_uri, "redis_url": redis_url, "mongo_timeout_ms": "300", "start_wait_s": "0"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_set_wrong_is_said_in_one_sentence(
    name: str, run: Callable[..., Done], right: dict[str, Any], standalone: str, tmp_path: Path
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
    bare_uri: str, redis_url: str, tmp_path: Path
) -> None:
    def run(*arguments: str) -> tuple[int, list[str]]:
        done = command(tmp_path, "indexes", *arguments, mongo_uri=bare_uri, redis_url=redis_url)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()

    status, said = run("check")
    assert status == 1
    assert {"index email is missing", "the validator of the collection is missing or old"} <= set(said)
    with MongoClient[dict[str, Any]](bare_uri) as client:
        assert client.get_default_database()["keys"].count_documents({}) == 0, "a check made a key"
    assert run("apply") == (0, ["Indexes and validator applied."])
    assert run("check") == (0, ["All indexes and the validator are as declared."])
    with MongoClient[dict[str, Any]](bare_uri) as client:
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

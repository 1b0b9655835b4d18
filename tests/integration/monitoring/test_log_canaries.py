"""All that a live server logs, at its most talkative: no secret, nobody's name, no line of a caller's own."""

import base64
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.live import LiveServer, wait_until
from tests.support.servers import RedisServer

CANARY = "kanarienvogel"
"""In every value that a caller sends, and in none that Roster has any business to write."""
PASSWORD = f"{CANARY} correct horse"
EMAIL = f"{CANARY}@example.com"
FORGED = f'{CANARY}\\r\\n{{"event":"forged"}}'
PERSON = {
    "name": f"{CANARY} Ana", "email": EMAIL, "username": f"{CANARY}.1", "phone": "+4915112345678",
    "tags": [CANARY], "profile": {"bio": CANARY, "addresses": [{"street": CANARY, "city": CANARY}]},
    "scopes": ["me", "users:read"],
}  # fmt: skip
PHONE = "15112345678"


@pytest.fixture(scope="module")
def server(
    module_uri: str, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("canaries")
    settings: dict[str, Any] = {
        "mongo_uri": module_uri,
        "redis_url": redis_server.url,
        "log_level": "debug",
        "log_file": folder / "roster.log",
        "registration": "open",
    }
    with LiveServer(folder, **settings) as running:
        yield running


def send(server: LiveServer, head: str) -> None:
    """As it is, since no client of ours would send it so."""
    with socket.create_connection(server.address) as client:
        client.sendall(head.encode("latin-1"))
        while client.recv(65_536):
            pass


def misbehave(client: httpx.Client, token: str) -> None:
    """Every way that comes to mind of bringing a value in: right, wrong, and where it does not belong."""
    for path in (
        f"/users/{EMAIL}", f"/{CANARY}", f"/users?email={EMAIL}&q={CANARY}&nope={CANARY}", f"/users/{CANARY}",
        f"/users?cursor={CANARY}", f"/users/suggest?q={CANARY}", f"/users/export/csv?department={CANARY}",
        f"/docs/{CANARY}", f"/users?q=%0d%0a{CANARY}%00%e2%80%a8", f"/users?access_token={token}",
    ):  # fmt: skip
        client.get(path)
    for headers in (
        {"User-Agent": f"{CANARY} {EMAIL}"},
        {"X-Request-ID": f"{CANARY} {CANARY}"},
        {"X-Forwarded-For": CANARY},
        {"Cookie": f"session={CANARY}"},
        {"Host": f"{CANARY}.example"},
        {"Origin": f"https://{CANARY}.example"},
        {"If-Match": f'"{CANARY}"'},
        {"Authorization": f"Bearer {CANARY}.{CANARY}.{CANARY}"},
        {"Authorization": "Basic " + base64.b64encode(f"{CANARY}:{CANARY}".encode()).decode()},
    ):
        client.get("/users?limit=1", headers=headers)
    for body in (b"{" + CANARY.encode(), b'{"email": "' + EMAIL.encode() + b'"', CANARY.encode() * 100_000):
        client.post("/users", content=body, headers={"Content-Type": "application/json"})
    client.post("/users", json=PERSON | {"password": PASSWORD, "age": CANARY})
    client.post("/auth/register", json={"name": CANARY, "email": EMAIL, "password": PASSWORD})
    client.post("/auth/register", json={"name": FORGED, "email": f"2{EMAIL}", "password": PASSWORD})


def live(server: LiveServer) -> str:
    """A life among others: made, changed, signed in, refreshed, signed out, refused, deleted."""
    with server.client() as client:
        made = client.post("/users", json=PERSON)
        assert made.status_code == 201, made.text
        path = f"/users/{made.json()['id']}"
        assert client.post("/users", json=PERSON).status_code == 409
        client.patch(path, json={"name": FORGED})
        assert client.put(f"{path}/password", json={"password": PASSWORD}).status_code == 204
        tokens = server.sign_in(EMAIL, PASSWORD).json()
        server.sign_in(f"{CANARY}.1", PASSWORD + "x")
        server.sign_in(f"nobody.{EMAIL}", PASSWORD)
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        refreshed = client.post("/auth/token", data=refresh, headers={"Authorization": ""}).json()
        misbehave(client, refreshed["access_token"])
        own = {"Authorization": f"Bearer {refreshed['access_token']}"}
        client.post("/users/me/password", json={"current": CANARY, "new": CANARY}, headers=own)
        client.post("/users/me/email", json={"email": f"3{EMAIL}", "password": PASSWORD}, headers=own)
        client.post("/auth/logout", headers=own)
        client.get("/users/me", headers=own)
        client.delete(path)
    return " ".join((tokens["access_token"], tokens["refresh_token"], refreshed["access_token"]))


def test_no_canary_sings_in_any_log(server: LiveServer) -> None:
    tokens = live(server)
    send(server, f"GET /{CANARY} HTTP/1.1\r\n{CANARY}\r\n\r\n")
    send(server, f"{CANARY} / HTTP/1.1\r\nHost: localhost\r\nX-{CANARY}: 1\r\nConnection: close\r\n\r\n")
    wait_until(lambda: server.find("signed_in") and server.find("signed_out"))
    file = (Path(server.folder) / "roster.log").read_text()
    assert CANARY not in server.printed
    for written in (server.errors, file):
        assert CANARY not in written.lower()
        assert PHONE not in written
        assert "@" not in written
        assert not [part for part in re.split(r"[. ]", tokens) if len(part) > 8 and part in written]
    assert file.splitlines()
    for line in file.splitlines():
        event = json.loads(line)
        assert event["event"] != "forged"
        assert {"timestamp", "level", "event"} <= event.keys()
    assert server.find("internal_error") == []
    assert server.find("sign_in_failed", reason="wrong_password")


def test_every_request_is_one_line_that_its_reply_names(server: LiveServer) -> None:
    ids = {server.get("/users?limit=1").headers["x-request-id"] for _ in range(20)}
    wait_until(lambda: ids <= {line.get("request_id") for line in server.find("request")})
    lines = [line for line in server.find("request") if line["request_id"] in ids]
    assert len(lines) == len(ids)
    assert {(line["method"], line["route"], line["status"]) for line in lines} == {("GET", "/users", 200)}

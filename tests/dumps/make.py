"""`python -m tests.dumps.make COMMIT…`: run an earlier commit, fill it by its own API, keep its data.

Each becomes `COMMIT.json.gz` beside this file: what MongoDB and Redis hold, and what a test needs to know.
"""

import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from bson import json_util
from pymongo import MongoClient
from redis import Redis

from tests.dumps.people import ADMIN, ODD, PASSWORD, PEOPLE
from tests.support.live import ROOT, LiveServer, environment
from tests.support.servers import MongoServer, RedisServer

FOLDER = Path(__file__).parent
_YEARS = str(10 * 365 * 86_400)
_KEPT = {
    "session_idle_ttl_s": _YEARS,
    "session_absolute_ttl_s": _YEARS,
    "export_ttl_s": _YEARS,
    "import_ttl_s": _YEARS,
    "job_ttl_s": _YEARS,
}
"""So that nothing in a dump has ended when a test restores it."""
Known = dict[str, Any]


class _OldServer(LiveServer):
    """`serve` of an earlier commit, in the folder of its files."""

    ready = "Roster is listening"

    def mint(self, *_: str) -> str:
        """None: it need not take what this code would make."""
        return ""


def make(commit: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = _check_out(commit, folder / "source")
        with MongoServer(folder) as mongo, RedisServer(folder) as redis:
            settings = {
                "mongo_uri": mongo.uri, "redis_url": redis.url, "registration": "invitation",
                "admin_email": ADMIN, "admin_password": PASSWORD, **_KEPT,
            }  # fmt: skip
            known = _fill(source, settings)
            kept = {"known": known, "mongo": _read_mongo(mongo), "redis": _read_redis(redis)}
    packed = json_util.dumps(kept, json_options=json_util.CANONICAL_JSON_OPTIONS).encode()
    (FOLDER / f"{commit}.json.gz").write_bytes(gzip.compress(packed, 9, mtime=0))


def _check_out(commit: str, folder: Path) -> Path:
    tar = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _fill(source: Path, settings: dict[str, Any]) -> Known:
    known: Known = {}
    with _OldServer(source, **settings) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        if (source / "routers" / "auth.py").exists():
            known = _sign_in(client, source, settings)
        _create_people(client)
        if known:
            _fill_the_rest(client, known)
    return known


def _sign_in(client: httpx.Client, source: Path, settings: dict[str, Any]) -> Known:
    form = {"grant_type": "password", "username": ADMIN, "password": PASSWORD}
    tokens = _ask(client.post("/auth/token", data=form))
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    added = subprocess.run(
        [sys.executable, "-m", "app", "clients", "add", "Portal", "--id", "portal", "--scope", "users:read"],
        cwd=source, env=environment(source, **settings),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {"refresh_token": tokens["refresh_token"], "secret": added.stdout.partition("secret: ")[2].strip()}


def _create_people(client: httpx.Client) -> None:
    operations = [{"op": "create", "user": person} for person in [*PEOPLE, *ODD]]
    results = _ask(client.post("/users:batch", json={"operations": operations}))["results"]
    refused = [
        (one, result) for one, result in zip(operations, results, strict=True) if result["status"] != 201
    ]
    assert not refused, refused
    first = _ask(client.get("/users", params={"email": PEOPLE[0]["email"]}))["items"][0]
    _ask(client.patch(f"/users/{first['id']}", json={"profile": {"title": "Chief"}}))


def _fill_the_rest(client: httpx.Client, known: Known) -> None:
    """Passwords and sessions, an invitation, an export of the past, a schedule, an import."""
    for person in PEOPLE[:2]:
        user = _ask(client.get("/users", params={"email": person["email"]}))["items"][0]
        _ask(client.put(f"/users/{user['id']}/password", json={"password": PASSWORD}))
    asked = {"scopes": ["me"], "email": "invited@example.com", "expires_in": 30 * 86_400}
    known["invitation"] = _ask(client.post("/auth/invitations", json=asked))["code"]
    export = _ask(client.post("/users/exports", json={"format": "csv", "sort": "name"}))
    known["export"] = export["id"]
    schedule = {"name": "Weekly", "cron": "30 6 * * MON", "export": {"format": "csv"}, "is_active": False}
    known["schedule"] = _ask(client.post("/users/exports/schedules", json=schedule))["id"]
    file = "email,name\nimported@example.com,Imported\nPerson.1@Example.com,Renamed\n"
    wait = {"Content-Type": "text/csv", "Prefer": "wait=30"}
    plan = _ask(client.post("/users/import", content=file, headers=wait))
    known["applied"] = plan["id"]
    _ask(client.post(f"/users/imports/{plan['id']}/apply", headers={"Prefer": "wait=30"}))
    planned = "email,name\nplanned@example.com,Planned\n"
    known["planned"] = _ask(client.post("/users/import", content=planned, headers=wait))["id"]
    _wait_for(client, export["id"])


def _wait_for(client: httpx.Client, export: str) -> None:
    while _ask(client.get(f"/users/exports/{export}"))["state"] != "succeeded":
        time.sleep(0.1)  # a script run by hand: nothing waits for it


def _ask(reply: httpx.Response) -> Any:
    assert reply.is_success, reply.text
    return reply.json() if reply.content else None


def _read_mongo(server: MongoServer) -> list[dict[str, Any]]:
    """Collections with their options, indexes and documents."""
    with MongoClient[dict[str, Any]](server.uri, tz_aware=True) as client:
        database = client.get_default_database()
        return [
            {
                "name": found["name"],
                "options": found["options"],
                "indexes": [
                    index for index in database[found["name"]].list_indexes() if index["name"] != "_id_"
                ],
                "documents": list(database[found["name"]].find()),
            }
            for found in database.list_collections()
        ]


def _read_redis(server: RedisServer) -> list[dict[str, Any]]:
    """The keys of sessions, each by the command that makes it again; streams are made by who uses them."""
    with Redis.from_url(server.url, decode_responses=True) as client:
        return [found for key in sorted(client.scan_iter()) if (found := _read_key(client, str(key)))]


def _read_key(client: Any, key: str) -> dict[str, Any] | None:
    """The moment it expires is Redis' own, in milliseconds; -1 for never."""
    end = {"key": key, "ends_at": client.pexpiretime(key)}
    match client.type(key):
        case "hash":
            fields = client.hgetall(key)
            return end | {"command": ["HSET", key, *(part for pair in fields.items() for part in pair)]}
        case "zset":
            scored = client.zrange(key, 0, -1, withscores=True)
            return end | {
                "command": ["ZADD", key, *(part for name, score in scored for part in (score, name))]
            }
        case "string":
            return end | {"command": ["SET", key, client.get(key)]}
        case _:
            return None


if __name__ == "__main__":
    for given in sys.argv[1:]:
        make(given)

"""What is fuzzed: a process of ours on a mongod and a redis-server of its own, with people who may call."""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from bson import ObjectId
from pymongo import MongoClient

from app.core import sealing
from fuzz import mailed
from fuzz.accounts import PASSWORD, Account, create, find_token, sign_in
from fuzz.firsts import PICTURE
from tests.support.browsing import Person, visit
from tests.support.live import LiveServer, command
from tests.support.mail_server import MailServer
from tests.support.servers import MongoServer, RedisServer, S3Server

_PEOPLE = 300
_SESSIONS = 5
_CONSENTS = 50
_ADMIN_EMAIL = "administrator@fuzz.example.com"
_SETTINGS: dict[str, Any] = {
    "registration": "open",
    "client_registration": "open",
    "tries_per_account": 1_000_000,  # the fuzzer guesses at passwords, and must not be held up by it
    "tries_per_address": 1_000_000,
    "access_token_ttl_s": 3600,
    "mail_from": "roster@fuzz.example.com",
    "files_direct": True,
    "files_store": "gridfs",  # files of exports come from there: the fuzzer follows no redirect
    "log_level": "warning",
    "log_format": "json",
}

_KEYS = {"AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "the-secret-of-that-key"}


@dataclass(frozen=True, slots=True)
class Client:
    """A registered OAuth client with a secret."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Service:
    url: str
    server: LiveServer
    administrator: Account
    peers: tuple[Account, Account]
    """Neither is an administrator; both may read and write users, and export."""
    guest: Account
    """Whose password and e-mail are there to be changed; signs in by username, which stays."""
    visitor: str
    """Id of a user with sessions that are there to be ended."""
    sessions: tuple[str, ...]
    tokens: tuple[str, ...]
    """Of the visitor, too."""
    openid_token: str
    client: Client
    bystanders: tuple[str, ...]
    """Ids of sample people, whom nobody signs in as."""
    consents: tuple[str, ...]
    """Ids of clients whom everybody who signs in, and the visitor, let have something."""
    places: dict[str, dict[str, str]]
    """By operation, parameters of its path: a mail that was not delivered, the visitor's picture."""
    bodies: dict[str, dict[str, str]]
    """By operation, a body with the code of a mail."""

    def sign_in(self, account: Account, *scopes: str) -> httpx.Client:
        """A client of the service that is signed in; with all the account's scopes if none is named."""
        return sign_in(self.url, account, *scopes)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Service]:
    """Ready when entered; all of it ends with the context."""
    os.environ.update(_KEYS)
    with (
        MongoServer(folder) as mongo,
        RedisServer(folder) as redis,
        S3Server(folder) as s3,
        mailed.receiving() as post,
    ):
        servers = {"mongo_uri": mongo.uri, "redis_url": redis.url, "smtp_url": post.url}
        settings = _SETTINGS | servers | s3.settings
        admin: dict[str, Any] = {"admin_email": _ADMIN_EMAIL, "admin_password": PASSWORD}
        _run(folder, "sample", str(_PEOPLE), **settings)
        client = _register(folder, "portal", **settings)
        with LiveServer(folder / "server", **settings, **admin) as server:
            yield _inhabit(server, client, mongo.uri, post)


def _run(folder: Path, *arguments: str, **settings: Any) -> str:
    ended = command(folder, *arguments, **settings)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {ended.stderr}")
    return ended.stdout


def _register(folder: Path, name: str, **settings: Any) -> Client:
    grants = ("--grant", "password", "--grant", "refresh_token", "--grant", "authorization_code")
    uri = ("--redirect-uri", "https://fuzz.example.com/")
    printed = _run(folder, "clients", "add", name, "--id", name, *grants, *uri, **settings)
    found = re.search(r"secret: (\S+)", printed)
    if found is None:
        raise RuntimeError(f"The client has no secret: {printed}")
    return Client(name, found[1])


def _inhabit(server: LiveServer, client: Client, mongo_uri: str, post: MailServer) -> Service:
    with httpx.Client(base_url=server.url, timeout=60) as caller:
        administrator = Account("administrator", "", _ADMIN_EMAIL, PASSWORD)
        caller.headers["Authorization"] = f"Bearer {find_token(caller, administrator)}"
        own = caller.get("/users/me").raise_for_status().json()
        people = caller.get("/users", params={"limit": 20, "is_active": "true"}).raise_for_status().json()
        ids = tuple(person["id"] for person in people["items"] if person["id"] != own["id"])
        peers = (create(caller, "ana"), create(caller, "ben"))
        guest, visitor = create(caller, "guest", username="guest"), create(caller, "visitor")
        reader = create(caller, "reader")
        sessions, tokens = _begin_sessions(caller, visitor)
        places = mailed.make_mails(caller) | {"GET /avatars/{version}": _upload(caller, visitor)}
        bodies = mailed.make_bodies(caller, post)
    named = Account(administrator.name, own["id"], _ADMIN_EMAIL, PASSWORD)
    consents = _give_consents(mongo_uri, named, *peers, guest, visitor)
    openid_token = _find_openid_token(server.url, reader)
    return Service(
        server.url,
        server,
        named,
        peers,
        guest,
        visitor.id,
        sessions,
        tokens,
        openid_token,
        client,
        ids,
        consents,
        places,
        bodies,
    )


def _find_openid_token(url: str, account: Account) -> str:
    """By the code flow of the built-in client, whose pages a person goes through."""
    verifier, home = secrets.token_urlsafe(32), f"{url}/docs/oauth2-redirect"
    challenge = sealing.encode(hashlib.sha256(verifier.encode()).digest())
    asked = {"response_type": "code", "client_id": "roster", "redirect_uri": home, "scope": "openid"}
    proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
    person = Person(url, {"username": account.email, "password": account.password})
    with httpx.Client(timeout=60) as browser:
        arrival = visit(browser, person, f"{url}/auth/authorize?{urlencode(asked | proof)}")
        form = {"grant_type": "authorization_code", "client_id": "roster", "redirect_uri": home}
        form |= {"code": arrival.answer["code"], "code_verifier": verifier}
        reply = httpx.post(f"{url}/auth/token", data=form, timeout=60).raise_for_status()
    return str(reply.json()["access_token"])


def _give_consents(mongo_uri: str, *accounts: Account) -> tuple[str, ...]:
    """What only browsers could give: each lets some clients, gone since, have something."""
    clients = tuple(f"gone-{number}" for number in range(_CONSENTS))
    given = {"registration": "", "scopes": ["openid"], "given_at": datetime.now(UTC)}
    with MongoClient[dict[str, Any]](mongo_uri) as opened:
        opened.get_default_database()["consents"].insert_many(
            {"user": ObjectId(account.id), "client": client} | given
            for account in accounts
            for client in clients
        )
    return clients


def _upload(caller: httpx.Client, account: Account) -> dict[str, str]:
    """The version of a picture, of one white pixel."""
    shown = caller.put(
        f"/users/{account.id}/avatar", content=PICTURE, headers={"Content-Type": "image/gif"}
    ).raise_for_status()
    return {"version": shown.json()["avatar_url"].rpartition("/")[2]}


def _begin_sessions(caller: httpx.Client, account: Account) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of sessions, and of personal access tokens."""
    tokens = []
    with httpx.Client(base_url=caller.base_url, timeout=60) as visitor:
        for _ in range(_SESSIONS):
            visitor.headers["Authorization"] = f"Bearer {find_token(visitor, account)}"
            made = visitor.post(
                "/users/me/tokens", json={"name": "Fuzz", "scopes": ["me"]}
            ).raise_for_status()
            tokens.append(made.json()["id"])
    listed = caller.get(f"/users/{account.id}/sessions").raise_for_status().json()
    return tuple(session["id"] for session in listed["items"]), tuple(tokens)

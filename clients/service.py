"""A Roster of its own for the clients, with a user and the clients registered."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from clients import outbox
from clients.registered import Registry
from clients.tls import Proxy
from tests.support.live import LiveServer
from tests.support.servers import MongoServer, RedisServer

_PASSWORD: Final = "a staple for the clients"  # noqa: S105  # it guards sample users, for minutes
_ADMIN: Final = "administrator@clients.example.com"
_USER: Final = {
    "name": "Ana Clients",
    "email": "ana@clients.example.com",
    "username": "ana",
    "phone": "+4930555123",
    "locale": "en",
    "scopes": ["me", "users:read"],
    "profile": {"addresses": [{"street": "Weg 1", "city": "Berlin", "zipcode": "10115", "country": "DE"}]},
}
_SETTINGS: Final[dict[str, Any]] = {
    "client_registration": "open",
    "registration": "open",
    "tries_per_account": 1_000_000,
    "tries_per_address": 1_000_000,
    "log_level": "warning",
    "log_format": "json",
}


@dataclass(frozen=True, slots=True)
class Service:
    url: str
    server: LiveServer
    registry: Registry
    user: dict[str, str]
    outbox: Path
    """The folder that mails are written to."""


@contextlib.contextmanager
def running(folder: Path, origin: str, proxy: Proxy) -> Iterator[Service]:
    """Ready when entered; pages of `origin` may call it. A second process is behind the proxy."""
    with MongoServer(folder) as mongo, RedisServer(folder) as redis:
        written = folder / "outbox"
        settings = _SETTINGS | {"mongo_uri": mongo.uri, "redis_url": redis.url, "mail_folder": str(written)}
        registry = Registry(folder, origin, **settings)
        admin: dict[str, Any] = {"admin_email": _ADMIN, "admin_password": _PASSWORD}
        settings |= {"cors_origins": origin}
        public: dict[str, Any] = {
            "issuer": proxy.url,
            "trusted_proxies": "127.0.0.1",
            "password_grant": False,
            "jobs_inside": False,  # the other's notices of logout name the other's issuer
        }
        with (
            LiveServer(folder / "server", **settings, **admin) as server,
            LiveServer(folder / "public", **settings, **public) as behind,
        ):
            proxy.target = behind.address[1]
            yield Service(server.url, server, registry, _create_user(server, written), written)


def _create_user(server: LiveServer, folder: Path) -> dict[str, str]:
    token = server.sign_in(_ADMIN, _PASSWORD).raise_for_status().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, timeout=60, headers=headers) as caller:
        made = caller.post("/users", json=_USER).raise_for_status().json()
        caller.put(f"/users/{made['id']}/password", json={"password": _PASSWORD}).raise_for_status()
    _verify(server, folder)
    named = {name: str(made[name]) for name in ("id", "email", "name")}
    return named | {"password": _PASSWORD}


def _verify(server: LiveServer, folder: Path) -> None:
    """Verify the user's address, so that they may forget their password."""
    token = server.sign_in(str(_USER["email"]), _PASSWORD).raise_for_status().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, timeout=60) as caller:
        caller.post("/users/me/email/verification", headers=headers).raise_for_status()
        code = outbox.find_link(folder, "verify_email").partition("token=")[2]
        caller.post("/auth/email/verify", json={"token": code}).raise_for_status()

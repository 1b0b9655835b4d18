"""A Roster of its own for the clients, with a user and the clients registered."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

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


@contextlib.contextmanager
def running(folder: Path, origin: str, proxy: Proxy) -> Iterator[Service]:
    """Ready when entered; pages of `origin` may call it. A second process is behind the proxy."""
    with MongoServer(folder) as mongo, RedisServer(folder) as redis:
        settings = _SETTINGS | {"mongo_uri": mongo.uri, "redis_url": redis.url}
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
            yield Service(server.url, server, registry, _create_user(server))


def _create_user(server: LiveServer) -> dict[str, str]:
    token = server.sign_in(_ADMIN, _PASSWORD).raise_for_status().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, timeout=60, headers=headers) as caller:
        made = caller.post("/users", json=_USER).raise_for_status().json()
        caller.put(f"/users/{made['id']}/password", json={"password": _PASSWORD}).raise_for_status()
    named = {name: str(made[name]) for name in ("id", "email", "name")}
    return named | {"password": _PASSWORD}

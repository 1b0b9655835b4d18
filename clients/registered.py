"""The clients as Roster knows them: one of each kind."""

import json
import re
import socket
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey, KeySet

from tests.support.live import command

_CALLBACK: Final = "http://127.0.0.1/callback"
"""Loopback: any port will do (RFC 8252, section 7.3)."""
_SIGNED_OUT: Final = "http://127.0.0.1/signed-out"
_IDENTITY: Final = ("openid", "profile", "email", "phone", "address", "offline_access", "me")
_SIGN_IN: Final = ("authorization_code", "refresh_token")
_KEY: Final = ECKey.generate_key("P-256", {"kid": "signing", "use": "sig", "alg": "ES256"})


class Registry:
    """`clients` has what each was given, by name; `key` the private JWK of the one that signs."""

    def __init__(self, folder: Path, origin: str, **settings: Any) -> None:
        """`origin` is that of the application in a browser."""
        self._folder = folder
        self._settings = settings
        self.key = _KEY.as_dict(private=True)
        self.clients: dict[str, dict[str, str]] = {}
        self._register(origin, _find_port())

    def _register(self, origin: str, listening: int) -> None:
        served = f"http://127.0.0.1:{_find_port()}"
        out = [*_each("logout-redirect-uri", _SIGNED_OUT, f"{origin}/signed-out", served)]
        back = [*_each("redirect-uri", _CALLBACK), *out]
        logout = f"http://127.0.0.1:{listening}/logout"
        keys = self._folder / "jwks.json"
        keys.write_text(json.dumps(KeySet([_KEY]).as_dict(private=False)))
        self._add("browser", _SIGN_IN, _IDENTITY, "--public", *back)
        self._add("server", _SIGN_IN, (*_IDENTITY, "users:read"), *back)
        self.clients["server"]["url"] = served
        self._add("pushing", _SIGN_IN, _IDENTITY, "--require-par", "--first-party", *back)
        signing = (*_SIGN_IN, "client_credentials")
        self._add("signing", signing, (*_IDENTITY, "users:read"), "--jwks", str(keys), *back)
        self._add("listening", _SIGN_IN, _IDENTITY, "--backchannel-logout-uri", logout, *back)
        self.clients["listening"]["logout"] = logout
        self._add("command-line", ("device_code", "refresh_token"), ("me",), "--public")
        self._add("service", ("client_credentials",), ("users:read",))

    def _add(self, name: str, grants: tuple[str, ...], scopes: tuple[str, ...], *options: str) -> None:
        may = (*_each("grant", *grants), *_each("scope", *scopes), *options)
        ended = command(self._folder, "clients", "add", name, "--id", name, *may, **self._settings)
        if ended.returncode:
            raise RuntimeError(f"clients add {name}: {ended.stderr}")
        found = re.search(r"secret: (\S+)", ended.stdout)
        self.clients[name] = {"id": name} | ({"secret": found[1]} if found else {})


def _each(option: str, *values: str) -> tuple[str, ...]:
    return tuple(word for value in values for word in (f"--{option}", value))


def _find_port() -> int:
    """A free one, on which a client will listen for logout tokens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])

"""Trusted hosts: the names under which the service answers.

A page of another site can point its own name at 127.0.0.1 (DNS rebinding), and the browser then lets it read
the replies of a service there. Such a request has the strange name in its Host header.
"""

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.errors import RosterError
from app.core.settings import Settings, is_loopback
from app.http.problems import MalformedRequestError, MisdirectedError, problem_response

_ANY = "*"
_HEALTH = "/health/"
"""Health checks are exempt: machines call them by address, and their answer is no secret."""


def find_names(settings: Settings) -> Collection[str] | None:
    """The names that are set; None for any.

    Without a setting, a service on loopback accepts loopback's names and the issuer's; one that is open to
    the network is called by proxies and probes under any name.
    """
    if settings.allowed_hosts:
        return None if _ANY in settings.allowed_hosts else settings.allowed_hosts
    if not is_loopback(settings.host):
        return None
    return {urlsplit(settings.issuer_url).hostname or ""}


class TrustedHosts:
    """Refuses (421) a request whose host is neither one of `names` nor loopback's."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self.app = app
        exact = frozenset(name.strip("[]") for name in names)
        below = tuple(name[1:] for name in names if name.startswith("*."))

        @lru_cache(maxsize=256)
        def allows(host: str) -> bool:
            name = _name(host)
            return name in exact or name.endswith(below or ("\n",)) or is_loopback(name)

        self._allows = allows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._judge(scope)) is not None:
            await problem_response(refusal)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _judge(self, scope: Scope) -> RosterError | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (not hosts and scope["http_version"] != "1.0"):  # RFC 9112, section 3.2
            return MalformedRequestError("There must be one Host header.")
        if scope["path"].startswith(_HEALTH) or (hosts and self._allows(hosts[0].decode("latin-1"))):
            return None
        return MisdirectedError("Use a host name that ROSTER_ALLOWED_HOSTS allows.")


def _name(host: str) -> str:
    """The name in a Host header, without port, brackets and final dot."""
    name = host.partition("]")[0][1:] if host.startswith("[") else host.partition(":")[0]
    return name.lower().removesuffix(".")

"""Under which names the service answers.

A page of another site can point a name of its own at 127.0.0.1 (DNS rebinding), and then the browser lets it
read what a service there answers. Such a request carries the strange name in its Host header.
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
"""Asked by machines that know an address and no name; what it answers is nobody's secret."""


def find_names(settings: Settings) -> Collection[str] | None:
    """Those that are set; None for any.

    Where nothing is set, whoever listens on loopback takes the issuer's name besides loopback's; whoever is
    open to the network is reached through proxies and by probes that call it as they like.
    """
    if settings.allowed_hosts:
        return None if _ANY in settings.allowed_hosts else settings.allowed_hosts
    if not is_loopback(settings.host):
        return None
    return {urlsplit(settings.issuer_url).hostname or ""}


class TrustedHosts:
    """Refuses (421) a request under a name that is not one of `names` and none of loopback's."""

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
        return MisdirectedError("Ask under a name of ROSTER_ALLOWED_HOSTS.")


def _name(host: str) -> str:
    """Of a Host header, without its port, its brackets and the dot of a full name."""
    name = host.partition("]")[0][1:] if host.startswith("[") else host.partition(":")[0]
    return name.lower().removesuffix(".")

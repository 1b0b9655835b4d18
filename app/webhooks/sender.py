"""Posts to receivers: in bounded time, without redirects, reading next to nothing of what they answer."""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from app import __version__
from app.core.clock import now
from app.webhooks.addresses import CheckedResolver, Network, RefusedAddressError, check
from models.delivery import Failure
from models.webhook import DAY_S

_READ = 16 * 1024
"""Bytes of a reply that are read, so that its connection can be used again; longer ones are cut off."""
_LONGEST_LINE = 8 * 1024
GONE = 410
_LATER = (429, 503)


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int | None
    failure: Failure | None
    took_ms: int
    retry_after_s: float = 0.0
    """What a reply 429 or 503 asked for; at most a day."""


class Sender:
    def __init__(self, http: aiohttp.ClientSession, allowed: Sequence[Network]) -> None:
        self._http = http
        self._allowed = allowed

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """What became of it; nothing is raised."""
        began = time.monotonic()
        status, failure, retry_after_s = None, None, 0.0
        try:
            status, retry_after_s = await self._post(URL(url), body, headers)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            failure = _name(error)
        if status is not None and not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
            failure = "status"
        return Outcome(status, failure, round((time.monotonic() - began) * 1000), retry_after_s)

    async def _post(self, url: URL, body: bytes, headers: Mapping[str, str]) -> tuple[int, float]:
        if _is_address(url.host or ""):  # aiohttp looks up names alone
            check(url.host or "", self._allowed)
        async with self._http.post(url, data=body, headers=headers, allow_redirects=False) as reply:
            if reply.content_length is not None and reply.content_length <= _READ:
                await reply.read()
            else:
                reply.close()
            later = _read_later(reply.headers.get("Retry-After")) if reply.status in _LATER else 0.0
            return reply.status, later


@asynccontextmanager
async def open_sender(*, allowed: Sequence[Network], timeout_s: float) -> AsyncIterator[Sender]:
    resolver = CheckedResolver(allowed)
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, limit=0)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"roster/{__version__}", "Accept": "*/*"},
        auto_decompress=False,
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_LINE,
    ) as http:
        yield Sender(http, allowed)
    await resolver.close()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _name(error: Exception) -> Failure:
    """A word for the failure, found in what caused it, as aiohttp wraps errors."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Failure], ...] = (
        ((RefusedAddressError, aiohttp.InvalidURL), "refused_address"),  # as a decimal number for a host
        ((TimeoutError, asyncio.TimeoutError), "timeout"),
        (aiohttp.ClientConnectorDNSError, "not_found"),
        ((ssl.SSLError, ssl.CertificateError, aiohttp.ClientSSLError), "tls"),
        ((OSError, aiohttp.ServerDisconnectedError), "no_connection"),
    )
    return next((word for kind, word in kinds if any(isinstance(each, kind) for each in causes)), "no_http")


def _read_later(text: str | None) -> float:
    """Seconds of Retry-After (RFC 9110, section 10.2.3); 0 where it says nothing readable."""
    if text is None:
        return 0.0
    try:
        seconds = float(text) if text.isdigit() else (parsedate_to_datetime(text) - now()).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return min(max(0.0, seconds), DAY_S)

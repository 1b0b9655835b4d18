"""Posts a form to a client: one connection, no redirects, and never more of the reply than its status."""

import asyncio
import ipaddress
import ssl
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from app import __version__
from app.core.errors import UnavailableError

_WITHIN_S = 10.0
_LONGEST_LINE = 1_024
_PORTS = {"https": 443, "http": 80}


async def post(uri: str, form: dict[str, str], *, anywhere: bool) -> int:
    """The status. UnavailableError: it could not be reached, or did not answer in time.

    `anywhere`: whether the host may be one of ours, such as one at a private address.
    """
    parts = urlsplit(uri)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = urlencode(form).encode()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: roster/{__version__}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(_WITHIN_S):
            address = await _resolve(host, port, anywhere=anywhere)
            reader, writer = await asyncio.open_connection(
                address, port, ssl=tls, server_hostname=host if tls else None, limit=_LONGEST_LINE
            )
            try:
                writer.write(head.encode("ascii") + body)
                await writer.drain()
                return _read_status(await reader.readline())
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError) as error:  # a line that is too long is a ValueError
        raise UnavailableError(f"The client did not answer: {type(error).__name__}.") from None


async def _resolve(host: str, port: int, *, anywhere: bool) -> str:
    """An address of the host, which is then connected to: no second look-up may find another."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    address = str(found[0][4][0])
    if not anywhere and not ipaddress.ip_address(address).is_global:
        raise OSError("not a public address")
    return address


def _read_status(line: bytes) -> int:
    """ValueError: this is not HTTP."""
    version, status, *_ = line.decode("latin-1").split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    return int(status)

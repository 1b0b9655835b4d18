"""Where webhooks may be sent: each address that a name has is checked, and no other is dialled.

Names are looked up here alone, so that a second look-up, whose answer may be another, never decides.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from aiohttp.abc import AbstractResolver, ResolveResult

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",  # AWS, Google, Azure, DigitalOcean, Oracle
            "169.254.170.2",  # tasks and pods of AWS
            "169.254.170.23",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure's agent
            "192.0.0.192",  # Oracle, of old
        ),
    )
)
"""Never dialled: they hand out the rights of the machine."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.ip_network("::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
_LOOKUPS = 64
"""At once; one that hangs keeps its thread for as long as the system's resolver waits."""


class RefusedAddressError(OSError):
    """An address that is not public, and that no setting names."""


def check(text: str, allowed: Sequence[Network] = ()) -> None:
    """RefusedAddressError, also where an IPv6 address leads to a forbidden IPv4 address."""
    for address in _meant(ipaddress.ip_address(text)):
        if address in _METADATA or not (_is_public(address) or any(address in each for each in allowed)):
            raise RefusedAddressError("not a public address")


def _meant(address: Address) -> Iterator[Address]:
    """The address, without the zone of a link, and the IPv4 addresses within (RFC 6052, 3056, 4380)."""
    if isinstance(address, IPv4Address):
        yield address
        return
    plain = IPv6Address(int(address))
    if plain.ipv4_mapped is not None:
        yield plain.ipv4_mapped
        return
    low = IPv4Address(int(plain) & 0xFFFFFFFF)
    if plain in _NAT64 or plain in _LOCAL_NAT64 or (plain in _COMPATIBLE and int(plain) > 1):
        yield low
    if plain.sixtofour is not None:
        yield plain.sixtofour
    if plain.teredo is not None:
        yield from plain.teredo
    yield plain


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST and address not in _NAT64:
        return False
    is_reserved = isinstance(address, IPv4Address) and address.is_reserved
    return address.is_global and not address.is_multicast and not is_reserved


class CheckedResolver(AbstractResolver):
    """Looks names up for aiohttp, which dials what it is told, and nothing else."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._threads = ThreadPoolExecutor(_LOOKUPS, "webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of the name; RefusedAddressError where one of them may not be dialled."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        addresses = [(str(place[0]), kind) for kind, _, _, _, place in found]
        for address, _ in addresses:
            check(address, self._allowed)
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST
            )
            for address, kind in addresses
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

"""The client's address of a request, read past the trusted proxies."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

UNKNOWN = "unknown"
"""The address of a client on a unix socket, or of a peer without an IP address."""

_WITH_PORT = re.compile(r"\[(?P<six>[^]]+)\](?::[0-9]{1,5})?|(?P<four>[^:]+):[0-9]{1,5}")
_THIS_MACHINE = IPv4Address("127.0.0.1")
_SITE_BITS = 64


def find(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The client's address in its canonical form, or UNKNOWN; never a text that a client made up.

    `forwarded_for` holds the X-Forwarded-For lines in their order. They are read from the right, where the
    nearest proxy wrote, for as long as the writer is trusted; a hop that is no address ends the walk at the
    last good one. A client on a unix socket (`peer` None) is on this machine, and is trusted where 127.0.0.1
    is.
    """
    client = writer = _read(peer or "")
    if peer is None:
        writer = _THIS_MACHINE
    hops = ",".join(forwarded_for).split(",") if forwarded_for else []
    while writer is not None and hops and any(writer in network for network in trusted):
        writer = _read(hops.pop())
        client = writer or client
    return str(client or UNKNOWN)


def network(address: str) -> str:
    """The network to throttle: the IPv4 address itself, or an IPv6 address's /64, which is one client's.

    Anything else, such as UNKNOWN, is throttled as it stands.
    """
    parsed = _read(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed), _SITE_BITS), strict=False))
    return str(parsed or address)


def is_address(text: str) -> bool:
    """Whether the text may be throttled: an IP address without port and zone, or UNKNOWN."""
    try:
        ip_address(text)
    except ValueError:
        return text == UNKNOWN
    return "%" not in text


def _read(hop: str) -> IPv4Address | IPv6Address | None:
    """The address without port, brackets and zone, which means nothing elsewhere; mapped IPv4 as IPv4."""
    text = hop.strip()
    if match := _WITH_PORT.fullmatch(text):
        text = match["six"] or match["four"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

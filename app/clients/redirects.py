"""Redirect URIs: which a client may register, and which request names a registered one.

They are compared character by character (RFC 9700, section 4.1.3), so that no two programs read one
differently. Only the port of a loopback URI is free, as apps get theirs from the system (RFC 8252, section
7.3).
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from app.clients.client import BUILT_INS, Client, NewClient

RULE = (
    "Must be an https URI, an http URI of 127.0.0.1, [::1] or localhost, or one of a private scheme with a "
    "dot (com.example.app:/callback), without fragment, user name and wildcard."
)
_LONGEST = 2048
_CHARACTERS = re.compile(
    r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()+,;=-]|%[0-9A-Fa-f]{2})+"
)  # RFC 3986, without # and *
_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")
_PRIVATE = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/.+")
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?((?:[/?].*)?)")


def is_redirect(uri: str) -> bool:
    """Whether a browser may be sent there: `is_web`, or an app's private scheme (RFC 8252, section 7.1)."""
    return is_web(uri) or (_is_plain(uri) and _PRIVATE.fullmatch(uri) is not None)


def is_web(uri: str) -> bool:
    """Whether it is an absolute https URI, or http to loopback, with a plain host."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # half an IPv6 address, or a port that is none
        return False
    is_safe = uri.startswith("https://") or _LOOPBACK.fullmatch(uri) is not None
    return is_safe and _is_plain(uri) and "@" not in parts.netloc and _HOST.fullmatch(host) is not None


def redirect_matches(client: NewClient, uri: str) -> bool:
    """Whether a client may have the browser sent there."""
    return matches(client.redirect_uris, uri)


def matches(registered: Iterable[str], uri: str) -> bool:
    """Whether the URI is a registered one, or differs from one only by the port of a loopback address."""
    asked = _without_port(uri)
    return any(uri == each or (asked is not None and asked == _without_port(each)) for each in registered)


def is_assured(client: Client, uri: str) -> bool:
    """Whether what is sent there reaches the client for certain (RFC 8252, section 8.6).

    A client that cannot authenticate has only its address: any program of the machine listens on a loopback
    port or takes a private scheme, first-party or not. Roster's own pages are on its own port alone.
    """
    is_own = client.id in BUILT_INS and uri in client.redirect_uris
    return not client.is_public or uri.startswith("https://") or is_own


def _is_plain(uri: str) -> bool:
    return len(uri) <= _LONGEST and _CHARACTERS.fullmatch(uri) is not None


def _without_port(uri: str) -> tuple[str, str] | None:
    """Host and rest of a loopback URI, whose rest begins with / or ?, never with @; None for any other."""
    found = _LOOPBACK.fullmatch(uri)
    return None if found is None or not _is_plain(uri) else (found[1], found[2])

"""What the tier tells a client in Python, how a client has a person visit a page, and says what it did."""

import contextlib
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

_TOLD: Final[dict[str, Any]] = json.loads(os.environ["CLIENTS"])
ISSUER: Final[str] = _TOLD["issuer"]
CLIENTS: Final[dict[str, dict[str, str]]] = _TOLD["clients"]
USER: Final[dict[str, str]] = _TOLD["user"]
KEY: Final[dict[str, Any]] = _TOLD["key"]
"""The private JWK of the client `signing`."""
ORIGIN: Final[str] = _TOLD["origin"]
"""Of the application in the browser."""
CHROMIUM: Final[str] = _TOLD["chromium"]
TRUST: Final[list[str]] = _TOLD["trust"]
"""Its arguments, by which it trusts the proxy that ends TLS."""
MAILS: Final[str] = _TOLD["mails"]
"""A folder with what `python -m app mail preview` writes."""
PICTURES: Final[str] = _TOLD["pictures"]
"""A folder."""
OUTBOX: Final[str] = _TOLD["outbox"]
"""The folder that Roster writes its mails to."""
CALLBACK: Final = "http://127.0.0.1:49153/callback"
SIGNED_OUT: Final = "http://127.0.0.1/signed-out"
IDENTITY: Final = "openid profile email offline_access"

# What requests-oauthlib and oauthlib ask for before they talk to a loopback address in plain http.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def visit(url: str, person: str = "") -> str:
    """Where a person ends who visits the address, signs in and consents."""
    asked = urllib.parse.urlencode({"url": url, "person": person})
    with urllib.request.urlopen(f"{_TOLD['person']}?{asked}") as reply:  # noqa: S310  # the tier's own address
        return str(json.load(reply)["url"])


def find(path: str) -> Any:
    """A JSON document of the issuer's."""
    with urllib.request.urlopen(f"{ISSUER}{path}") as reply:  # noqa: S310  # the tier's own address
        return json.load(reply)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """A flow, as the report names it."""
    yield
    print(f"ok {name}", flush=True)


@contextlib.contextmanager
def refused(*kinds: type[Exception]) -> Iterator[None]:
    """What must fail so."""
    try:
        yield
    except kinds:
        return
    raise AssertionError("What should have been refused was accepted.")

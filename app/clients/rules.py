"""What a client must be like, by whatever way it is registered."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import replace

from app.clients.assertions import read_key
from app.clients.client import NewClient
from app.clients.redirects import RULE, is_redirect, is_web
from app.core.errors import FieldError, InvalidError
from app.core.mongo import Row
from models import texts
from models.client import MOST_KEYS, MOST_URIS, NAME_LENGTH

# VSCHAR (RFC 6749, appendix A.1) without the colon, which ends the id in HTTP Basic, and without `%` and `+`,
# which are ambiguous from the many clients that skip the form encoding of section 2.3.1.
_ID = re.compile(r"[!-$&-*,-9;-~]{1,64}")
_LIKE_A_USER_S = re.compile(r"[0-9a-fA-F]{24}")
"""`sub` is the id of a user or of a client (RFC 9068, section 5): neither may pass for the other."""
_UNLIKE_IDS = re.compile(r"[^a-z0-9]+")
_ID_WORDS = 40
_WEB = "Must be an https URI, or an http URI of 127.0.0.1, [::1] or localhost, without user name."


def check(client: NewClient) -> NewClient:
    """The client, its name trimmed and its keys without what is not kept. InvalidError names each fault."""
    faults = [*_name_faults(client.name), *_uri_faults(client), *_combination_faults(client)]
    keys: list[Row] = []
    for place, key in enumerate(client.keys[: MOST_KEYS + 1]):
        try:
            keys.append(read_key(key))
        except ValueError as error:
            faults.append(FieldError(str(error), pointer=f"/jwks/keys/{place}"))
    if faults:
        raise InvalidError(_tell(faults), errors=tuple(faults))
    return replace(client, name=texts.line(client.name), keys=tuple(keys))


def wrong(name: str, detail: str) -> InvalidError:
    """The error of one field."""
    return InvalidError(f"{name}: {detail}", errors=(FieldError(detail, pointer=f"/{name}"),))


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def check_id(client_id: str) -> None:
    sentence = None
    if not is_id(client_id):
        sentence = "A client's id is 1 to 64 visible ASCII characters other than :, % and +."
    elif _LIKE_A_USER_S.fullmatch(client_id):
        sentence = "A client's id is not 24 hexadecimal digits, as those of users are."
    if sentence is not None:
        raise InvalidError(sentence, errors=(FieldError(sentence, pointer="/id"),))


def make_id(name: str) -> str:
    """`acme-portal-9f86d081` for `ACME Portal!`: readable in a log, and unique."""
    words = _UNLIKE_IDS.sub("-", name.lower())[:_ID_WORDS].strip("-") or "client"
    return f"{words}-{secrets.token_hex(4)}"


def _name_faults(name: str) -> Iterator[FieldError]:
    try:
        line = texts.line(name)
    except ValueError:
        line = ""
    if not 0 < len(line) <= NAME_LENGTH or texts.is_blank(line):
        yield FieldError(f"A client's name is 1 to {NAME_LENGTH} printable characters.", pointer="/name")


def _uri_faults(client: NewClient) -> Iterator[FieldError]:
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        uris: tuple[str, ...] = getattr(client, name)
        if len(uris) > MOST_URIS:
            yield FieldError(f"Must have at most {MOST_URIS} items.", pointer=f"/{name}")
        for place, uri in enumerate(uris[:MOST_URIS]):
            if not is_redirect(uri):
                yield FieldError(RULE, pointer=f"/{name}/{place}")
    if client.backchannel_logout_uri is not None and not is_web(client.backchannel_logout_uri):
        yield FieldError(_WEB, pointer="/backchannel_logout_uri")


def _combination_faults(client: NewClient) -> Iterator[FieldError]:
    if "authorization_code" in client.grant_types and not client.redirect_uris:
        yield FieldError("Must name at least one for authorization_code.", pointer="/redirect_uris")
    if "client_credentials" in client.grant_types and client.is_public:
        yield FieldError("Must not hold client_credentials, as the client has none.", pointer="/grant_types")
    signs = client.auth_method == "private_key_jwt"
    if signs and not 0 < len(client.keys) <= MOST_KEYS:
        yield FieldError(f"Must hold 1 to {MOST_KEYS} keys for private_key_jwt.", pointer="/jwks")
    if client.keys and not signs:
        yield FieldError("Must be left out unless auth_method is private_key_jwt.", pointer="/jwks")


def _tell(faults: list[FieldError]) -> str:
    """One sentence for readers of the detail alone, as at a terminal."""
    first = faults[0]
    return first.detail if first.pointer == "/name" else f"{(first.pointer or '')[1:]}: {first.detail}"

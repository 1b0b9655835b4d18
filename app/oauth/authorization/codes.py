"""Authorization codes: good once for a minute, bound to client, address and challenge (RFC 6749, 4.1)."""

import hashlib
import hmac
import re
from typing import Any

from beanie import PydanticObjectId

from app import audit
from app.accounts.grants import IssuedTokens
from app.auth.sessions import BrowserSession, new_grant, session_of
from app.clients import Client
from app.core import sealing, secret_codes
from app.core.errors import InvalidGrantError, RequestExpiredError
from app.oauth.authorization import pushed
from app.oauth.authorization.flow import Flow
from app.oauth.authorization.redirects import Redirect
from app.oauth.oauth import OAuth
from app.oauth.openid import claims
from app.oauth.token_requests import TokenRequest

CODE_S = 60
_KIND = "code"
_VERIFIER = re.compile("[A-Za-z0-9._~-]{43,128}")  # RFC 7636, section 4.1
_WRONG = "The code is not valid, has expired or was used, or it belongs to another request."


async def issue(
    auth: OAuth, flow: Flow, client: Client, browser: BrowserSession, granted: frozenset[str]
) -> Redirect:
    """The answer with a new code, whose record names the grant that it will begin."""
    if flow.request_uri is not None and not await pushed.use(auth, flow.request_uri):
        raise RequestExpiredError("The request was answered already: begin again in the application.")
    code = secret_codes.make()
    record = {
        "grant": new_grant(browser.sid),
        "user_id": browser.user_id,
        "auth_time": str(int(browser.auth_at.timestamp())),
        "client_id": client.id,
        "registration": client.registration,
        "redirect_uri": flow.redirect_uri,
        "challenge": flow.code_challenge,
        "scopes": " ".join(sorted(granted)),
        "nonce": flow.nonce or "",
        "claims": " ".join(sorted(flow.id_token_claims & claims.named(granted))),
    }
    await auth.one_time.put(_KIND, code, record, ttl_s=CODE_S)
    return auth.authorization.answer(flow, {"code": code})


async def exchange(auth: OAuth, asked: TokenRequest) -> IssuedTokens:
    """The tokens of a code. InvalidGrantError does not tell what was wrong; a second use ends the first."""
    code, verifier = asked.require("code"), asked.require("code_verifier")
    client, redirect_uri = asked.client, asked.require("redirect_uri")
    sent = {"client_id": client.id, "registration": client.registration, "redirect_uri": redirect_uri}
    use = await auth.one_time.use(_KIND, code)
    if use is None:
        raise _refuse(asked, "unknown_code")
    record = use.record
    if not use.is_first:
        await auth.sessions.end(record["user_id"], record["grant"])
        raise _refuse(asked, "code_used_twice", record)
    if any(record[name] != value for name, value in sent.items()) or not _proves(verifier, record):
        raise _refuse(asked, "code_of_another", record)
    return await _begin(auth, asked, record)


def _proves(verifier: str, record: dict[str, str]) -> bool:
    """RFC 7636, section 4.6."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    made = sealing.encode(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(made, record["challenge"])


def _refuse(asked: TokenRequest, reason: str, record: dict[str, str] | None = None) -> InvalidGrantError:
    known = record or {}
    audit.log.record(
        "code_refused",
        user_id=known.get("user_id"),
        sid=known.get("grant"),
        client_id=asked.client.id,
        address=asked.source.address,
        reason=reason,
    )
    return InvalidGrantError(_WRONG)


async def _begin(auth: OAuth, asked: TokenRequest, record: dict[str, str]) -> IssuedTokens:
    """Begin the grant of the code."""
    client, scopes = asked.client, frozenset(record["scopes"].split())
    may_refresh = "refresh_token" in client.grant_types
    session = await auth.sessions.begin_grant(
        record["grant"],
        client=client,
        scopes=scopes,
        ttl_s=None if may_refresh else auth.settings.access_token_ttl_s,
        auth_time=int(record["auth_time"]),
    )
    if not await _is_let(auth, client, record["user_id"], scopes):
        await auth.sessions.end(record["user_id"], session.sid)
        raise _refuse(asked, "consent_withdrawn", record)
    access_token, token_claims = auth.tokens.issue(
        user_id=record["user_id"], sid=session.sid, client_id=client.id, scopes=scopes
    )
    audit.log.record(
        "grant_begun",
        user_id=record["user_id"],
        sid=session.sid,
        client_id=client.id,
        address=asked.source.address,
    )
    return IssuedTokens(
        access_token,
        session.refresh_token if may_refresh else None,
        token_claims,
        await _identify(auth, record, access_token) if "openid" in scopes else None,
    )


async def _is_let(auth: OAuth, client: Client, user_id: str, scopes: frozenset[str]) -> bool:
    """Whether the consent still holds. Asked once the grant lives: a later withdrawal finds and ends it."""
    return client.is_first_party or scopes <= await auth.consents.find(user_id, client.id)


async def _identify(auth: OAuth, record: dict[str, str], access_token: str) -> str:
    wanted = record["claims"].split()
    more: dict[str, Any] = {}
    if wanted:
        more = claims.tell(await auth.users.read(PydanticObjectId(record["user_id"])), wanted)
    return auth.id_tokens.issue(
        user_id=record["user_id"],
        client_id=record["client_id"],
        sid=session_of(record["grant"]),
        access_token=access_token,
        auth_time=int(record["auth_time"]),
        nonce=record["nonce"] or None,
        more=more,
    )

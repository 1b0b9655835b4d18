"""The two grants of the token endpoint: a password, and a refresh token (RFC 6749, sections 4.3 and 6)."""

from dataclasses import dataclass

from app import audit
from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.auth.access_tokens import Claims
from app.auth.passwords import Verdict
from app.auth.sessions import session_of
from app.clients import Client
from app.core.errors import (
    InvalidGrantError,
    InvalidScopeError,
    InvalidTokenError,
    RefreshTokenReusedError,
    ThrottledError,
)
from models.values import ALL_SCOPES

WRONG = "The name or the password is wrong."
"""The same detail for an unknown name, a wrong password and a deactivated user."""
_NO_SCOPE = "None of these scopes is granted to this user and client."


@dataclass(frozen=True, slots=True)
class RequestSource:
    """The client's address and user agent of a request."""

    address: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    access_token: str
    refresh_token: str | None
    claims: Claims
    id_token: str | None = None


async def sign_in(
    auth: Auth,
    *,
    name: str,
    password: str,
    scopes: frozenset[str] | None,
    client: Client,
    source: RequestSource,
) -> IssuedTokens:
    """Sign in by a password. Errors as `prove_password`; InvalidScopeError if no scope is left."""
    account = await prove_password(auth, name=name, password=password, source=source)
    granted = grant(account, scopes, client)
    await account_records.note_sign_in(auth, account, source.address, source.agent)
    return await begin(auth, account, granted, client, source)


async def prove_password(auth: Auth, *, name: str, password: str, source: RequestSource) -> Account:
    """The account whose password it is; the caller notes the sign-in.

    InvalidGrantError does not tell what was wrong, nor ThrottledError who has to wait.
    """
    auth.passwords.check_room()
    names = account_records.identify(name, auth.settings.phone_region)
    account = await account_records.find_named(auth, names)
    key = account_records.key_of_nobody(list(names.values())[-1]) if account is None else account.key
    verdict = await _verify(auth, account, key, password, source)
    if account is None or not verdict.matches or not account.is_active:
        await auth.throttle.fail(key, source.address)
        reason = "unknown" if account is None else "inactive" if verdict.matches else "wrong_password"
        auth.sign_ins.count("failed")
        audit.log.record("sign_in_failed", user_id=_id(account), address=source.address, reason=reason)
        raise InvalidGrantError(WRONG)
    await auth.throttle.succeed(key, source.address)
    if verdict.rehashed is not None:
        await account_records.improve_hash(auth, account, verdict.rehashed)
    return account


async def _verify(
    auth: Auth, account: Account | None, key: str, password: str, source: RequestSource
) -> Verdict:
    """Verify the password; throttled before waiting for a turn, and again at the turn."""

    async def check() -> None:
        await auth.throttle.check(key, source.address)

    try:
        await check()
        stored = account.password_hash if account else None
        return await auth.passwords.verify(password, stored, at_turn=check)
    except ThrottledError:
        auth.sign_ins.count("throttled")
        audit.log.record("sign_in_throttled", user_id=_id(account), address=source.address)
        raise


def _id(account: Account | None) -> str | None:
    return account.user_id if account else None


def grant(account: Account, asked: frozenset[str] | None, client: Client) -> frozenset[str]:
    """The requested scopes that user and client may have; all of those if none are requested."""
    allowed = account.scopes if client.scopes is None else account.scopes & client.scopes
    granted = allowed if asked is None else allowed & asked
    if not granted:
        raise InvalidScopeError(_NO_SCOPE)
    return granted


def narrow(account: Account, asked: frozenset[str], client: Client) -> frozenset[str]:
    """Those of the scopes that a user agrees to on a page which user and client may have.

    Every user has OpenID Connect's; `offline_access` needs a refresh token. InvalidScopeError: none.
    """
    lacking: frozenset[str] = frozenset(ALL_SCOPES) - account.scopes
    if "refresh_token" not in client.grant_types:
        lacking |= {"offline_access"}
    granted = (asked if client.scopes is None else asked & client.scopes) - lacking
    if not granted:
        raise InvalidScopeError(_NO_SCOPE)
    return granted


async def begin(
    auth: Auth,
    account: Account,
    granted: frozenset[str],
    client: Client,
    source: RequestSource,
    *,
    auth_time: int | None = None,
) -> IssuedTokens:
    """Begin a session of an authenticated user. `auth_time`: when that was, where an application may ask."""
    session = await auth.sessions.create(
        account.user_id,
        account.generation,
        client=client,
        scopes=granted,
        address=source.address,
        agent=source.agent,
        auth_time=auth_time,
    )
    for sid in session.displaced:
        audit.log.record("session_displaced", user_id=account.user_id, sid=sid)
    access_token, claims = auth.tokens.issue(
        user_id=account.user_id, sid=session.sid, client_id=client.id, scopes=granted
    )
    audit.log.record(
        "signed_in", user_id=account.user_id, sid=session.sid, client_id=client.id, address=source.address
    )
    id_token = _identify(auth, claims, access_token, auth_time)
    return IssuedTokens(access_token, session.refresh_token, claims, id_token)


async def refresh(
    auth: Auth, refresh_token: str, *, scopes: frozenset[str] | None, client: Client, source: RequestSource
) -> IssuedTokens:
    """The next pair of tokens; `scopes` may narrow those of this access token."""
    known = auth.sessions.read(refresh_token)
    try:
        refreshed = await auth.sessions.refresh(refresh_token, client=client, narrowed=scopes)
    except (InvalidGrantError, InvalidScopeError, InvalidTokenError) as error:
        reused = isinstance(error, RefreshTokenReusedError)
        audit.log.record(
            "refresh_token_reused" if reused else "refresh_refused",
            user_id=known.user_id if known else None,
            sid=known.sid if known else None,
            client_id=client.id,
            address=source.address,
            reason=error.code,
        )
        if isinstance(error, InvalidTokenError):
            raise InvalidGrantError(error.detail) from None
        raise
    access_token, claims = auth.tokens.issue(
        user_id=refreshed.user_id,
        sid=refreshed.sid,
        client_id=client.id,
        scopes=refreshed.scopes if scopes is None else scopes,
        session_ends_at=refreshed.expires_at.timestamp(),
    )
    audit.log.record(
        "token_refreshed", user_id=refreshed.user_id, sid=refreshed.sid, client_id=client.id,
        address=source.address,
    )  # fmt: skip
    id_token = _identify(auth, claims, access_token, refreshed.auth_time)
    return IssuedTokens(access_token, refreshed.refresh_token, claims, id_token)


def _identify(auth: Auth, claims: Claims, access_token: str, auth_time: int | None) -> str | None:
    """The ID token beside an access token with the scope openid."""
    if "openid" not in claims.scopes:
        return None
    return auth.id_tokens.issue(
        user_id=claims.user_id,
        client_id=claims.client_id,
        sid=session_of(claims.sid),
        access_token=access_token,
        auth_time=auth_time,
    )

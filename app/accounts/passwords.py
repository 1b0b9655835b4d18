"""Passwords, changed by their owner or set by an administrator; both end all earlier sessions."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import SecretStr

from app import audit
from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.accounts.grants import IssuedTokens, RequestSource, begin
from app.accounts.password_input import open_password
from app.audit.write import Author
from app.auth import passwords
from app.auth.access_tokens import Claims
from app.core.catalogue import texts
from app.core.errors import (
    FieldError,
    InvalidError,
    PasswordNeededError,
    SessionRevokedError,
    UserNotFoundError,
    WriteConflictError,
    WrongPasswordError,
)
from app.users import Authority
from models.account import PasswordChange, PasswordSetting

_REVOKED = "This session was ended: sign in again."
_CHANGED = "The password was changed, or the user signed out everywhere, at the same time; try again."


async def change_password(
    auth: Auth, change: PasswordChange, *, caller: Claims, source: RequestSource
) -> IssuedTokens:
    """Change the caller's password and end all their sessions; they get a new one.

    It has the generation that the change began. So a caller who is signed out everywhere or deactivated
    meanwhile gets none: WriteConflictError before the change, UnavailableError after it.
    """
    current = await open_password(
        auth, change.current_password, change.current_password_jwe, name="current_password"
    )
    new = await open_password(auth, change.new_password, change.new_password_jwe, name="new_password")
    client = await auth.clients.find(caller.client_id)
    if client is None:
        raise SessionRevokedError(_REVOKED)
    account = await replace_password(
        auth,
        caller.user_id,
        current=current,
        new=new,
        sid=caller.sid,
        client_id=caller.client_id,
        source=source,
    )
    return await begin(auth, account, caller.scopes & account.scopes, client, source)


async def replace_password(
    auth: Auth, user_id: str, *, current: str, new: str, sid: str, client_id: str, source: RequestSource
) -> Account:
    """Change the password and end all sessions: the account, of the generation that begins."""
    account = await prove(auth, user_id, sid, current, source)
    async with auth.throttle.weak_passwords(account=account.key):
        passwords.check_policy(new, pointer="/new_password", about=account.about)
    author = Author(user_id, client_id)
    if not await account_records.store_password(auth, account, await auth.passwords.hash(new), author):
        raise WriteConflictError(_CHANGED)
    audit.log.record("password_changed", user_id=account.user_id, sid=sid, address=source.address)
    return replace(account, generation=account.generation + 1)


async def set_password(
    auth: Auth, user_id: str, setting: PasswordSetting, *, authority: Authority, by: Claims | None
) -> None:
    """Set another user's password, or the hash that another system made of it."""
    account = await _read(auth, user_id)
    if by is not None and by.user_id == user_id:
        raise PasswordNeededError(
            "Change your own password at POST /users/me/password, with the current one."
        )
    authority.check_target({"scopes": account.scopes})
    hashed = await _hash(auth, setting, account.about)
    if not await account_records.store_password(auth, account, hashed, authority.author):
        raise WriteConflictError(_CHANGED)
    audit.log.record("password_set", user_id=user_id, sid=by.sid if by else None)


async def _hash(auth: Auth, setting: PasswordSetting, about: Sequence[str | None]) -> str:
    if setting.password_hash is not None:
        if setting.password is not None or setting.password_jwe is not None:
            bad = FieldError(pointer="/password_hash", detail="Must be given alone, or a password instead.")
            raise InvalidError("Send a password or its hash, not both.", errors=(bad,))
        imported: SecretStr = setting.password_hash
        passwords.check_importable(imported.get_secret_value(), pointer="/password_hash")
        return imported.get_secret_value()
    new = await open_password(auth, setting.password, setting.password_jwe)
    passwords.check_policy(new, pointer="/password", about=about)
    return await auth.passwords.hash(new)


async def prove(auth: Auth, user_id: str, sid: str, password: str, source: RequestSource) -> Account:
    """The account, if the password is right; wrong ones count as at a sign-in."""
    account = await account_records.read(auth, user_id)
    if account is None or not account.is_active:
        raise SessionRevokedError(_REVOKED)

    async def check() -> None:
        await auth.throttle.check(account.key, source.address)

    await check()
    verdict = await auth.passwords.verify(password, account.password_hash, at_turn=check)
    if not verdict.matches:
        await auth.throttle.fail(account.key, source.address)
        audit.log.record(
            "sign_in_failed", user_id=account.user_id, sid=sid, address=source.address,
            reason="wrong_current_password",
        )  # fmt: skip
        detail = texts("en")["field.current_password"]
        bad = FieldError(detail, pointer="/current_password", key="field.current_password")
        raise WrongPasswordError("The current password is wrong.", errors=(bad,))
    await auth.throttle.succeed(account.key, source.address)
    return account


async def _read(auth: Auth, user_id: str) -> Account:
    account = await account_records.read(auth, user_id)
    if account is None:
        raise UserNotFoundError("There is no user with this id.")
    return account

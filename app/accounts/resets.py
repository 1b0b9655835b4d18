"""Passwords set by a code of a mail: a new one for a forgotten one, or the first one of an imported user."""

from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit
from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource
from app.accounts.mailed_codes import ask
from app.audit.write import Author, Entry
from app.auth import passwords
from app.auth.mail_codes import Given, Proof
from app.core.catalogue import Language, find_language
from app.core.errors import InvalidCodeError, RosterError
from models.mail import Purpose

_EITHER: tuple[Purpose, ...] = ("reset_password", "activate")
"""Who typed an address cannot know which of both it was sent."""


async def ask_reset(auth: Auth, email: str, *, source: RequestSource, language: Language) -> None:
    """Mail a code to the user with this address, if they gave it themselves; errors as `ask`."""
    await ask(auth, email, choose, source=source, language=language)


async def ask_activation(auth: Auth, email: str, *, source: RequestSource, language: Language) -> None:
    """The same for a user who has no password yet, and for no other."""

    def activate_only(account: Account, changed: Entry | None) -> Purpose | None:
        return "activate" if choose(account, changed) == "activate" else None

    await ask(auth, email, activate_only, source=source, language=language)


def choose(account: Account, changed: Entry | None) -> Purpose | None:
    """What an active account is sent on public request.

    Who may write users could give somebody an address of their own, and take the account over by it. So an
    address that others set resets nothing. The one that a user was created with gives them their first
    password: it takes over nothing that was theirs.
    """
    is_own = account.is_verified or (changed is not None and str(changed["by"]) == account.user_id)
    if account.password_hash is not None:
        return "reset_password" if is_own else None
    is_first = changed is not None and changed["action"] == "created"
    return "activate" if is_own or is_first else None


async def reset_password(auth: Auth, given: Given, *, new: str, source: RequestSource) -> None:
    """Set the password of the user whom the code was sent to: all their sessions and tokens end.

    Their address is verified by it. InvalidCodeError; ThrottledError; InvalidError points at the password.
    """
    auth.passwords.check_room()
    proof = await _check(auth, given, source)
    account = await account_records.read(auth, proof.user_id)
    if account is None:
        raise InvalidCodeError
    async with auth.throttle.weak_passwords(account=account.key):
        passwords.check_policy(new, pointer="/password", about=account.about)
    author = Author(account.user_id, via="mail")

    async def redeem(session: AsyncClientSession) -> None:
        await auth.mail_codes.use(proof, session)
        if not await auth.users.verify(account.user_id, proof.email, author=author, session=session):
            raise InvalidCodeError

    hashed = await auth.passwords.hash(new)
    language = find_language(proof.data.get("language"))
    if not await account_records.store_password(auth, account, hashed, author, redeem, language=language):
        raise InvalidCodeError
    audit.log.record("password_reset", user_id=account.user_id, address=source.address)


async def _check(auth: Auth, given: Given, source: RequestSource) -> Proof:
    try:
        return await auth.mail_codes.check(_EITHER, given, address=source.address)
    except RosterError as error:
        audit.log.record("mail_code_refused", address=source.address, reason=error.code)
        raise

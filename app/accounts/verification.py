"""Verifies e-mails: a user shows, by a code of a mail, that it reaches them."""

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit
from app.accounts import resets
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource
from app.accounts.mailed_codes import ask
from app.audit.write import Author, Entry
from app.auth.mail_codes import Given, Proof
from app.core.catalogue import Language
from app.core.errors import InvalidCodeError
from app.database.transactions import together
from models.mail import Purpose


async def ask_verification(auth: Auth, email: str, *, source: RequestSource, language: Language) -> None:
    """Mail a code to the user with this address, if they gave it themselves; errors as `ask`."""
    await ask(auth, email, _choose, source=source, language=language)


async def ask_own_verification(
    auth: Auth, user_id: str, *, source: RequestSource, language: Language
) -> None:
    """Mail a code to the address of the caller, also to one that others gave. UserNotFoundError."""
    row = await auth.users.read(PydanticObjectId(user_id))
    await ask(auth, row["email"], _choose_own, source=source, language=language)


def _choose(account: Account, changed: Entry | None) -> Purpose | None:
    """What a public request sends, which may be a stranger's, whose address others mistyped.

    Once it is verified, it resets the password.
    """
    if account.is_verified or (chosen := resets.choose(account, changed)) is None:
        return None
    return "verify_email" if chosen == "reset_password" else chosen


def _choose_own(account: Account, _: Entry | None) -> Purpose | None:
    return None if account.is_verified else "verify_email"


async def verify_email(auth: Auth, given: Given, *, source: RequestSource) -> None:
    """Verify an address; who registered with it can sign in from now on. InvalidCodeError; ThrottledError."""
    proof = await auth.mail_codes.check("verify_email", given, address=source.address)

    async def verify(session: AsyncClientSession) -> None:
        await auth.mail_codes.use(proof, session)
        is_theirs = await auth.users.verify(
            proof.user_id,
            proof.email,
            author=by_mail(proof),
            session=session,
            password_hash=proof.data.get("password_hash"),
        )
        if not is_theirs:  # it is written in another way by now
            raise InvalidCodeError

    await together(auth.database.client, verify)
    audit.log.record("email_verified", user_id=proof.user_id, address=source.address)


def by_mail(proof: Proof) -> Author:
    """The author of what a code does is its user."""
    return Author(proof.user_id, via="mail")

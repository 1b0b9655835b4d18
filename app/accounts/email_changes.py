"""Changes of one's own e-mail: where there is mail, the new one confirms, and the old one can take back."""

from dataclasses import replace

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit
from app.accounts import account_records
from app.accounts.account_records import Account, account_of
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource
from app.accounts.mailed_codes import send
from app.accounts.password_input import open_password
from app.accounts.passwords import prove
from app.accounts.registration import tell_owner
from app.accounts.verification import by_mail
from app.audit.write import Also, Author, Entry
from app.auth.access_tokens import Claims
from app.auth.mail_codes import Given
from app.auth.sessions import BrowserSession
from app.auth.throttles import Quota
from app.clients import BUILT_IN
from app.core.catalogue import LANGUAGES, Language, find_language
from app.core.mongo import Row
from app.core.normalise import email_key
from app.database.transactions import together
from app.users import AllowedVersions, Authority
from app.users.authority import ADMIN
from app.users.changes import RAISED
from models.account import EmailChange
from models.user import UserPatch

_CHANGES = Quota("email_changes", 3, 30 * 60)
"""Mails to new addresses that a user may cause."""


async def change_email(
    auth: Auth,
    change: EmailChange,
    versions: AllowedVersions,
    *,
    caller: Claims,
    authority: Authority,
    source: RequestSource,
    language: Language,
) -> Row | None:
    """The user after the change, or None where the new address was sent a code; their sessions go on."""
    current = await open_password(
        auth, change.current_password, change.current_password_jwe, name="current_password"
    )
    account = await prove(auth, caller.user_id, caller.sid, current, source)
    if not auth.outbox.is_on or account.email == change.email:
        row = await _change(auth, account, change.email, versions, authority)
        audit.log.record("email_changed", user_id=caller.user_id, sid=caller.sid, address=source.address)
        return row
    await auth.users.patch(PydanticObjectId(account.user_id), UserPatch(), versions, authority=authority)
    await _send(auth, account, change.email, language)
    return None


async def change_email_of_browser(
    auth: Auth,
    browser: BrowserSession,
    *,
    email: str,
    current: str,
    source: RequestSource,
    language: Language,
) -> None:
    """The same for who is signed in at the pages. Errors as `change_password`; UniqueConflictError."""
    account = await prove(auth, browser.user_id, browser.sid, current, source)
    if auth.outbox.is_on and account.email != email:
        await _send(auth, account, email, language)
        return
    authority = Authority(frozenset({ADMIN}), Author(account.user_id, BUILT_IN.id), has_proved=True)
    await _change(auth, account, email, None, authority)
    audit.log.record("email_changed", user_id=account.user_id, sid=browser.sid, address=source.address)


async def _change(
    auth: Auth, account: Account, email: str, versions: AllowedVersions, authority: Authority
) -> Row:
    patch = UserPatch.model_validate({"email": email})
    return await auth.users.patch(PydanticObjectId(account.user_id), patch, versions, authority=authority)


async def _send(auth: Auth, account: Account, email: str, language: Language) -> None:
    """Send the new address a code; if another user has it, they are told. The caller sees no difference."""
    owner = await account_records.find(auth, "keys.email", email_key(email))
    is_allowed = await auth.quotas.take(account.key, [_CHANGES])

    async def write(session: AsyncClientSession) -> None:
        if owner is not None and owner.user_id != account.user_id:
            await tell_owner(auth, owner, is_allowed=is_allowed, language=language, session=session)
        elif is_allowed:
            await send(
                auth,
                account,
                "change_email",
                language=language,
                session=session,
                email=email,
                bound_to=account.email,
            )

    await together(auth.database.client, write)
    await auth.outbox.wake()


async def confirm_email(auth: Auth, given: Given, *, source: RequestSource) -> None:
    """Change the address to the one that the code was sent to; tell the old one, with a link back if proved.

    InvalidCodeError; ThrottledError; UniqueConflictError if another user has it by now.
    """
    proof = await auth.mail_codes.check("change_email", given, address=source.address)
    language = find_language(proof.data["language"]) or LANGUAGES[0]

    async def confirm(session: AsyncClientSession) -> None:
        await auth.mail_codes.use(proof, session)
        before, _ = await auth.users.move(proof.user_id, proof.email, author=by_mail(proof), session=session)
        account = account_of(before)
        if account.is_verified:
            await send(auth, account, "take_back_email", language=language, session=session)
        else:  # the mailbox may be a stranger's, who would get the account by a link
            await auth.outbox.add(account.mail("email_replaced", language), session)

    await together(auth.database.client, confirm)
    await auth.outbox.wake()
    audit.log.record("email_changed", user_id=proof.user_id, address=source.address)


def telling(auth: Auth, language: Language) -> Also | None:
    """What tells the old address of a change that somebody else makes; None where mail is off.

    No sender is woken for it: each looks every few seconds.
    """

    async def tell(entries: list[Entry], session: AsyncClientSession) -> None:
        for entry in entries:
            left = [each["from"] for each in entry["differences"] if each["pointer"] == "/email"]
            account = await account_records.read(auth, str(entry["user"]), session) if left else None
            if account is not None:
                notice = account.mail("email_replaced", language)
                await auth.outbox.add(replace(notice, to=left[0]), session)

    return tell if auth.outbox.is_on else None


async def take_back_email(auth: Auth, given: Given, *, source: RequestSource) -> None:
    """Give the user back the address that the link was sent to, and end all their sessions and codes.

    InvalidCodeError; ThrottledError; UniqueConflictError if another user has it by now.
    """
    proof = await auth.mail_codes.check("take_back_email", given, address=source.address)

    async def take_back(session: AsyncClientSession) -> int:
        await auth.mail_codes.use(proof, session)
        _, generation = await auth.users.move(
            proof.user_id, proof.email, author=by_mail(proof), session=session, raised=RAISED
        )
        await auth.mail_codes.forget(proof.user_id, session)
        return generation

    async with auth.users.end(proof.user_id) as ending:
        ending.generation = await together(auth.database.client, take_back)
    audit.log.record("email_taken_back", user_id=proof.user_id, address=source.address)

"""Codes sent to users by mail, also on request of somebody who only knows an address.

Such a request is answered alike, in words and in time, whether a user has the address, may have the mail, or
has had too many: it reads, counts and writes as much. A mail goes only to the address as it is stored, never
as it was typed: two texts with one key may be two mailboxes (CVE-2019-19844).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit
from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource
from app.audit.write import Entry
from app.auth.throttles import Quota
from app.core.catalogue import Language
from app.core.clock import now
from app.core.normalise import typed_email_key
from app.database.transactions import together
from app.mail import url
from models.mail import MailKind, Purpose
from models.values import LONGEST_EMAIL

_UNITS: Final = {"minutes": 60, "hours": 3_600, "days": 86_400}
_LIVES: Final[Mapping[Purpose, tuple[str, int]]] = {
    "reset_password": ("minutes", 30),
    "verify_email": ("hours", 24),
    "change_email": ("hours", 24),
    "activate": ("hours", 72),
    "take_back_email": ("days", 7),
}
"""How long the code of a purpose lives, as its mail says it."""
_KINDS: Final[Mapping[Purpose, MailKind]] = {
    "reset_password": "reset_password",
    "verify_email": "verify_email",
    "change_email": "change_email",
    "activate": "activate",
    "take_back_email": "email_changed",
}
MAILS = Quota("mails", 3, 30 * 60)
"""To one account on public request, within the life of a reset: the last one of them still lives then."""

Choose = Callable[[Account, Entry | None], Purpose | None]
"""Which code an active account is sent.

Told the last change of an unverified e-mail, too, while the trail has it.
"""


async def send(
    auth: Auth,
    account: Account,
    purpose: Purpose,
    *,
    language: Language,
    session: AsyncClientSession,
    email: str | None = None,
    data: Mapping[str, str] | None = None,
    bound_to: str | None = None,
) -> None:
    """Issue a code and queue its mail, in the caller's transaction; to `email`, or to the account's own.

    In the account's language, else in this one. `auth.outbox.wake()` after the commit.
    """
    unit, number = _LIVES[purpose]
    ttl_s = number * _UNITS[unit]
    to = email or account.email
    issued = await auth.mail_codes.issue(
        purpose,
        user_id=account.user_id,
        email=to,
        generation=account.generation,
        ttl_s=ttl_s,
        data={"language": language} | dict(data or {}),  # of what is told once it is used
        with_code=purpose != "take_back_email",  # digits that live for days could be guessed
        bound_to=bound_to,
        session=session,
    )
    link = url(auth.settings, f"/auth/mail/{purpose}", token=issued.token)
    values = {"link": link, unit: str(number)}
    if issued.code is not None:
        values["code"] = issued.code
    mail = account.mail(_KINDS[purpose], language, **values)
    good_until = now() + timedelta(seconds=ttl_s)
    await auth.outbox.add(replace(mail, to=to, good_until=good_until), session)


async def ask(auth: Auth, email: str, choose: Choose, *, source: RequestSource, language: Language) -> None:
    """Send the code that `choose` names to the user who has this address, if there is one.

    MailOffError; ThrottledError, for the address alone that the requests come from.
    """
    auth.outbox.check()
    await auth.throttle.count_registration(source.address, "mails")
    key = typed_email_key(email[:LONGEST_EMAIL])
    account = await account_records.find(auth, "keys.email", key)
    about = account_records.key_of_nobody(key) if account is None else account.key
    is_allowed = await auth.quotas.take(about, [MAILS])
    whom = ObjectId(None if account is None or account.is_verified else account.user_id)
    changed = await audit.read.find_last(auth.database, whom, "/email")
    purpose = choose(account, changed) if account is not None and account.is_active else None

    async def write(session: AsyncClientSession) -> None:
        if account is None or purpose is None or not is_allowed:
            await auth.mail_codes.pretend(f"{is_allowed} {key}", session)
        else:
            await send(auth, account, purpose, language=language, session=session)

    await together(auth.database.client, write)
    # no sender is woken: where it is this process, the next request would be slower, and tell of a mail
    audit.log.record("mail_asked", user_id=account.user_id if account else None, address=source.address)

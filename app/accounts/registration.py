"""Registration: open to all, by invitation, or closed.

Where Roster sends mail, an open one is answered alike whether a user has the address, and what follows is in
the mail. Nobody can sign in until its code is used: a sign-in would tell what the answer does not, and those
who register with another's address would wait there with a password. So the code keeps the password's hash.
"""

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit, users
from app.accounts import account_records
from app.accounts.account_records import Account, account_of
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource
from app.accounts.mailed_codes import MAILS, send
from app.accounts.password_input import open_password
from app.accounts.resets import choose
from app.audit.write import Author
from app.auth import passwords
from app.auth.passwords import AtTurn
from app.core.catalogue import Language
from app.core.errors import (
    InvalidInvitationError,
    RegistrationClosedError,
    RosterError,
    UniqueConflictError,
)
from app.core.mongo import Row
from app.database.transactions import together
from app.users.user_records import conflict_of, document
from models.account import Registration
from models.user import Credentials, User, UserInput
from models.values import DEFAULT_SCOPES

_SAID = frozenset(UserInput.model_fields) & frozenset(Registration.model_fields)


async def register(
    auth: Auth, asked: Registration, *, source: RequestSource, language: Language
) -> Row | None:
    """Register; the new user's row, or None where a mail to the address says what follows.

    Refusals count by address, so that tries do not reveal what exists.
    """
    if auth.settings.registration == "closed":
        raise RegistrationClosedError("Ask an administrator for an account.")
    auth.passwords.check_room()
    said = {name: getattr(asked, name) for name in _SAID & asked.model_fields_set}
    values = auth.users.settle(UserInput.model_validate(said))
    try:
        await auth.throttle.count_registration(source.address)
        password = await _read_password(auth, asked, values, source)
        async with auth.throttle.refusals("refused_registrations", source.address) as check:
            row = await _register(auth, asked, values, password, check=check, language=language)
    except RosterError as error:
        audit.log.record("registration_refused", address=source.address, reason=error.code)
        raise
    audit.log.record("registered", user_id=str(row["_id"]) if row else None, address=source.address)
    return row


async def _read_password(auth: Auth, asked: Registration, values: UserInput, source: RequestSource) -> str:
    password = await open_password(auth, asked.password, asked.password_jwe)
    about = (values.name, values.email, values.username, values.phone)
    async with auth.throttle.weak_passwords(address=source.address):
        passwords.check_policy(password, pointer="/password", about=about)
    return password


async def _register(
    auth: Auth,
    asked: Registration,
    values: UserInput,
    password: str,
    *,
    check: AtTurn,
    language: Language,
) -> Row | None:
    code = asked.invitation
    if auth.settings.registration == "invitation" and code is None:
        raise InvalidInvitationError("Registration needs an invitation.")
    password_hash = await auth.passwords.hash(password, at_turn=check)
    credentials = Credentials(password_hash=password_hash)
    if code is not None:
        return await _redeem(auth, code, values, credentials, language=language)
    if not auth.outbox.is_on:
        new = users.record(values, scopes=list(DEFAULT_SCOPES), credentials=credentials)
        return await auth.users.insert(new, _author(new))
    new = users.record(values, scopes=list(DEFAULT_SCOPES))
    try:
        await _register_by_mail(auth, new, password_hash, language)
    except UniqueConflictError:  # perhaps of a user who was not there yet when it looked
        await _register_by_mail(auth, new, password_hash, language)
    return None


async def _redeem(
    auth: Auth, code: str, values: UserInput, credentials: Credentials, *, language: Language
) -> Row:
    """Use up the invitation and insert the user in one transaction."""

    async def redeem(session: AsyncClientSession) -> Row:
        redeemed = await auth.invitations.redeem(code, values.email, session)
        is_verified = redeemed.sent_to == values.email
        new = users.record(
            values, scopes=redeemed.scopes, credentials=credentials, email_verified=is_verified
        )
        row = await auth.users.insert(new, _author(new), session)
        if auth.outbox.is_on and not is_verified:
            await send(auth, account_of(row), "verify_email", language=language, session=session)
        return row

    row = await together(auth.database.client, redeem)
    await auth.outbox.wake()
    return row


async def _register_by_mail(auth: Auth, new: User, password_hash: str, language: Language) -> None:
    """Insert the user, who has no password before the code of the mail is used; or tell whose address it is.

    UniqueConflictError names other values that users have, whether or not one has the address.
    """
    taken = await auth.users.find_taken(new.id, document(new))
    if others := [name for name in taken if name != "email"]:
        raise conflict_of(others)
    key = new.keys.model_dump()["email"]
    owner = await account_records.find(auth, "keys.email", key)
    about = account_records.key_of_nobody(key) if owner is None else owner.key
    is_allowed = await auth.quotas.take(about, [MAILS])

    async def write(session: AsyncClientSession) -> None:
        if owner is not None:
            await tell_owner(auth, owner, is_allowed=is_allowed, language=language, session=session)
            return
        account = account_of(await auth.users.insert(new, _author(new), session))
        kept = {"password_hash": password_hash}
        await send(auth, account, "verify_email", language=language, session=session, data=kept)

    await together(auth.database.client, write)  # and no sender is woken, as in `mailed_codes.ask`


async def tell_owner(
    auth: Auth, owner: Account, *, is_allowed: bool, language: Language, session: AsyncClientSession
) -> None:
    """Mail users that somebody registered with their address, or the way in to those who had none so far."""
    changed = await audit.read.find_last(auth.database, ObjectId(owner.user_id), "/email")
    if is_allowed and owner.is_pending and choose(owner, changed) == "activate":
        await auth.mail_codes.forget(owner.user_id, session)  # with the password of who registered before
        await send(auth, owner, "activate", language=language, session=session)
        return
    await auth.mail_codes.pretend(f"{is_allowed} {owner.key}", session)
    if not is_allowed:
        return
    await auth.outbox.add(owner.mail("registered_again", language), session)


def _author(new: User) -> Author:
    """The author of a registration is the user."""
    return Author(str(new.id), via="registration")

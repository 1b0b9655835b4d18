"""Registration: open to all, by invitation, or closed."""

from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit, users
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource
from app.accounts.password_input import open_password
from app.audit.write import Author
from app.auth import passwords
from app.auth.passwords import AtTurn
from app.core.errors import InvalidInvitationError, RegistrationClosedError, RosterError
from app.core.mongo import Row
from app.database.transactions import together
from models.account import Registration
from models.user import Credentials, User, UserInput
from models.values import DEFAULT_SCOPES, Scope

_SAID = frozenset(UserInput.model_fields) & frozenset(Registration.model_fields)


async def register(auth: Auth, asked: Registration, *, source: RequestSource) -> Row:
    """Register; the new user's row. Refusals count by address, so that tries do not reveal what exists."""
    if auth.settings.registration == "closed":
        raise RegistrationClosedError("Ask an administrator for an account.")
    auth.passwords.check_room()
    values = UserInput.model_validate({name: getattr(asked, name) for name in _SAID & asked.model_fields_set})
    try:
        await auth.throttle.count_registration(source.address)
        password = await _read_password(auth, asked, values, source)
        async with auth.throttle.refusals("refused_registrations", source.address) as check:
            row = await _register(auth, asked, values, password, check)
    except RosterError as error:
        audit.log.record("registration_refused", address=source.address, reason=error.code)
        raise
    audit.log.record("registered", user_id=str(row["_id"]), address=source.address)
    return row


async def _read_password(auth: Auth, asked: Registration, values: UserInput, source: RequestSource) -> str:
    password = await open_password(auth, asked.password, asked.password_jwe)
    about = (values.name, values.email, values.username, values.phone)
    async with auth.throttle.weak_passwords(address=source.address):
        passwords.check_policy(password, pointer="/password", about=about)
    return password


async def _register(auth: Auth, asked: Registration, values: UserInput, password: str, check: AtTurn) -> Row:
    code = asked.invitation
    if auth.settings.registration == "invitation" and code is None:
        raise InvalidInvitationError("Registration needs an invitation.")
    password_hash = await auth.passwords.hash(password, at_turn=check)
    credentials = Credentials(password_hash=password_hash)
    if code is None:
        new = _user(values, credentials, list(DEFAULT_SCOPES))
        return await auth.users.insert(new, _author(new))
    return await _redeem(auth, code, values, credentials)


async def _redeem(auth: Auth, code: str, values: UserInput, credentials: Credentials) -> Row:
    """Use up the invitation and insert the user in one transaction."""

    async def redeem(session: AsyncClientSession) -> Row:
        redeemed = await auth.invitations.redeem(code, values.email, session)
        is_verified = redeemed.sent_to == values.email
        new = _user(values, credentials, redeemed.scopes, email_verified=is_verified)
        return await auth.users.insert(new, _author(new), session)

    return await together(auth.database.client, redeem)


def _author(new: User) -> Author:
    """The author of a registration is the user."""
    return Author(str(new.id), via="registration")


def _user(
    values: UserInput, credentials: Credentials, scopes: list[Scope], *, email_verified: bool = False
) -> User:
    return users.record(values, scopes=scopes, credentials=credentials, email_verified=email_verified)

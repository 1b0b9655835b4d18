"""Administrators made by the operator."""

from beanie import PydanticObjectId
from pydantic import SecretStr, ValidationError

from app import audit, users
from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.audit.write import COMMAND_LINE
from app.auth import passwords
from app.core.errors import InvalidError, StartError
from app.core.normalise import email_key
from app.users.administrators import ADMINISTRATOR
from models.user import Credentials, UserInput, UserPatch
from models.values import ALL_SCOPES

_NAME = "Administrator"


async def has_admin(auth: Auth) -> bool:
    """Whether an administrator who can sign in exists."""
    return await auth.users.collection.find_one(ADMINISTRATOR, {"_id": 1}) is not None


async def create_admin(auth: Auth, email: str, password: SecretStr) -> bool:
    """Make an administrator of a new user or of the one with the e-mail; whether they are new.

    The sessions of an existing user end. StartError says what is wrong with the e-mail or the password.
    """
    try:
        user_input = UserInput(name=_NAME, email=email)
    except ValidationError:
        raise StartError("The administrator's e-mail must be an address such as ana@example.com.") from None
    try:
        passwords.check_policy(password.get_secret_value(), pointer="/password", about=(email,))
    except InvalidError as error:
        raise StartError(f"The administrator's password: {error.errors[0].detail}") from None
    password_hash = await auth.passwords.hash(password.get_secret_value())
    account = await account_records.find(auth, "keys.email", email_key(email))
    if account is None:
        credentials = Credentials(password_hash=password_hash)
        row = await auth.users.insert(
            users.record(user_input, scopes=list(ALL_SCOPES), credentials=credentials), COMMAND_LINE
        )
        audit.log.record("registered", user_id=str(row["_id"]), reason="first_administrator")
        return True
    await _promote(auth, account, password_hash)
    return False


async def _promote(auth: Auth, account: Account, password_hash: str) -> None:
    authority = users.Authority(frozenset(ALL_SCOPES), COMMAND_LINE)
    patch = UserPatch.model_validate({"scopes": list(ALL_SCOPES), "is_active": True})
    await auth.users.patch(PydanticObjectId(account.user_id), patch, authority=authority)
    if not await account_records.store_password(auth, account, password_hash, COMMAND_LINE):
        raise StartError("The user was changed at the same time: run the command again.")
    audit.log.record("password_set", user_id=account.user_id, reason="promoted")

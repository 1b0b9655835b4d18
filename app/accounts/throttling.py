"""Throttles of accounts and addresses, which administrators see and lift."""

from app import audit
from app.accounts import account_records
from app.accounts.auth import Auth
from app.auth.access_tokens import Claims
from app.auth.throttles import CounterState
from app.core.errors import UserNotFoundError


async def see_throttle(auth: Auth, user_id: str) -> list[CounterState]:
    return await auth.throttle.see_account(await _key(auth, user_id))


async def lift_throttle(auth: Auth, user_id: str, *, by: Claims) -> None:
    await auth.throttle.lift_account(await _key(auth, user_id))
    audit.log.record("throttle_lifted", user_id=user_id, by=by.user_id)


async def lift_address(auth: Auth, address: str, *, by: Claims) -> None:
    await auth.throttle.lift_address(address)
    audit.log.record("throttle_lifted", address=address, by=by.user_id)


async def _key(auth: Auth, user_id: str) -> str:
    account = await account_records.read(auth, user_id)
    if account is None:
        raise UserNotFoundError("There is no user with this id.")
    return account.key

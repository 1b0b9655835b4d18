"""What makes an account or an address wait, seen and lifted by administrators."""

from app import audit_log
from app.accounts import records
from app.errors import UserNotFoundError
from app.resources import Resources
from app.throttles import Standing
from app.tokens import Claims


async def see_throttle(opened: Resources, user_id: str) -> list[Standing]:
    return await opened.throttle.see_account(await _key(opened, user_id))


async def lift_throttle(opened: Resources, user_id: str, *, by: Claims) -> None:
    await opened.throttle.lift_account(await _key(opened, user_id))
    audit_log.record("throttle_lifted", user_id=user_id, by=by.user_id)


async def lift_address(opened: Resources, address: str, *, by: Claims) -> None:
    await opened.throttle.lift_address(address)
    audit_log.record("throttle_lifted", address=address, by=by.user_id)


async def _key(opened: Resources, user_id: str) -> str:
    account = await records.read(opened, user_id)
    if account is None:
        raise UserNotFoundError("There is no user with this id.")
    return account.key

"""`/users/{user_id}/throttle` and `/addresses/{address}/throttle`: who must wait, and lifting it."""

from fastapi import APIRouter, status

from app import accounts
from app.core.errors import InvalidError, UserNotFoundError
from app.http import replies
from app.http.dependencies import Administrator, Backends, ThrottledAddress, UserId
from app.http.json_route import JsonRoute
from app.http.problems import PROTECTED, responses
from models.throttle import ThrottleOutput

router = APIRouter(tags=["sessions"], route_class=JsonRoute)


@router.get(
    "/users/{user_id:oid}/throttle",
    summary="Whether a user's sign-ins must wait",
    responses=responses(UserNotFoundError, InvalidError, *PROTECTED),
)
async def read_throttle(user_id: UserId, _: Administrator, opened: Backends) -> ThrottleOutput:
    """Wrong passwords of the last minutes, under any of the user's names."""
    return replies.throttle(await accounts.see_throttle(opened.auth, str(user_id)))


@router.delete(
    "/users/{user_id:oid}/throttle",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Let a user sign in at once",
    responses=responses(UserNotFoundError, InvalidError, *PROTECTED),
)
async def lift_throttle(user_id: UserId, caller: Administrator, opened: Backends) -> None:
    """Forgets their failures, as setting a password does; their address may still have to wait."""
    await accounts.lift_throttle(opened.auth, str(user_id), by=caller)


@router.get(
    "/addresses/{address}/throttle",
    summary="Whether an address must wait",
    responses=responses(InvalidError, *PROTECTED),
)
async def read_address_throttle(
    _: Administrator, address: ThrottledAddress, opened: Backends
) -> ThrottleOutput:
    """Refusals from there in the last hour: sign-ins, registrations, secrets of clients."""
    return replies.throttle(await opened.auth.throttle.see_address(address))


@router.delete(
    "/addresses/{address}/throttle",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Let an address try again at once",
    responses=responses(InvalidError, *PROTECTED),
)
async def lift_address_throttle(caller: Administrator, address: ThrottledAddress, opened: Backends) -> None:
    """Forgets its failures, but not those of accounts."""
    await accounts.lift_address(opened.auth, address, by=caller)

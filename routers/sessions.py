"""`/users/{user_id}/sessions` and passwords: sessions of other users, for administrators."""

from fastapi import APIRouter, status

from app import accounts
from app.core.errors import (
    InvalidError,
    PasswordNeededError,
    SessionNotFoundError,
    TooManySignInsError,
    UserNotFoundError,
    WriteConflictError,
)
from app.http import replies
from app.http.dependencies import AdminAuthority, Administrator, Backends, ChangeAuthor, SessionId, UserId
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PROTECTED, NotFoundError, responses
from models.account import PasswordSetting
from models.session import SessionList, SignOut, SignOutOutput

router = APIRouter(tags=["sessions"], route_class=JsonRoute)


@router.get(
    "/users/{user_id:oid}/sessions",
    summary="Where a user is signed in",
    responses=responses(NotFoundError, InvalidError, *PROTECTED),
)
async def list_sessions(user_id: UserId, caller: Administrator, opened: Backends) -> SessionList:
    """The last used first, at most a thousand; empty for an unknown user."""
    return replies.sessions(await opened.auth.sessions.list_all(str(user_id)), current=caller.sid)


@router.delete(
    "/users/{user_id:oid}/sessions",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Sign a user out everywhere",
    responses=responses(UserNotFoundError, InvalidError, *PROTECTED),
)
async def end_sessions(user_id: UserId, _: Administrator, author: ChangeAuthor, opened: Backends) -> None:
    """With this reply all earlier tokens are void, on all workers."""
    if not await accounts.sign_out_everywhere(opened.auth, str(user_id), author=author):
        raise UserNotFoundError("There is no user with this id.")


@router.delete(
    "/users/{user_id:oid}/sessions/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End one session of a user",
    responses=responses(SessionNotFoundError, InvalidError, *PROTECTED),
)
async def end_session(user_id: UserId, session_id: SessionId, _: Administrator, opened: Backends) -> None:
    """Its access tokens and its refresh token are void; the user's other sessions go on."""
    await accounts.end_session(opened.auth, str(user_id), session_id)


@router.post(
    "/users:sign-out",
    summary="Sign up to 1,000 users out everywhere",
    responses=responses(*BODY, *PROTECTED),
)
async def sign_out_users(asked: SignOut, caller: Administrator, opened: Backends) -> SignOutOutput:
    """One status for each id, in order."""
    results = await accounts.sign_out_all(opened.auth, asked.ids, by=caller)
    return SignOutOutput.model_validate({"results": results})


@router.put(
    "/users/{user_id:oid}/password",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Set a user's password",
    responses=responses(
        PasswordNeededError, UserNotFoundError, WriteConflictError, TooManySignInsError, *BODY, *PROTECTED
    ),
)
async def set_password(
    user_id: UserId,
    setting: PasswordSetting,
    caller: Administrator,
    authority: AdminAuthority,
    opened: Backends,
) -> None:
    """Or a hash from another system, renewed at the first sign-in. Ends the sessions of the user."""
    await accounts.set_password(opened.auth, str(user_id), setting, authority=authority, by=caller)

"""`/users/me`: one's own record, password, e-mail and sessions."""

from typing import Annotated, Literal

from beanie import PydanticObjectId
from fastapi import APIRouter, Query, Request, Response, status

from app import accounts
from app.auth.access_tokens import Claims
from app.core.errors import (
    InvalidError,
    MailOffError,
    PreconditionFailedError,
    PreconditionRequiredError,
    SessionNotFoundError,
    SignInNeededError,
    ThrottledError,
    TooManySignInsError,
    UniqueConflictError,
    UserNotFoundError,
    WriteConflictError,
    WrongPasswordError,
)
from app.http import replies
from app.http.dependencies import (
    AskedLanguage,
    Backends,
    ChangeAuthor,
    ExpectedVersions,
    Myself,
    Person,
    SelfAuthority,
    SessionId,
    Source,
    backends,
)
from app.http.fast_route import fast_get
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PROTECTED, SIGNED_IN, responses
from app.http.replies import AGED, VERSIONED
from models.account import EmailChange, OwnPatch, PasswordChange
from models.mail_code import MailRequested
from models.session import SessionList
from models.token import TokenOutput
from models.user import UserOutput, UserPatch

router = APIRouter(prefix="/users/me", tags=["me"], route_class=JsonRoute)

CHANGE = (PreconditionFailedError, PreconditionRequiredError, UniqueConflictError, WriteConflictError)
PROOF = (WrongPasswordError, ThrottledError, TooManySignInsError)


@fast_get(
    router,
    "",
    scope="me",
    response_model=UserOutput,
    summary="Read yourself",
    responses=responses(UserNotFoundError, InvalidError, *PROTECTED) | {200: {"headers": VERSIONED | AGED}},
)
async def read_me(request: Request, caller: Claims) -> Response:
    """Your own user, as other routes show it."""
    return replies.user(await backends(request).users.show(PydanticObjectId(caller.user_id)))


@router.patch(
    "",
    response_model=UserOutput,
    summary="Change yourself",
    responses=responses(*CHANGE, *BODY, *PROTECTED) | {200: {"headers": VERSIONED}},
    openapi_extra=replies.merge_patch("OwnPatch"),
)
async def patch_me(
    patch: OwnPatch, caller: Myself, versions: ExpectedVersions, authority: SelfAuthority, opened: Backends
) -> Response:
    """JSON Merge Patch (RFC 7396) of fields that need no password; only others can set tags and scopes."""
    said = UserPatch.model_validate(patch.model_dump(exclude_unset=True))
    user_id = PydanticObjectId(caller.user_id)
    return replies.user(await opened.users.patch(user_id, said, versions, authority=authority))


@router.post(
    "/password",
    summary="Change your password",
    responses=responses(WriteConflictError, *PROOF, *BODY, *PROTECTED),
)
async def change_password(
    change: PasswordChange, caller: Myself, opened: Backends, source: Source
) -> TokenOutput:
    """All your sessions end, including this one; the reply has the tokens of a new one."""
    return replies.token(await accounts.change_password(opened.auth, change, caller=caller, source=source))


@router.post(
    "/email",
    response_model=UserOutput,
    summary="Change your e-mail",
    responses=responses(*CHANGE, *PROOF, *BODY, *PROTECTED) | {200: {"headers": VERSIONED}} | replies.ASKED,
)
async def change_email(
    change: EmailChange,
    *,
    caller: Myself,
    opened: Backends,
    versions: ExpectedVersions,
    authority: SelfAuthority,
    source: Source,
    language: AskedLanguage,
) -> Response:
    """Needs your password, since you sign in by your e-mail.

    Where the service sends mail, it answers 202, and the address changes once the new one confirms it
    (`POST /auth/email/confirm`). The old one, if it was verified, can be taken back for seven days.
    """
    row = await accounts.change_email(
        opened.auth,
        change,
        versions,
        caller=caller,
        authority=authority,
        source=source,
        language=language,
    )
    return replies.asked() if row is None else replies.user(row)


@router.post(
    "/email/verification",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask for a mail by which you verify your e-mail",
    responses=responses(UserNotFoundError, MailOffError, ThrottledError, *PROTECTED),
)
async def ask_own_verification(
    caller: Myself, opened: Backends, source: Source, language: AskedLanguage
) -> MailRequested:
    """Nothing is sent to an address that is verified, and only so much to others."""
    await accounts.ask_own_verification(opened.auth, caller.user_id, source=source, language=language)
    return MailRequested()


@router.get(
    "/sessions",
    summary="Where you are signed in",
    responses=responses(SignInNeededError, *SIGNED_IN),
)
async def list_my_sessions(caller: Person, opened: Backends) -> SessionList:
    """The last used first, at most a thousand."""
    return replies.sessions(await opened.auth.sessions.list_all(caller.user_id), current=caller.sid)


@router.delete(
    "/sessions",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Sign out everywhere",
    responses=responses(SignInNeededError, InvalidError, *SIGNED_IN),
)
async def end_my_sessions(
    caller: Person,
    author: ChangeAuthor,
    opened: Backends,
    source: Source,
    *,
    keep_current: Annotated[Literal["true", "false"], Query(description="Everywhere but here.")] = "false",
) -> None:
    """Ends all your sessions, or all others."""
    keep = caller.sid if keep_current == "true" else ""
    await accounts.sign_out_everywhere(
        opened.auth, caller.user_id, author=author, keep=keep, sid=caller.sid, address=source.address
    )


@router.delete(
    "/sessions/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End one of your sessions",
    responses=responses(SessionNotFoundError, SignInNeededError, InvalidError, *SIGNED_IN),
)
async def end_my_session(session_id: SessionId, caller: Person, opened: Backends) -> None:
    """Its access tokens and its refresh token are void; it may be the session of this request."""
    await accounts.end_session(opened.auth, caller.user_id, session_id)

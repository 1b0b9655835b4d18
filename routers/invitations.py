"""`/auth/invitations`: made, listed and withdrawn by administrators."""

from fastapi import APIRouter, status

from app.core.errors import (
    InvalidError,
    InvitationNotFoundError,
    MailOffError,
    OpenInvitationError,
    SignInNeededError,
)
from app.http.dependencies import (
    Administrator,
    AskedLanguage,
    Backends,
    InvitationId,
    Inviter,
    PageOptions,
    query_parameters,
)
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from models.account import InvitationInput, InvitationOutput, InvitationPage
from models.job import PageQuery

router = APIRouter(prefix="/auth/invitations", tags=["auth"], route_class=JsonRoute)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Invite somebody to register",
    responses=responses(SignInNeededError, MailOffError, *BODY, *PROTECTED),
)
async def create_invitation(
    asked: InvitationInput, opened: Backends, caller: Inviter, language: AskedLanguage
) -> InvitationOutput:
    """The code is shown only once, is valid for one registration, and grants the scopes.

    It is valid until it expires, is withdrawn, or you are no longer an administrator. With `send` a mail
    takes the code to the e-mail, in the language of your Accept-Language; registering by it verifies that.
    """
    code, made = await opened.auth.invitations.invite(
        scopes=asked.scopes,
        email=asked.email,
        created_by=caller.user_id,
        ttl_s=asked.expires_in,
        send_in=language if asked.send else None,
    )
    return InvitationOutput(id=made.id, code=code, expires_at=made.expires_at)


@router.post(
    "/{invitation_id}/send",
    status_code=status.HTTP_201_CREATED,
    summary="Send an invitation again",
    responses=responses(InvitationNotFoundError, OpenInvitationError, MailOffError, InvalidError, *PROTECTED),
)
async def send_invitation(
    invitation_id: InvitationId, _: Administrator, opened: Backends, language: AskedLanguage
) -> InvitationOutput:
    """A mail takes a new code to its e-mail; the earlier one is void, and so is this id."""
    sent = await opened.auth.invitations.send_again(invitation_id, language=language)
    return InvitationOutput(id=sent.id, code=None, expires_at=sent.expires_at)


@router.get(
    "",
    summary="Valid invitations",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_invitations(_: Administrator, asked: PageOptions, opened: Backends) -> InvitationPage:
    """Those of all administrators, former ones included; the last to expire first."""
    found = await opened.auth.invitations.page(asked)
    return InvitationPage.model_validate(found, from_attributes=True)


@router.delete(
    "/{invitation_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Withdraw an invitation",
    responses=responses(InvitationNotFoundError, InvalidError, *PROTECTED),
)
async def withdraw_invitation(invitation_id: InvitationId, _: Administrator, opened: Backends) -> None:
    """Its code is no longer valid."""
    await opened.auth.invitations.withdraw(invitation_id)

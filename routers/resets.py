"""`/auth/password` and `/auth/activation`: passwords set by a code that was sent by mail."""

from fastapi import APIRouter, status

from app import accounts
from app.auth.mail_codes import Given
from app.core.errors import (
    InvalidCodeError,
    MailOffError,
    ThrottledError,
    TooManySignInsError,
    UnavailableError,
)
from app.http.dependencies import AskedLanguage, Backends, Source
from app.http.json_route import JsonRoute
from app.http.problems import BODY, responses
from models.mail_code import MailRequest, MailRequested, PasswordReset

router = APIRouter(prefix="/auth", tags=["auth"], route_class=JsonRoute)

_ASKED = responses(MailOffError, ThrottledError, UnavailableError, *BODY)
_SET = responses(InvalidCodeError, ThrottledError, TooManySignInsError, UnavailableError, *BODY)


@router.post(
    "/password/forgotten",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask for a mail by which you set a new password",
    responses=_ASKED,
)
async def ask_reset(
    asked: MailRequest, opened: Backends, source: Source, language: AskedLanguage
) -> MailRequested:
    """The reply is the same, and as quick, whether a user has the address, or has had too many mails.

    The mail goes to an address that its user has verified, or gave themselves. A user who was created by
    others and has no password yet is sent a link to activate their account.
    """
    await accounts.ask_reset(opened.auth, asked.email, source=source, language=language)
    return MailRequested()


@router.post(
    "/password/reset",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Set a new password by the code of a mail",
    responses=_SET,
)
async def reset_password(reset: PasswordReset, opened: Backends, source: Source) -> None:
    """All your sessions and personal tokens end, your address is verified, and you are told by mail.

    Send the token of the link, or your address and the six digits. Either is valid once, for half an hour,
    and until the password or the address changes.
    """
    new = await accounts.open_password(opened.auth, reset.password, reset.password_jwe)
    given = Given(reset.token, reset.email, reset.code)
    await accounts.reset_password(opened.auth, given, new=new, source=source)


@router.post(
    "/activation",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask for a mail by which you set your first password",
    responses=_ASKED,
)
async def ask_activation(
    asked: MailRequest, opened: Backends, source: Source, language: AskedLanguage
) -> MailRequested:
    """For users whom others created, such as by an import. The reply is the same whether there is one."""
    await accounts.ask_activation(opened.auth, asked.email, source=source, language=language)
    return MailRequested()


@router.post(
    "/activate",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Set your first password by the code of a mail",
    responses=_SET,
)
async def activate(activation: PasswordReset, opened: Backends, source: Source) -> None:
    """Your address is verified by it. Send the token of the link, or your address and the six digits."""
    await reset_password(activation, opened, source)

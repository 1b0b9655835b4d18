"""`/auth/email`: addresses verified, confirmed and taken back by a code that was sent by mail."""

from fastapi import APIRouter, status

from app import accounts
from app.auth.mail_codes import Given
from app.core.errors import (
    InvalidCodeError,
    MailOffError,
    ThrottledError,
    UnavailableError,
    UniqueConflictError,
)
from app.http.dependencies import AskedLanguage, Backends, Source
from app.http.json_route import JsonRoute
from app.http.problems import BODY, responses
from models.mail_code import EmailProof, LinkProof, MailRequest, MailRequested

router = APIRouter(prefix="/auth/email", tags=["auth"], route_class=JsonRoute)

_PROVED = responses(InvalidCodeError, ThrottledError, UnavailableError, *BODY)


@router.post(
    "/verification",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask for a mail by which you verify your e-mail",
    responses=responses(MailOffError, ThrottledError, UnavailableError, *BODY),
)
async def ask_verification(
    asked: MailRequest, opened: Backends, source: Source, language: AskedLanguage
) -> MailRequested:
    """The reply is the same, and as quick, whether a user has the address, or has verified it.

    An address that others gave a user is verified by who is signed in (`POST /users/me/email/verification`).
    """
    await accounts.ask_verification(opened.auth, asked.email, source=source, language=language)
    return MailRequested()


@router.post(
    "/verify",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Verify an e-mail by the code of a mail",
    responses=_PROVED,
)
async def verify_email(proof: EmailProof, opened: Backends, source: Source) -> None:
    """Send the token of the link, or your address and the six digits. Who registered can sign in then."""
    given = Given(proof.token, proof.email, proof.code)
    await accounts.verify_email(opened.auth, given, source=source)


@router.post(
    "/confirm",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Confirm your new e-mail by the code of a mail",
    responses=_PROVED | responses(UniqueConflictError),
)
async def confirm_email(proof: EmailProof, opened: Backends, source: Source) -> None:
    """The change of `POST /users/me/email` takes effect; the address is verified by it.

    The old address, if it was verified, is sent a link by which it can be taken back for seven days.
    """
    given = Given(proof.token, proof.email, proof.code)
    await accounts.confirm_email(opened.auth, given, source=source)


@router.post(
    "/take-back",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Take your old e-mail back",
    responses=_PROVED | responses(UniqueConflictError),
)
async def take_back_email(proof: LinkProof, opened: Backends, source: Source) -> None:
    """All your sessions and personal tokens end. Set a new password afterwards, if others may know it."""
    await accounts.take_back_email(opened.auth, Given(proof.token), source=source)

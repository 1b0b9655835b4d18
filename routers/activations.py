"""Links by which users set their first password, sent by administrators."""

from fastapi import APIRouter, status

from app import accounts
from app.core.errors import InactiveUserError, InvalidError, MailOffError, UserNotFoundError
from app.http.dependencies import Administrator, AskedLanguage, Backends, UserId
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PROTECTED, responses
from models.mail_code import Activations, ActivationsOutput, MailRequested

router = APIRouter(tags=["users"], route_class=JsonRoute)


@router.post(
    "/users/{user_id:oid}/activation",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send a user a link to set a password",
    responses=responses(MailOffError, InactiveUserError, UserNotFoundError, InvalidError, *PROTECTED),
)
async def send_activation(
    user_id: UserId, caller: Administrator, opened: Backends, language: AskedLanguage
) -> MailRequested:
    """For a user who was imported, say: the link is valid for three days and verifies their address.

    It replaces the one that was sent before, and is void once their password or address changes.
    """
    await accounts.send_activation(opened.auth, str(user_id), by=caller, language=language)
    return MailRequested()


@router.post(
    "/users/activations",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send up to 1,000 users a link to set a password",
    responses=responses(MailOffError, *BODY, *PROTECTED),
)
async def send_activations(
    asked: Activations, caller: Administrator, opened: Backends, language: AskedLanguage
) -> ActivationsOutput:
    """One status for each id, in order. `GET /users?email_verified=false&fields=id` finds their ids."""
    results = await accounts.send_activations(opened.auth, asked.ids, by=caller, language=language)
    return ActivationsOutput.model_validate({"results": results})

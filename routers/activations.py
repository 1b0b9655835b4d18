"""Links by which users set their first password, sent by administrators."""

from fastapi import APIRouter, status

from app import accounts
from app.core.errors import InactiveUserError, InvalidError, MailOffError, UserNotFoundError
from app.http import job_replies
from app.http.dependencies import (
    Administrator,
    AskedLanguage,
    Backends,
    FilterOptions,
    UserId,
    query_parameters,
)
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PROTECTED, responses
from models.job import JobOutput
from models.listing import Filter
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
    """One status for each id, in order."""
    results = await accounts.send_activations(opened.auth, asked.ids, by=caller, language=language)
    return ActivationsOutput.model_validate({"results": results})


@router.post(
    "/users:send-activations",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send all users of a filter a link to set a password",
    openapi_extra=query_parameters(Filter),
    responses=responses(MailOffError, InvalidError, *PROTECTED),
)
async def submit_activations(
    asked: FilterOptions, caller: Administrator, opened: Backends, language: AskedLanguage
) -> JobOutput:
    """A job does it, for those of them who have no password yet; without a filter, for everybody."""
    job = await opened.activations.submit(asked, by=caller, language=language)
    return job_replies.describe(job)

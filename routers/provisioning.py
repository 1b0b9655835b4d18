"""`/clients/{id}/users` and `/clients/{id}/activity`: whom a provisioning client sees, and what it asked."""

from fastapi import APIRouter, status

from app.core.errors import ClientNotFoundError, InvalidError, UserNotFoundError
from app.http.dependencies import Administrator, Backends, ClientId, PageOptions, UserId, query_parameters
from app.http.json_route import JsonRoute
from app.http.problems import PAGED, PROTECTED, responses
from app.http.provisioning_replies import activity, links
from models.job import PageQuery
from models.provisioned import LinkPage, ProvisioningActivity

router = APIRouter(prefix="/clients/{client_id}", tags=["clients"], route_class=JsonRoute)


@router.get(
    "/users",
    summary="The users that a provisioning client sees",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(ClientNotFoundError, *PAGED, *PROTECTED),
)
async def list_client_users(
    client_id: ClientId, asked: PageOptions, _: Administrator, opened: Backends
) -> LinkPage:
    """Those that it made by SCIM or was given; who was in the directory first comes first."""
    return links(await opened.provisioning.list_users(client_id, asked))


@router.put(
    "/users/{user_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Let a provisioning client see a user",
    responses=responses(ClientNotFoundError, UserNotFoundError, InvalidError, *PROTECTED),
)
async def give_user(client_id: ClientId, user_id: UserId, caller: Administrator, opened: Backends) -> None:
    """From the next request on it finds and changes them by SCIM as one of its own. Twice is as once."""
    await opened.provisioning.give_user(client_id, user_id, by=caller.user_id)


@router.delete(
    "/users/{user_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Hide a user from a provisioning client",
    responses=responses(ClientNotFoundError, UserNotFoundError, InvalidError, *PROTECTED),
)
async def take_user(client_id: ClientId, user_id: UserId, caller: Administrator, opened: Backends) -> None:
    """The user stays as they are; what only the client said of them is forgotten."""
    await opened.provisioning.take_user(client_id, user_id, by=caller.user_id)


@router.get(
    "/activity",
    summary="What a provisioning client asked lately",
    responses=responses(ClientNotFoundError, InvalidError, *PROTECTED),
)
async def read_client_activity(
    client_id: ClientId, _: Administrator, opened: Backends
) -> ProvisioningActivity:
    """Its last requests by SCIM, why those failed that did, and counts of each day; some seconds old.

    What a process held that was killed is missing.
    """
    return activity(await opened.provisioning.read_activity(client_id))

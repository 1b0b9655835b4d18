"""`/users/me/consents` and `/users/{user_id}/consents`: what users let clients have."""

from fastapi import APIRouter, status

from app.core.errors import ConsentNotFoundError, InvalidError
from app.http import client_bodies
from app.http.dependencies import Administrator, Backends, ClientId, Myself, UserId
from app.http.json_route import JsonRoute
from app.http.problems import PROTECTED, NotFoundError, responses
from models.client import ConsentList

router = APIRouter(tags=["consents"], route_class=JsonRoute)


@router.get("/users/me/consents", summary="What you let clients have", responses=responses(*PROTECTED))
async def list_my_consents(caller: Myself, opened: Backends) -> ConsentList:
    """By client, at most a thousand. First-party clients ask for no consent."""
    return client_bodies.consents(await opened.auth.consents.list_all(caller.user_id))


@router.delete(
    "/users/me/consents/{client_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Withdraw a consent",
    responses=responses(ConsentNotFoundError, InvalidError, *PROTECTED),
)
async def withdraw_my_consent(client_id: ClientId, caller: Myself, opened: Backends) -> None:
    """What the client holds of yours ends with this reply; the next time it has to ask."""
    await opened.auth.consents.withdraw(caller.user_id, client_id)


@router.get(
    "/users/{user_id:oid}/consents",
    summary="What a user lets clients have",
    responses=responses(NotFoundError, InvalidError, *PROTECTED),
)
async def list_consents(user_id: UserId, _: Administrator, opened: Backends) -> ConsentList:
    """By client, at most a thousand; empty for an unknown user."""
    return client_bodies.consents(await opened.auth.consents.list_all(str(user_id)))


@router.delete(
    "/users/{user_id:oid}/consents/{client_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Withdraw a user's consent",
    responses=responses(ConsentNotFoundError, InvalidError, *PROTECTED),
)
async def withdraw_consent(
    user_id: UserId, client_id: ClientId, caller: Administrator, opened: Backends
) -> None:
    """What the client holds of the user ends with this reply; the next time it has to ask."""
    await opened.auth.consents.withdraw(str(user_id), client_id, by=caller.user_id)

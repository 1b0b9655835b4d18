"""`/clients`: the OAuth clients, registered and changed by administrators."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response, status

from app import oauth
from app.core.errors import (
    ClientExistsError,
    ClientHasNoSecretError,
    ClientNotFoundError,
    InvalidError,
)
from app.http import client_bodies, replies
from app.http.dependencies import Administrator, Backends, ClientId, PageOptions, query_parameters
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from models.client import (
    ClientInput,
    ClientOutput,
    ClientPage,
    ClientPatch,
    NewClientOutput,
    SecretOutput,
    SecretRenewal,
)
from models.job import PageQuery

router = APIRouter(prefix="/clients", tags=["clients"], route_class=JsonRoute)

_A_DAY = SecretRenewal()
_PATCH: dict[str, Any] = replies.merge_patch("ClientPatch")


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Register a client",
    responses=responses(ClientExistsError, *BODY, *PROTECTED),
)
async def create_client(
    asked: ClientInput, caller: Administrator, opened: Backends, reply: Response
) -> NewClientOutput:
    """The secret is shown only once; a client whose `auth_method` needs none has none."""
    client, secret = await opened.auth.clients.register(
        client_bodies.new(asked), client_id=asked.id, by=caller.user_id
    )
    reply.headers["Location"] = f"/clients/{quote(client.id, safe='')}"
    return NewClientOutput(**client_bodies.describe(client).model_dump(), secret=secret)


@router.get(
    "",
    summary="The registered clients",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_clients(_: Administrator, asked: PageOptions, opened: Backends) -> ClientPage:
    """By id, without the built-in client `roster`."""
    return client_bodies.page(await opened.auth.clients.page(asked))


@router.get(
    "/{client_id}",
    summary="One client",
    responses=responses(ClientNotFoundError, InvalidError, *PROTECTED),
)
async def read_client(client_id: ClientId, _: Administrator, opened: Backends) -> ClientOutput:
    """Without its secret, of which only a hash is stored."""
    return client_bodies.describe(await opened.auth.clients.read(client_id))


@router.patch(
    "/{client_id}",
    summary="Change a client",
    openapi_extra=_PATCH,
    responses=responses(ClientNotFoundError, *BODY, *PROTECTED),
)
async def patch_client(
    client_id: ClientId, patch: ClientPatch, caller: Administrator, opened: Backends
) -> ClientOutput:
    """JSON Merge Patch (RFC 7396): omitted fields stay. Its sessions go on.

    Sign-ins and refreshes grant by new scopes from now on; access tokens keep theirs until they expire.
    Tokens that the client keeps end if they hold a scope which it has lost.
    """
    changes = client_bodies.changes(patch)
    changed = await oauth.change_client(opened.auth, client_id, changes, by=caller.user_id)
    return client_bodies.describe(changed)


@router.delete(
    "/{client_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Remove a client",
    responses=responses(ClientNotFoundError, InvalidError, *PROTECTED),
)
async def remove_client(client_id: ClientId, caller: Administrator, opened: Backends) -> None:
    """Its sessions end with this reply, and what its users let it have is forgotten."""
    await oauth.remove_client(opened.auth, client_id, by=caller.user_id)


@router.post(
    "/{client_id}/secret",
    summary="Renew a client's secret",
    responses=responses(ClientNotFoundError, ClientHasNoSecretError, *BODY, *PROTECTED),
)
async def renew_secret(
    client_id: ClientId, caller: Administrator, opened: Backends, asked: SecretRenewal = _A_DAY
) -> SecretOutput:
    """The new secret is shown only once. The old one is good for a day more, or as long as `overlap` says.

    Any older one is good no longer.
    """
    secret = await opened.auth.clients.renew_secret(client_id, overlap_s=asked.overlap, by=caller.user_id)
    return SecretOutput(secret=secret)

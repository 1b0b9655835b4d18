"""The protocol, which the library serves, over the users of the directory."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from scim2_models import (
    NotImplementedException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
    User,
)
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService
from scim2_server.storage import AsyncScimStorage, SearchPage

from app.scim import filters, lenience
from app.scim.models import PROVIDER

_TRIES = 5
"""Tries of a change without If-Match, each on the latest version."""


class _Service(ScimService):
    def patch_response(
        self, base_url: str, resource: Resource[Any], response_parameters: ResponseParameters[Any]
    ) -> ScimResponse:
        """200 with the user, as some clients take 204 for a fault; 204 of a group, which may be large."""
        if not isinstance(resource, User):
            return super().patch_response(base_url, resource, response_parameters)
        return self.replacement_response(base_url, resource, response_parameters)


SERVICE = _Service(PROVIDER)


class Resources(Protocol):
    """The resources of one type that a client sees."""

    async def get(self, resource_id: str, /) -> Resource[Any]: ...
    async def search(self, request: SearchRequest[Any], /) -> SearchPage: ...
    async def create(self, resource: Any, /) -> Resource[Any]: ...
    async def update(self, resource: Any, version: str | None, /) -> Resource[Any]: ...
    async def delete(self, resource_id: str, version: str | None, /) -> None: ...


class Storage(AsyncScimStorage):
    """What one client sees of the directory, by the name of the type."""

    def __init__(self, types: Mapping[str, Resources]) -> None:
        self._types = types

    def _of(self, resource_type: ResourceType) -> Resources:
        return self._types[str(resource_type.name)]

    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,  # noqa: ARG002 - resources are read whole
    ) -> Resource[Any]:
        return await self._of(resource_type).get(resource_id)

    async def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002 - of cursors
    ) -> SearchPage:
        if len(resource_types) > 1:
            raise NotImplementedException(detail="Search one type at a time: /Users, or another.")
        return await self._of(resource_types[0]).search(search_request)

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        return await self._of(resource_type).create(resource)

    async def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        return await self._of(resource_type).update(resource, expected_version)

    async def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        await self._of(resource_type).delete(resource_id, expected_version)


async def serve(request: ScimRequest, storage: Storage) -> ScimResponse:
    """The reply to a request; errors are raised."""
    filters.check(request.query.get("filter", ""))
    _relax(request)
    handler = AsyncScimHandler(SERVICE, storage)
    is_free = request.method in ("PUT", "PATCH") and request.header("If-Match") is None
    for _ in range(_TRIES - 1 if is_free else 0):
        try:
            return await handler.handle(request)
        except PreconditionFailedException:
            continue  # others changed it meanwhile, and the client named no version
    return await handler.handle(request)


def _relax(request: ScimRequest) -> None:
    """Say the body as the standard has it; what is no JSON is left to the library to refuse."""
    relax = _RELAXED.get(request.method)
    if relax is None or not request.body:
        return
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return
    if request.path.endswith(".search"):
        filters.check(str(body.get("filter", "")) if isinstance(body, dict) else "")
        return
    relaxed = _relax_bulk(body) if request.path.strip("/") == "Bulk" else relax(body)
    request.body = json.dumps(relaxed).encode()


_RELAXED: dict[str, Callable[[Any], Any]] = {
    "POST": lenience.relax_resource,
    "PUT": lenience.relax_resource,
    "PATCH": lenience.relax_patch,
}


def _relax_bulk(body: Any) -> Any:
    operations = body.get("Operations") if isinstance(body, dict) else None
    if not isinstance(operations, list):
        return body
    return body | {"Operations": [_relax_one(each) for each in operations]}


def _relax_one(operation: Any) -> Any:
    relax = _RELAXED.get(str(operation.get("method")).upper()) if isinstance(operation, dict) else None
    if relax is None or "data" not in operation:
        return operation
    return operation | {"data": relax(operation["data"])}

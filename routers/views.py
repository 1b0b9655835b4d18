"""`/views`: saved views of the list of users."""

from fastapi import APIRouter, Response, status

from app.core.errors import (
    InvalidError,
    PreconditionFailedError,
    PreconditionRequiredError,
    RosterError,
    SignInNeededError,
    TooManyViewsError,
    ViewNotFoundError,
)
from app.http import view_replies
from app.http.dependencies import (
    Backends,
    ExpectedVersions,
    KnownVersions,
    PageOptions,
    ViewCaller,
    ViewId,
    query_parameters,
)
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from app.http.replies import VERSIONED
from models.job import PageQuery
from models.view import ViewInput, ViewOutput, ViewPage

router = APIRouter(tags=["views"], route_class=JsonRoute, prefix="/views")

READ: tuple[type[RosterError], ...] = (ViewNotFoundError, SignInNeededError, *PROTECTED)
CHANGE = (*READ, PreconditionFailedError, PreconditionRequiredError)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=ViewOutput,
    summary="Save a view",
    responses=responses(TooManyViewsError, SignInNeededError, *BODY, *PROTECTED)
    | {201: {"headers": VERSIONED}},
)
async def create_view(body: ViewInput, caller: ViewCaller, opened: Backends) -> Response:
    """For yourself, or shared with all who may read users. A person has at most 100."""
    return view_replies.created(await opened.views.create(body, caller))


@router.get(
    "",
    summary="Your views and shared ones, the newest first",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(SignInNeededError, *PAGED, *PROTECTED),
)
async def list_views(asked: PageOptions, caller: ViewCaller, opened: Backends) -> ViewPage:
    """What others saved for themselves is not among them."""
    return view_replies.page(await opened.views.page(asked, caller))


@router.get(
    "/{view_id:oid}",
    response_model=ViewOutput,
    summary="One view",
    responses=responses(InvalidError, *READ)
    | {
        200: {"headers": VERSIONED},
        304: {"description": "The view is still at the version that If-None-Match names."},
    },
)
async def read_view(view_id: ViewId, caller: ViewCaller, known: KnownVersions, opened: Backends) -> Response:
    """Yours, or a shared one."""
    return view_replies.view_unless_known(await opened.views.read(view_id, caller), known)


@router.put(
    "/{view_id:oid}",
    response_model=ViewOutput,
    summary="Replace a view",
    responses=responses(*BODY, *CHANGE) | {200: {"headers": VERSIONED}},
)
async def replace_view(
    view_id: ViewId, body: ViewInput, versions: ExpectedVersions, caller: ViewCaller, opened: Backends
) -> Response:
    """Yours; with `users:admin` a shared one of somebody else, which stays shared."""
    return view_replies.view(await opened.views.replace(view_id, body, versions, caller))


@router.delete(
    "/{view_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a view",
    responses=responses(InvalidError, *CHANGE),
)
async def delete_view(
    view_id: ViewId, versions: ExpectedVersions, caller: ViewCaller, opened: Backends
) -> None:
    """Yours; with `users:admin` a shared one of somebody else."""
    await opened.views.delete(view_id, versions, caller)

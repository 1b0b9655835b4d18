"""`/users:bulk` and `/users/bulk`: one change of many users, planned first."""

from typing import Any

from fastapi import APIRouter, Response, status

from app.core.errors import (
    BulkApplyingError,
    BulkNotAppliedError,
    BulkNotFoundError,
    BulkNotPlannedError,
    BulkRevertedError,
    InvalidError,
    JobEndedError,
    MailOffError,
    TooManyUsersError,
)
from app.http import bulk_replies, import_replies
from app.http.dependencies import (
    Backends,
    BulkId,
    ImportRowsOptions,
    ImportViewer,
    Notify,
    PageOptions,
    Patience,
    Writer,
    query_parameters,
)
from app.http.import_replies import LATER, PLACE
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from app.jobs import Viewer
from models.bulk import BulkBody, BulkList, BulkPlan
from models.imports import ImportRowsQuery
from models.job import PageQuery

router = APIRouter(tags=["bulk"], route_class=JsonRoute)

_LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": BulkPlan, "description": "Its job goes on.", "headers": {**PLACE, **LATER}}
}
_MADE: dict[int | str, dict[str, Any]] = {201: {"headers": PLACE}, **_LATER}


@router.post(
    "/users:bulk",
    status_code=status.HTTP_201_CREATED,
    response_model=BulkPlan,
    response_model_exclude_unset=True,
    summary="Plan one change of many users",
    responses=responses(TooManyUsersError, *BODY, *PROTECTED) | _MADE,
)
async def submit_bulk(
    asked: BulkBody, caller: Writer, patience: Patience, opened: Backends, reply: Response
) -> BulkPlan | Response:
    """Of all users of a filter, or of these ids. No user is changed before the plan is applied.

    The plan keeps who is in it, each at their version, and says who is refused and what cannot be undone.
    Tags and deletions need `users:write`, all else `users:admin`. The answer waits for the plan for ten
    seconds, or as `Prefer: wait` says.
    """
    bulk_id, job = await opened.bulk.submit(asked, by=caller.user_id, scopes=caller.scopes)
    viewer = Viewer(caller.user_id, is_admin=False)
    found = await import_replies.look(
        opened.bulk, opened.jobs, bulk_id, job, viewer=viewer, patience=patience
    )
    return _plan(found, reply, status=201)


def _plan(found: import_replies.Waited, reply: Response, *, status: int) -> BulkPlan | Response:
    if isinstance(found, Response):
        return found
    shown, page, has_ended = found
    return bulk_replies.plan(shown, page, reply, status=status if has_ended else 202)


@router.get(
    "/users/bulk",
    response_model_exclude_unset=True,
    summary="List bulk changes",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_bulk(viewer: ImportViewer, asked: PageOptions, opened: Backends) -> BulkList:
    """Your own, the newest first; with `users:admin` those of all users."""
    return bulk_replies.listed(await opened.bulk.list_all(viewer, asked))


@router.get(
    "/users/bulk/{bulk_id:oid}",
    response_model_exclude_unset=True,
    summary="Read a bulk change and its rows",
    openapi_extra=query_parameters(ImportRowsQuery),
    responses=responses(BulkNotFoundError, *PAGED, *PROTECTED),
)
async def read_bulk(
    bulk_id: BulkId, viewer: ImportViewer, asked: ImportRowsOptions, opened: Backends, reply: Response
) -> BulkPlan:
    """The plan, or its result, user by user; follow `next` until it is null."""
    shown = await opened.bulk.find(bulk_id, viewer)
    return bulk_replies.plan(shown, await opened.bulk.page(shown.document, asked), reply)


@router.post(
    "/users/bulk/{bulk_id:oid}/apply",
    response_model=BulkPlan,
    response_model_exclude_unset=True,
    summary="Apply a bulk change",
    responses=responses(BulkNotFoundError, BulkNotPlannedError, MailOffError, InvalidError, *PROTECTED)
    | _LATER,
)
async def apply_bulk(
    bulk_id: BulkId,
    viewer: ImportViewer,
    patience: Patience,
    opened: Backends,
    reply: Response,
    *,
    notify: Notify = "false",
) -> BulkPlan | Response:
    """Applies the plan, each row exactly once, even if processes are killed meanwhile.

    A user who was changed after the plan was made stays as they are: the row becomes a conflict. Applying
    again changes nothing; if the job was cancelled, it goes on. The answer waits for ten seconds, or as
    `Prefer: wait` says.
    """
    job = await opened.bulk.begin(bulk_id, viewer, notify=notify == "true")
    found = await import_replies.look(
        opened.bulk, opened.jobs, bulk_id, job, viewer=viewer, patience=patience
    )
    return _plan(found, reply, status=200)


@router.post(
    "/users/bulk/{bulk_id:oid}/cancel",
    response_model_exclude_unset=True,
    summary="Cancel a bulk change",
    responses=responses(BulkNotFoundError, JobEndedError, InvalidError, *PROTECTED),
)
async def cancel_bulk(bulk_id: BulkId, viewer: ImportViewer, opened: Backends, reply: Response) -> BulkPlan:
    """Cancels the job that plans or applies it, within a few seconds; what was done stays done."""
    shown = await opened.bulk.cancel(bulk_id, viewer)
    return bulk_replies.plan(shown, await opened.bulk.page(shown.document, ImportRowsQuery()), reply)


@router.post(
    "/users/bulk/{bulk_id:oid}/revert",
    status_code=status.HTTP_201_CREATED,
    response_model=BulkPlan,
    response_model_exclude_unset=True,
    summary="Plan the revert of a bulk change",
    responses=responses(
        BulkNotFoundError,
        BulkApplyingError,
        BulkNotAppliedError,
        BulkRevertedError,
        InvalidError,
        *PROTECTED,
    )
    | _MADE,
)
async def revert_bulk(
    *,
    bulk_id: BulkId,
    caller: Writer,
    viewer: ImportViewer,
    patience: Patience,
    opened: Backends,
    reply: Response,
) -> BulkPlan | Response:
    """Makes a new bulk change whose rows undo the applied ones, as the revert of an import does.

    A field that was changed since is a conflict. Deletions and ended sessions stay, and so does what the
    audit trail no longer has, as the row's `errors` say.
    """
    revert_id, job = await opened.bulk.revert(bulk_id, viewer, by=caller.user_id, scopes=caller.scopes)
    found = await import_replies.look(
        opened.bulk, opened.jobs, revert_id, job, viewer=viewer, patience=patience
    )
    return _plan(found, reply, status=201)


@router.delete(
    "/users/bulk/{bulk_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a bulk change",
    responses=responses(BulkNotFoundError, BulkApplyingError, InvalidError, *PROTECTED),
)
async def delete_bulk(bulk_id: BulkId, viewer: ImportViewer, opened: Backends) -> None:
    """Deletes its plan and its rows. Applied changes stay."""
    await opened.bulk.delete(bulk_id, viewer)

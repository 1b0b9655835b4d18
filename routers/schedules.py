"""`/users/exports/schedules`: exports made on a schedule."""

from typing import Any

from fastapi import APIRouter, Response, status

from app.core.errors import (
    InvalidError,
    MailOffError,
    ScheduleNotFoundError,
    SignInNeededError,
)
from app.http import job_replies, replies
from app.http.dependencies import (
    Backends,
    ExportViewer,
    PageOptions,
    ScheduleId,
    ScheduleMaker,
    query_parameters,
)
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from models.job import PageQuery
from models.schedule import ScheduleInput, ScheduleOutput, SchedulePage, SchedulePatch

router = APIRouter(tags=["export"], route_class=JsonRoute, prefix="/users/exports/schedules")

_PATCH: dict[str, Any] = replies.merge_patch("SchedulePatch")


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Schedule an export",
    responses=responses(SignInNeededError, MailOffError, *BODY, *PROTECTED),
)
async def create_schedule(
    body: ScheduleInput, caller: ScheduleMaker, opened: Backends, reply: Response
) -> ScheduleOutput:
    """Each run makes an export, as `POST /users/exports` does, unless the previous one is still running."""
    made = job_replies.schedule(await opened.schedules.create(body, by=caller.user_id))
    reply.headers["Location"] = f"/users/exports/schedules/{made.id}"
    return made


@router.get(
    "",
    summary="Schedules, the newest first",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_schedules(asked: PageOptions, viewer: ExportViewer, opened: Backends) -> SchedulePage:
    """Your own; with `users:admin` those of all users."""
    return job_replies.schedules(await opened.schedules.page(asked, viewer))


@router.get(
    "/{schedule_id:oid}",
    summary="One schedule",
    responses=responses(ScheduleNotFoundError, InvalidError, *PROTECTED),
)
async def read_schedule(schedule_id: ScheduleId, viewer: ExportViewer, opened: Backends) -> ScheduleOutput:
    """Its next run and its last export."""
    return job_replies.schedule(await opened.schedules.find(schedule_id, viewer))


@router.patch(
    "/{schedule_id:oid}",
    summary="Change a schedule",
    openapi_extra=_PATCH,
    responses=responses(ScheduleNotFoundError, MailOffError, *BODY, *PROTECTED),
)
async def patch_schedule(
    schedule_id: ScheduleId, body: SchedulePatch, viewer: ExportViewer, opened: Backends
) -> ScheduleOutput:
    """Omitted members stay; `export` is replaced as a whole. It takes effect within a minute."""
    return job_replies.schedule(await opened.schedules.change(schedule_id, body, viewer))


@router.delete(
    "/{schedule_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a schedule",
    responses=responses(ScheduleNotFoundError, InvalidError, *PROTECTED),
)
async def delete_schedule(schedule_id: ScheduleId, viewer: ExportViewer, opened: Backends) -> None:
    """Its exports stay until they expire."""
    await opened.schedules.delete(schedule_id, viewer)

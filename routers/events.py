"""`/events`: what happens, as it does."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from app.core.errors import TooManyListenersError
from app.http.dependencies import (
    Backends,
    EventOptions,
    EventReader,
    LastEvent,
    find_caller,
    query_parameters,
)
from app.http.live_replies import LiveEvents
from app.http.problems import PAGED, PROTECTED, responses
from models.event import EventQuery

router = APIRouter(tags=["events"])

_EVENT = (
    'id: 41\nevent: user.changed\ndata: {"id":"evt_6b05f0a1e1b7a3d4c9f01236","type":"user.changed",…}\n\n'
)
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events by their types; `reset` where some are kept no longer: list the users anew; "
        "finally `end` with the reason as its `code`.",
        "content": {"text/event-stream": {"schema": {"examples": [_EVENT]}}},
    }
}


@router.get(
    "/events",
    response_class=Response,
    summary="Events as they happen, as server-sent events",
    openapi_extra=query_parameters(EventQuery),
    responses=responses(TooManyListenersError, *PAGED, *PROTECTED) | _EVENTS,
)
async def stream_events(
    _caller: EventReader, asked: EventOptions, opened: Backends, request: Request, since: LastEvent
) -> Response:
    """From now on, or from after `Last-Event-ID`, as long as events are kept.

    With filters of the list of users, events about users who match when they are sent, and all deletions.
    The stream ends with your session, your token or the scope.
    """
    check = partial(find_caller, request, "events:read")
    return LiveEvents(opened.live.listen(asked, since, check))

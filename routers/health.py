"""Health checks: whether the process is up, and whether it can do its work."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.core.errors import NotReadyError
from app.http.dependencies import Backends
from app.http.problems import responses

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready"]


@router.get("/live", summary="Is the process up?", operation_id="get_liveness", responses=responses())
async def get_liveness() -> Health:
    """Answers while the process serves HTTP, without asking a database."""
    return Health(status="ok")


@router.get(
    "/ready",
    summary="Can it do its work?",
    operation_id="get_readiness",
    responses=responses(NotReadyError),
)
async def get_readiness(opened: Backends) -> Ready:
    """MongoDB's primary, Redis, the indexes and a signing key; 503 says which is missing.

    Also 503 once the process is told to stop.

    They are checked at most once a second; the answer comes within about a second.
    """
    await opened.readiness.check()
    return Ready(status="ready")

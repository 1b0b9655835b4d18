"""Whether the process is up."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.problems import responses

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    status: Literal["ok"]


@router.get("/live", summary="Is the process up?", operation_id="get_liveness", responses=responses())
async def get_liveness() -> Health:
    """Answers as long as the process serves HTTP; asks no database."""
    return Health(status="ok")

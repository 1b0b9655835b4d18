"""`/audit`: who changed which user, and what."""

from fastapi import APIRouter

from app.core.errors import QueryTooExpensiveError
from app.http import replies
from app.http.dependencies import Administrator, AuditOptions, Backends, query_parameters
from app.http.problems import PAGED, PROTECTED, responses
from models.audit import AuditPage, AuditQuery

router = APIRouter(tags=["audit"])


@router.get(
    "/audit",
    summary="Who changed which user, and what",
    openapi_extra=query_parameters(AuditQuery),
    responses=responses(*PAGED, QueryTooExpensiveError, *PROTECTED),
)
async def read_audit(_: Administrator, asked: AuditOptions, opened: Backends) -> AuditPage:
    """The newest first; follow `next` until it is null.

    Each entry was written in the transaction of its change. For a deleted user it still tells who changed
    which fields, but not their values.
    """
    return replies.audit(await opened.audit.find(asked))

"""`/auth/results`: what became of an export, import or bulk change, for those whom a mail told of its end."""

from typing import Final

from beanie import PydanticObjectId
from fastapi import APIRouter, Request, Response

from app.core.errors import InsufficientScopeError, JobNotFoundError
from app.http import job_replies, languages, pages, replies, visits
from app.http.byte_ranges import ByteRange
from app.http.dependencies import Backends, Source
from app.http.pages import PageRoute
from app.http.visits import Visit
from app.jobs import Job, Viewer
from app.pages.views import Result
from models.export import MEDIA_TYPES
from models.job import JobKind
from models.values import Scope

router = APIRouter(prefix="/auth/results", include_in_schema=False, route_class=PageRoute)

_NEEDS: Final[dict[JobKind, Scope]] = {
    "export": "users:export",
    "import_apply": "users:write",
    "bulk_apply": "users:write",
}
_TITLES: Final[dict[JobKind, str]] = {
    "export": "results.export",
    "import_apply": "results.imported",
    "bulk_apply": "results.bulk",
}
_WHOLE: Final = ByteRange(None, None, None)


@router.get("")
async def show_result(request: Request, source: Source, opened: Backends) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("results")
    job = await _find(visit, opened)
    return visit.show(Result(_TITLES[job.kind], _text(job), str(job.done), _file(job)))


@router.get("/file")
async def download_result(request: Request, source: Source, opened: Backends) -> Response:
    """The export, or the rows of the import with what became of each."""
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("results")
    job = await _find(visit, opened)
    if job.kind == "bulk_apply":
        raise JobNotFoundError("A bulk change has no file.")
    viewer = Viewer(job.by or "", is_admin=False)
    if job.kind == "export":
        export = await opened.exports.find(PydanticObjectId(job.subject), viewer)
        return await job_replies.stored_file(await opened.exports.open_file(export), export, _WHOLE)
    shown = await opened.imports.find(PydanticObjectId(job.subject), viewer)
    languages.choose(pages.find_own_language(request))
    chunks = await opened.imports.begin_sheet(shown.document, [], languages.say_one)
    return replies.Download(chunks, media_type=MEDIA_TYPES["xlsx"], filename=f"import-{job.subject}.xlsx")


async def _find(visit: Visit, opened: Backends) -> Job:
    """A job that is the user's own, or whose file they get.

    JobNotFoundError; InsufficientScopeError: they may not do such work any more.
    """
    account = await visit.read_account()
    job = await opened.jobs.find(visit.request.query_params.get("job", ""))
    if account.user_id not in {job.by, *job.recipients} or job.kind not in _NEEDS:
        raise JobNotFoundError("There is no page of this job.")
    if _NEEDS[job.kind] not in account.scopes:
        raise InsufficientScopeError(_NEEDS[job.kind])
    return job


def _text(job: Job) -> str:
    if not job.has_ended:
        return "results.waiting"
    return "results.done" if job.state == "succeeded" else "results.failed"


def _file(job: Job) -> str | None:
    """The id of the job whose file can be had."""
    return str(job.id) if job.state == "succeeded" and job.kind != "bulk_apply" else None

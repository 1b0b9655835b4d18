"""Exports that jobs make, with stored files."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app import jobs, search
from app.core.clock import now
from app.core.cursors import CursorSealer
from app.core.errors import (
    BusyError,
    ExportNotFoundError,
    ExportNotReadyError,
    FieldError,
    InvalidError,
    JobEndedError,
    JobNotFoundError,
)
from app.core.limits import CountedSemaphore, WritingThread
from app.core.mongo import AWARE
from app.core.paging import Page, newest_first
from app.database.connections import Connections
from app.database.transactions import together
from app.exports import streaming
from app.files import Files, StoredFile
from app.jobs import Job, Jobs, Run, Viewer
from app.listing import Listing, build
from app.spreadsheets import columns
from app.spreadsheets.writing import Writer
from models.export import MEDIA_TYPES, Format
from models.export_job import ExportBody
from models.job import PageQuery
from models.listing import FileQuery

WAITING = 50
"""The most queued exports of one user."""
_FILTERS = frozenset(ExportBody.model_fields) - {
    *("format", "columns", "addresses", "q", "sort", "filename", "notify")
}


@dataclass(frozen=True, slots=True)
class Export:
    """An export and its job, which may be deleted already."""

    document: dict[str, Any]
    job: Job | None

    @property
    def id(self) -> str:
        return str(self.document["_id"])

    @property
    def state(self) -> str:
        is_left = self.document.get("destination") is None or self.document["delivered_at"] is not None
        if self.document["file"] is not None and is_left:
            return "succeeded"
        return "failed" if self.job is None else self.job.state

    @property
    def format(self) -> Format:
        form: Format = self.document["asked"]["format"]
        return form

    @property
    def filter(self) -> dict[str, Any]:
        return {name: value for name, value in self.document["asked"].items() if name in _FILTERS}

    @property
    def filename(self) -> str:
        made = f"users-{self.document['created_at']:%Y%m%d-%H%M%S}"
        name = self.document["asked"].get("filename", made)
        return name if name.lower().endswith(f".{self.format}") else f"{name}.{self.format}"

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.format]


def check(asked: ExportBody) -> list[str] | None:
    """The labels of the export's columns, None for whole users. InvalidError names what is wrong."""
    try:
        build(asked)
        if asked.q is not None:
            search.parse(asked.q)
        if asked.format == "ndjson" and asked.columns is None:
            return None
        return [column.label for column in columns.choose(asked.columns, addresses=asked.addresses)]
    except InvalidError as error:
        in_body = [FieldError(bad.detail, pointer=f"/{bad.parameter}") for bad in error.errors]
        raise InvalidError(error.detail, errors=tuple(in_body)) from None


class Exports:
    """Exports by jobs, and downloads, which stream users in the same way."""

    def __init__(
        self, connections: Connections, files: Files, listing: Listing, jobs: Jobs, cursors: CursorSealer
    ) -> None:
        self.running = CountedSemaphore(connections.settings.exports_at_once)
        """The running downloads."""
        self.writing = WritingThread()
        self._settings = connections.settings
        self._database = connections.database
        self.places = files.places
        self._files = files
        self._listing = listing
        self._exports = connections.database.get_collection("exports", codec_options=AWARE)
        self._jobs = jobs
        self._cursors = cursors

    async def begin(
        self,
        asked: FileQuery,
        form: Format,
        *,
        running: asyncio.Semaphore | None = None,
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> tuple[Writer, AsyncGenerator[bytes, None]]:
        """The same as `streaming.begin`: a download, or counted in `running`, what a job writes."""
        return await streaming.begin(
            self._listing,
            asked,
            form,
            users=await self._listing.find_answering() if running is None else None,
            running=running or self.running,
            writing=self.writing,
            on_rows=on_rows,
        )

    async def submit(self, asked: ExportBody, *, by: str | None, schedule: ObjectId | None = None) -> Export:
        """Submit an export and its job.

        InvalidError: the export is not valid. BusyError: too many exports of the user are queued.
        MailOffError: a mail is wished for, and none can be sent.
        """
        check(asked)
        self._jobs.check_notice(notify=asked.notify)
        await self._check_room(by)
        made = await together(
            self._database.client,
            lambda session: self.add(asked, session, by=by, schedule=schedule),
        )
        if made.job is not None:
            await self._jobs.announce(str(made.job.id))
        return made

    async def _check_room(self, by: str | None) -> None:
        """BusyError if too many exports of the user are queued: each costs a walk and space in the store."""
        waiting = {"state": {"$in": ["queued", "running"]}, "kind": "export", "by": by}
        if await jobs.collection(self._database).count_documents(waiting, limit=WAITING) == WAITING:
            raise BusyError(f"{WAITING} exports of yours are waiting already: wait for one.", retry_after=5)

    async def add(
        self,
        asked: ExportBody,
        session: AsyncClientSession,
        *,
        by: str | None,
        schedule: ObjectId | None = None,
        key: str | None = None,
        recipients: Sequence[str] = (),
        destination: str | None = None,
    ) -> Export:
        """Add an export within a transaction; announce its job after the commit."""
        export_id = ObjectId()
        job = await self._jobs.submit(
            "export",
            str(export_id),
            result=f"/users/exports/{export_id}",
            by=by,
            key=key,
            notify=asked.notify,
            recipients=recipients,
            session=session,
        )
        lives = timedelta(seconds=max(self._settings.export_ttl_s, self._settings.job_ttl_s))
        document = {
            "_id": export_id,
            "by": by,
            "asked": asked.model_dump(mode="json", exclude_unset=True),
            "schedule": schedule,
            "job": str(job.id),
            "labels": check(asked),
            "file": None,
            "rows": None,
            "bytes": None,
            "sha256": None,
            "destination": destination,
            "delivered_at": None,
            "created_at": job.created_at,
            "expires_at": job.created_at + lives,
        }
        await self._exports.insert_one(document, session=session)
        return Export(document, job)

    async def find(self, export_id: ObjectId, viewer: Viewer) -> Export:
        """One export. ExportNotFoundError: unknown, deleted, expired, or not for the viewer."""
        document = await self._exports.find_one({"_id": export_id, **viewer.filter})
        if document is None or document["expires_at"] <= datetime.now(UTC):
            raise ExportNotFoundError("There is no export with this id, it has expired, or it is not yours.")
        (found,) = await self._with_jobs([document])
        return found

    async def page(self, asked: PageQuery, viewer: Viewer) -> Page[Export]:
        """A page of exports, the newest first."""
        found = await newest_first(self._exports, self._cursors, viewer.filter, asked)
        return Page(await self._with_jobs(found.items), found.next)

    async def _with_jobs(self, documents: list[dict[str, Any]]) -> list[Export]:
        wanted = {"_id": {"$in": [ObjectId(document["job"]) for document in documents]}}
        found = await jobs.collection(self._database).find(wanted).to_list()
        known = {str(job["_id"]): Job.model_validate(job) for job in found}
        return [Export(document, known.get(document["job"])) for document in documents]

    async def delete(self, export_id: ObjectId, viewer: Viewer) -> None:
        """Delete an export and its file, and cancel its job if it still runs."""
        found = await self.find(export_id, viewer)
        with suppress(JobNotFoundError, JobEndedError):
            await self._jobs.cancel(found.document["job"])
        if found.document["file"] is not None:
            await self._files.delete("exports", found.document["file"])
        await self._exports.delete_one({"_id": export_id})

    async def open_file(self, export: Export) -> StoredFile:
        """The file. ExportNotReadyError: the job has not made it. ExportNotFoundError: deleted meanwhile."""
        file_id = export.document["file"]
        if file_id is None:
            raise ExportNotReadyError(
                f"The job has {export.state}." if export.state in _SAD else "Wait for its job."
            )
        found = await self._files.find("exports", file_id)
        if found is None:
            raise ExportNotFoundError("The export was deleted.")
        return found

    async def write(self, run: Run) -> None:
        """The job's handler. A repeated run writes another file; an incomplete one is never visible."""
        document = await self._exports.find_one({"_id": ObjectId(run.subject)})
        if document is None:
            return
        if document["file"] is None:
            made = await self._upload(run, Export(document, None))
            changed = await self._exports.update_one({"_id": document["_id"], "file": None}, {"$set": made})
            if not changed.modified_count:  # deleted meanwhile
                await self._files.delete("exports", made["file"])
                return
            await run.progress(made["rows"], made["rows"])
            document |= made
        export = Export(document, None)
        if export.state != "succeeded":
            await self._leave(export)

    async def _leave(self, export: Export) -> None:
        """Leave a copy of the file at the destination. InvalidError, UnavailableError: it is not there."""
        file = await self.open_file(export)
        await self.places.leave(file, export.document["destination"], export.media_type)
        await self._exports.update_one({"_id": export.document["_id"]}, {"$set": {"delivered_at": now()}})

    async def _upload(self, run: Run, export: Export) -> dict[str, Any]:
        """Upload the file, and return its part of the manifest."""
        asked = ExportBody.model_validate(export.document["asked"])
        count = _RowCount()
        expected = await self.expect(asked)
        _, chunks = await self.begin(asked, asked.format, running=asyncio.Semaphore(), on_rows=count.add)
        expires_at = now() + timedelta(seconds=self._settings.export_ttl_s)
        writing = self._files.writing("exports", export.filename, expires_at, content_type=export.media_type)
        async with aclosing(chunks), writing as (file_id, upload):
            async for chunk in chunks:
                await upload.write(chunk)
                await run.progress(count.rows, expected)
        return {
            "file": file_id,
            "rows": count.rows,
            "bytes": upload.length,
            "sha256": upload.sha256,
            "expires_at": expires_at,
        }

    async def expect(self, asked: ExportBody) -> int | None:
        """The expected number of users, if it can be counted quickly; it may change meanwhile."""
        return None if asked.q is not None else await self._listing.count(asked)


_SAD = frozenset({"failed", "cancelled"})


class _RowCount:
    def __init__(self) -> None:
        self.rows = 0

    def add(self, rows: int) -> None:
        self.rows += rows

"""Submits imports: inspects and stores the file, and makes the job that plans it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core import clock
from app.core.errors import TooManyImportsError
from app.database.connections import Connections
from app.database.transactions import together
from app.files import Files
from app.imports import encoding_choice, files, import_records, options
from app.imports.import_records import ImportRecords, kind_of, path_of
from app.imports.mapped_columns import MappedColumns
from app.imports.uploads import Upload, clean_name
from app.jobs import Job, Jobs
from app.spreadsheets.column_labels import ColumnLabels
from app.spreadsheets.reading.tables import Inspection, inspect
from app.spreadsheets.reading.values import Limits, UncertainEncodingError
from models.export import MEDIA_TYPES
from models.imports import LONGEST_SHEET_NAME, MOST_SHEETS, ImportQuery

Write = Callable[[AsyncClientSession], Awaitable[None]]
LOOK_S: Final = 4.0
"""How long a file is inspected before the reply; later errors fail the plan."""

UPLOADS = 4
"""Received at once by one process: more would share the same disk and network."""


class Submitter:
    """Submits new imports."""

    def __init__(self, connections: Connections, files: Files, jobs: Jobs) -> None:
        self.receiving = asyncio.Semaphore(UPLOADS)
        """The running uploads."""
        self._settings = connections.settings
        self._connections = connections
        self._database = connections.database
        self._records = ImportRecords(connections.database)
        self._files = files
        self._labels = ColumnLabels(connections.database)
        self._jobs = jobs

    def check_room(self) -> None:
        if self.receiving.locked():
            raise TooManyImportsError("Too many files are being uploaded: try again soon.", retry_after=5)

    async def submit(
        self, upload: Upload, asked: ImportQuery, *, by: str | None, scopes: frozenset[str]
    ) -> tuple[ObjectId, Job]:
        """Submit an import and the job that plans it, for a caller who may write users.

        UnsupportedFileError, UnreadableFileError, FileTooLargeError: of the file; InvalidError: of its
        columns.
        """
        columns = MappedColumns(asked.columns, ignored=asked.ignore)
        looked = await self._inspect(upload, asked)
        if looked.form != "ndjson":
            labels = await self._labels.find(looked.heading)
            columns = MappedColumns.of_heading(
                looked.heading, asked.columns, labels, ignored=asked.ignore,
                hidden={heading for place in looked.hidden_columns if (heading := looked.heading[place])},
            )  # fmt: skip
        document = self.make_document(asked, by=by, scopes=scopes)
        import_id = document["_id"]
        name = f"{import_id}.{looked.form}"
        stored = await files.store(
            self._files, upload.path, name, document["expires_at"], MEDIA_TYPES[looked.form]
        )
        document |= {
            "file": _describe(upload, asked, looked) | {"id": stored},
            "heading": looked.heading,
            "columns": columns.documents(),
        }
        job = await self.keep(document, total=looked.rows if looked.is_whole else None)
        return import_id, job

    def make_document(self, asked: ImportQuery, *, by: str | None, scopes: frozenset[str]) -> dict[str, Any]:
        """A new import without its `file`, `heading` and `columns`."""
        moment = clock.now()
        return {
            "_id": ObjectId(),
            "by": by,
            "scopes": sorted(scopes),
            **options.keep(asked),
            "state": "planning",
            "attempt": 0,
            "rows": 0,
            "counts": import_records.nothing(),
            "apply_job": None,
            "created_at": moment,
            "planned_at": None,
            "applied_at": None,
            "expires_at": moment + timedelta(seconds=self._settings.import_ttl_s),
        }

    async def _inspect(self, upload: Upload, asked: ImportQuery) -> Inspection:
        choices = options.choices(asked)
        try:
            return await inspect(upload.path, Limits(), choices, within_s=LOOK_S)
        except UncertainEncodingError as error:
            fits = error.fits

        def make_columns(heading: Sequence[str], labels: Mapping[str, str]) -> MappedColumns:
            if not heading:
                return MappedColumns(asked.columns, ignored=asked.ignore)
            return MappedColumns.of_heading(heading, asked.columns, labels, ignored=asked.ignore)

        encoding = await encoding_choice.decide(self._connections, upload.path, choices, make_columns, fits)
        return await inspect(upload.path, Limits(), replace(choices, encoding=encoding), within_s=LOOK_S)

    async def keep(self, document: dict[str, Any], *, total: int | None, first: Write | None = None) -> Job:
        """Store the import together with its job, so that none is without a job.

        `first` runs before in the same transaction, and aborts it by raising.
        """

        async def write(session: AsyncClientSession) -> Job:
            if first is not None:
                await first(session)
            job = await self._jobs.submit(
                kind_of(document).plan_job,
                str(document["_id"]),
                result=path_of(document),
                by=document["by"],
                total=total,
                session=session,
            )
            await self._records.imports.insert_one(document | {"plan_job": str(job.id)}, session=session)
            return job

        job = await together(self._database.client, write)
        await self._jobs.announce(str(job.id))
        return job


def _describe(upload: Upload, asked: ImportQuery, looked: Inspection) -> dict[str, Any]:
    return {
        "name": upload.name or clean_name(asked.filename or ""),
        "format": looked.form,
        "bytes": upload.size,
        "sha256": upload.sha256,
        "encoding": looked.encoding,
        "delimiter": looked.delimiter,
        "sheet": looked.sheet and looked.sheet[:LONGEST_SHEET_NAME],
        "other_sheets": [name[:LONGEST_SHEET_NAME] for name in looked.other_sheets[:MOST_SHEETS]],
        "hidden_rows": None,
    }

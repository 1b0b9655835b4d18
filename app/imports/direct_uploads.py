"""Files of imports that come by the bucket: read from there, they are imported like those that came to us."""

from contextlib import aclosing
from datetime import datetime

from bson import ObjectId

from app.core.settings import Settings
from app.files import Files
from app.imports.import_views import Views
from app.imports.submitting import Submitter
from app.imports.uploads import receive
from app.jobs import Job, Viewer
from models.imports import ImportQuery
from models.upload import UploadInput


class DirectUploads:
    """Offers and completes them."""

    def __init__(self, settings: Settings, files: Files, submitter: Submitter, views: Views) -> None:
        self._limit = settings.import_max_bytes
        self._offers = files.offers
        self._submitter = submitter
        self._views = views

    async def offer(self, announced: UploadInput, *, by: str) -> tuple[ObjectId, str, datetime]:
        """The id, the URL, and until when that is good. TooLargeError; DirectUploadsOffError."""
        return await self._offers.make("imports", announced, by=by, most=self._limit)

    async def complete(
        self, upload_id: ObjectId, asked: ImportQuery, *, by: str, scopes: frozenset[str]
    ) -> tuple[ObjectId, Job | None]:
        """The import of the file and its job, also if it was complete before. Errors as `Submitter.submit`.

        UploadNotFoundError, UploadNotReadyError; UploadDiffersError: it is not what was announced.
        """
        offer = await self._offers.find("imports", upload_id, by=by)
        if offer.result is not None:
            shown = await self._views.find(offer.result, Viewer(by, is_admin=False))
            return offer.result, shown.job
        async with (
            aclosing(self._offers.read("imports", offer, most=self._limit)) as content,
            receive(content, "application/octet-stream", encoding="identity", limit=self._limit) as upload,
        ):
            offer.check(upload.sha256)
            import_id, job = await self._submitter.submit(upload, asked, by=by, scopes=scopes)
        await self._offers.end("imports", offer, import_id)
        return import_id, job

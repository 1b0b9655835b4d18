"""The content of files as objects of an S3 bucket, `<prefix>/<kind>/<id>`, by way of obstore.

A file of several parts is a multipart upload, which the bucket shows when it is complete or not at all.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

import anyio
import obstore
from bson import ObjectId
from obstore.store import S3Store

from app.core import dispositions
from app.core.errors import UnavailableError
from app.core.mongo import Row
from app.core.settings import Settings
from app.files.s3_errors import explained, explained_at_start, refuse_odd_keys
from models.file import FileKind

if TYPE_CHECKING:
    from obstore.store import S3Config

Method = Literal["GET", "PUT"]

_PART: Final = 5 * 1024 * 1024
"""The least that S3 takes as a part."""
BLOCK: Final = 1024 * 1024
_RETRIES: Final = 2
PROBE_S: Final = 5.0
SIGNED: Final[Mapping[Method, timedelta]] = {"GET": timedelta(minutes=1), "PUT": timedelta(minutes=15)}
"""For how long a signed URL is good; what has begun by then may go on."""


class S3:
    """The objects of files; which files there are, their entries say."""

    def __init__(self, settings: Settings, url: str) -> None:
        refuse_odd_keys()
        self._store = _open(settings, url, settings.files_endpoint)
        self._public = _open(settings, url, settings.files_public_endpoint or settings.files_endpoint)
        self._is_direct = settings.files_direct

    async def probe(self) -> None:
        """Write, read and delete an object. StartError: the store refuses it, and will go on doing so.

        A store that does not answer is only logged: it may come back, and all but files works without it.
        """
        key = f"probe/{ObjectId()}"  # one for each process, as several start at once
        with explained_at_start():
            async with asyncio.timeout(PROBE_S):
                await obstore.put_async(self._store, key, b"probe")
                await obstore.get_range_async(self._store, key, start=0, end=5)
                await obstore.delete_async(self._store, key)

    @asynccontextmanager
    async def writing(
        self, kind: FileKind, file_id: ObjectId, name: str, content_type: str
    ) -> AsyncGenerator["_Upload", None]:
        """Where to write the content of a file."""
        async with self.writing_to(_key(kind, file_id), name, content_type) as upload:
            yield upload

    @asynccontextmanager
    async def writing_to(self, key: str, name: str, content_type: str) -> AsyncGenerator["_Upload", None]:
        """Where to write an object, which is complete once the block is left, and called `name` when saved.

        An error in the block aborts the upload. UnavailableError: the store did not take it.
        """

        async def put(content: bytes | AsyncGenerator[bytes, None]) -> None:
            with explained():
                await obstore.put_async(
                    self._store,
                    key,
                    content,
                    attributes={
                        "Content-Type": content_type,
                        "Content-Disposition": dispositions.attach(name),
                    },
                    chunk_size=_PART,
                    max_concurrency=2,
                )

        upload = _Upload(put)
        try:
            yield upload
            await upload.finish()
        except BaseException:
            await upload.abort()
            raise

    async def read(self, kind: FileKind, entry: Row, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yields the bytes from `start` up to `stop`, each block by a request of its own.

        No connection stays open while a slow client reads. UnavailableError: the file was deleted meanwhile,
        or the store failed.
        """
        for begin in range(start, stop, BLOCK):
            end = min(begin + BLOCK, stop)
            with explained():
                block = await obstore.get_range_async(
                    self._store, _key(kind, entry["_id"]), start=begin, end=end
                )
            if len(block) != end - begin:
                raise UnavailableError("The file is shorter than it was written.")
            yield bytes(block)

    async def delete(self, kind: FileKind, file_id: ObjectId) -> None:
        with explained(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, _key(kind, file_id))

    async def measure(self, kind: FileKind, file_id: ObjectId) -> int | None:
        """The length of the object; None if there is none."""
        with explained(), suppress(FileNotFoundError):
            return (await obstore.head_async(self._store, _key(kind, file_id)))["size"]
        return None

    async def link(self, kind: FileKind, file_id: ObjectId) -> str | None:
        """A URL by which anybody may read the object for a while; None where that is off."""
        return await self.sign("GET", kind, file_id) if self._is_direct else None

    async def sign(self, method: Method, kind: FileKind, file_id: ObjectId) -> str:
        """A URL by which anybody may do this with the object for a while."""
        with explained():
            return await obstore.sign_async(self._public, method, _key(kind, file_id), SIGNED[method])

    async def list(self, kind: FileKind) -> dict[ObjectId, int]:
        """The lengths of all objects, by the ids of their files."""
        with explained():
            pages = obstore.list(self._store, kind)
            found = [(meta["path"], meta["size"]) async for page in pages for meta in page]
        return {ObjectId(path.rpartition("/")[2]): size for path, size in found}


def _key(kind: FileKind, file_id: ObjectId) -> str:
    return f"{kind}/{file_id}"


def _open(settings: Settings, url: str, address: str | None) -> S3Store:
    """A store whose calls end in time; it takes the keys from the environment."""
    place = urlsplit(url)
    timeout = timedelta(milliseconds=settings.files_timeout_ms)
    config: S3Config = {
        "region": settings.files_region,
        "virtual_hosted_style_request": not settings.files_path_style,
        "disable_bulk_delete": True,  # which not every store knows
    }
    endpoint = urlsplit(address or "")
    if endpoint.netloc:
        host = endpoint.netloc if settings.files_path_style else f"{place.netloc}.{endpoint.netloc}"
        config["endpoint"] = f"{endpoint.scheme}://{host}"
    return S3Store(
        place.netloc,
        config=config,
        prefix=place.path.strip("/") or None,
        client_options={"timeout": timeout, "allow_http": endpoint.scheme == "http"},
        retry_config={"max_retries": _RETRIES, "retry_timeout": timeout},
    )


class _Upload:
    """Content on its way: at once if it fits into one part, else part by part.

    obstore aborts a multipart upload whose source fails, but not one that is cancelled.
    """

    def __init__(self, put: Callable[[bytes | AsyncGenerator[bytes, None]], Awaitable[None]]) -> None:
        self._put = put
        self._buffer = bytearray()
        self._parts: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(1)
        self._putting: asyncio.Future[None] | None = None

    async def write(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) > _PART:
            part = bytes(self._buffer[:_PART])
            del self._buffer[:_PART]
            await self._send(part)

    async def finish(self) -> None:
        if self._putting is None:
            self._putting = asyncio.ensure_future(self._put(bytes(self._buffer)))
        else:
            await self._send(bytes(self._buffer))
            await self._send(None)
        await asyncio.shield(self._putting)  # so that `abort` sees its end, after which the object is deleted

    async def abort(self) -> None:
        if self._putting is not None and not self._putting.done():
            with anyio.CancelScope(shield=True), suppress(_AbortedError, UnavailableError):
                await self._send(_AbortedError())
                await self._putting

    async def _send(self, part: bytes | Exception | None) -> None:
        """Hand over a part as soon as the one before is taken; raises what the upload failed with."""
        if self._putting is None:
            self._putting = asyncio.ensure_future(self._put(self._take()))
        handing = asyncio.ensure_future(self._parts.put(part))
        try:
            await asyncio.wait({handing, self._putting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            handing.cancel()
        if self._putting.done():
            await self._putting

    async def _take(self) -> AsyncGenerator[bytes, None]:
        while (part := await self._parts.get()) is not None:
            if isinstance(part, Exception):
                raise part
            yield part


class _AbortedError(Exception):
    """What the source of an upload fails with, so that obstore aborts it."""

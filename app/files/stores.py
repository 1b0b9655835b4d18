"""What a store of content does, whichever it is."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bson import ObjectId

from app.core.mongo import Row
from models.file import FileKind


class Sink(Protocol):
    async def write(self, data: bytes, /) -> None: ...


class Store(Protocol):
    """What keeps the content of files."""

    def writing(
        self, kind: FileKind, file_id: ObjectId, name: str, content_type: str, /
    ) -> AbstractAsyncContextManager[Sink]: ...

    def read(self, kind: FileKind, entry: Row, start: int, stop: int) -> AsyncGenerator[bytes, None]: ...

    async def delete(self, kind: FileKind, file_id: ObjectId) -> None: ...

    async def link(self, kind: FileKind, file_id: ObjectId) -> str | None:
        """A URL by which anybody may read the content for a while; None where there is none."""

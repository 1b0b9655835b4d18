"""Files: found once they are whole, read from any byte on, and gone without a trace where they are not."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from bson import ObjectId

from app.core.errors import UnavailableError
from app.core.mongo import AWARE
from app.files import Files, StoredFile
from app.files.entries import CHUNK_SIZE
from tests.support.jobs import backends
from tests.support.users import database

BLOCK = bytes(range(256)) * 1024
BIG = BLOCK * 10
"""More than what is written or read at a time."""
SIZES = (0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, len(BIG))


@pytest.fixture
def files(shared: httpx.AsyncClient) -> Files:
    return backends(shared).files


async def write(files: Files, content: bytes, expires_at: datetime | None = None) -> ObjectId:
    async with files.writing("exports", "users.csv", expires_at, content_type="text/csv") as (
        file_id,
        writer,
    ):
        for start in range(0, len(content), 100_000):
            await writer.write(content[start : start + 100_000])
    return file_id


async def find(files: Files, file_id: ObjectId) -> StoredFile:
    found = await files.find("exports", file_id)
    assert found is not None
    return found


async def read(file: StoredFile, start: int, stop: int) -> bytes:
    async with aclosing(file.read(start, stop)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def count(client: httpx.AsyncClient, file_id: ObjectId) -> tuple[int, int]:
    """The entries and the chunks of a file."""
    held = database(client)
    return (
        await held["export_files.files"].count_documents({"_id": file_id}),
        await held["export_files.chunks"].count_documents({"files_id": file_id}),
    )


async def test_files_of_any_size_come_back_as_they_were_written(files: Files) -> None:
    for size in SIZES:
        found = await find(files, await write(files, BIG[:size]))
        assert (found.length, await read(found, 0, size)) == (size, BIG[:size])


async def test_any_part_of_a_file_can_be_read(files: Files) -> None:
    found = await find(files, await write(files, BIG))
    for start, stop in (
        (0, 1),
        (CHUNK_SIZE - 1, CHUNK_SIZE + 1),
        (len(BIG) - 1, len(BIG)),
        (77, len(BIG) - 77),
    ):
        assert await read(found, start, stop) == BIG[start:stop]


async def test_a_file_is_found_once_it_is_whole(files: Files) -> None:
    async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
        await writer.write(BIG)
        assert await files.find("exports", file_id) is None
    assert (await find(files, file_id)).length == len(BIG)
    assert await files.find("imports", file_id) is None


async def test_an_error_while_writing_leaves_nothing_behind(shared: httpx.AsyncClient, files: Files) -> None:
    begun: list[ObjectId] = []

    async def fail() -> None:
        async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
            begun.append(file_id)
            await writer.write(BIG)
            assert await count(shared, file_id) == (1, 8)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await count(shared, begun[0]) == (0, 0)


async def test_a_file_that_is_deleted_before_it_is_whole_is_an_error(
    shared: httpx.AsyncClient, files: Files
) -> None:
    begun: list[ObjectId] = []

    async def write_deleted() -> None:
        async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
            begun.append(file_id)
            await files.delete("exports", file_id)
            await writer.write(BIG)

    with pytest.raises(UnavailableError, match="deleted meanwhile"):
        await write_deleted()
    assert await count(shared, begun[0]) == (0, 0)


async def test_reading_breaks_off_where_a_file_is_deleted_meanwhile(files: Files) -> None:
    found = await find(files, file_id := await write(files, BIG))
    async with aclosing(found.read(0, len(BIG))) as chunks:
        assert await anext(chunks) == BIG[:CHUNK_SIZE]
        await files.delete("exports", file_id)
        with pytest.raises(UnavailableError, match="deleted meanwhile"):
            async for _ in chunks:
                pass
    assert await files.find("exports", file_id) is None


async def test_what_a_killed_upload_left_is_swept_after_a_day(
    shared: httpx.AsyncClient, files: Files
) -> None:
    entries = database(shared)["export_files.files"].with_options(codec_options=AWARE)
    async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
        await writer.write(BIG)
        await files.sweep()
        assert await count(shared, file_id) == (1, 8)
        entry = await entries.find_one({"_id": file_id})
        assert entry is not None
        expires_at = entry["metadata"]["expires_at"]
        assert timedelta(hours=23) < expires_at - datetime.now(UTC) <= timedelta(days=1)
        past = {"metadata.expires_at": expires_at - timedelta(days=1)}
        await entries.update_one({"_id": file_id}, {"$set": past})
        assert await files.sweep() == 1
        assert await count(shared, file_id) == (0, 0)
        await entries.insert_one(entry)  # so that the block can be left


async def test_a_file_without_an_expiry_stays(shared: httpx.AsyncClient, files: Files) -> None:
    stays = await write(files, b"x")
    gone = await write(files, b"x", datetime.now(UTC) - timedelta(seconds=1))
    assert await files.sweep() == 1
    assert (await count(shared, stays), await count(shared, gone)) == ((1, 1), (0, 0))

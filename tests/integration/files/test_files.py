"""Files: found once they are whole, read from any byte on, and gone without a trace where they are not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from bson import ObjectId

from app.core.errors import UnavailableError
from app.core.mongo import AWARE
from app.files import Files, StoredFile
from app.files.entries import CHUNK_SIZE
from tests.support.databases import PreparedDatabases
from tests.support.jobs import backends
from tests.support.servers import S3Server
from tests.support.users import database

BLOCK = bytes(range(251)) * 1045
"""Of a length that no part has."""
BIG = BLOCK * 45
"""More than two parts of an upload to S3."""
PART = 5 * 1024 * 1024
SIZES = (0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, PART, PART + 1, 2 * PART, len(BIG))
Count = Callable[[ObjectId], Awaitable[tuple[int, bool]]]


@pytest.fixture(scope="module", params=["gridfs", "s3"])
async def stored(
    request: pytest.FixtureRequest, prepared_databases: PreparedDatabases
) -> AsyncIterator[httpx.AsyncClient]:
    """An app on each of the stores."""
    s3 = request.param == "s3"
    settings = request.getfixturevalue("s3_server").settings if s3 else {}
    async with prepared_databases.serving(**settings) as client:
        yield client


@pytest.fixture
def files(stored: httpx.AsyncClient) -> Files:
    return backends(stored).files


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


@pytest.fixture
def count(stored: httpx.AsyncClient, request: pytest.FixtureRequest) -> Count:
    """Counts the entries of a file, and says whether anything of its content is there."""

    async def count(file_id: ObjectId) -> tuple[int, bool]:
        held = database(stored)
        entries = await held["export_files.files"].count_documents({"_id": file_id})
        if backends(stored).settings.files_url is None:
            chunks = await held["export_files.chunks"].count_documents({"files_id": file_id})
            return entries, chunks > 0
        server: S3Server = request.getfixturevalue("s3_server")
        return entries, f"a/prefix/exports/{file_id}" in server.list_keys() or bool(server.list_uploads())

    return count


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


async def test_an_error_while_writing_leaves_nothing_behind(files: Files, count: Count) -> None:
    begun: list[ObjectId] = []

    async def fail() -> None:
        async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
            begun.append(file_id)
            await writer.write(BIG)
            assert await count(file_id) == (1, True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await count(begun[0]) == (0, False)


async def test_a_file_that_is_deleted_before_it_is_whole_is_an_error(files: Files, count: Count) -> None:
    begun: list[ObjectId] = []

    async def write_deleted() -> None:
        async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
            begun.append(file_id)
            await files.delete("exports", file_id)
            await writer.write(BIG)

    with pytest.raises(UnavailableError, match="deleted meanwhile"):
        await write_deleted()
    assert await count(begun[0]) == (0, False)


async def test_reading_breaks_off_where_a_file_is_deleted_meanwhile(files: Files) -> None:
    found = await find(files, file_id := await write(files, BIG))
    async with aclosing(found.read(0, len(BIG))) as chunks:
        assert BIG.startswith(await anext(chunks))
        await files.delete("exports", file_id)
        with pytest.raises(UnavailableError, match="deleted meanwhile"):
            async for _ in chunks:
                pass
    assert await files.find("exports", file_id) is None


async def test_what_a_killed_upload_left_is_swept_after_a_day(
    stored: httpx.AsyncClient, files: Files, count: Count
) -> None:
    entries = database(stored)["export_files.files"].with_options(codec_options=AWARE)
    async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
        await writer.write(BIG)
        await files.sweep()
        assert await count(file_id) == (1, True)
        entry = await entries.find_one({"_id": file_id})
        assert entry is not None
        expires_at = entry["metadata"]["expires_at"]
        assert timedelta(hours=23) < expires_at - datetime.now(UTC) <= timedelta(days=1)
        past = {"metadata.expires_at": expires_at - timedelta(days=1)}
        await entries.update_one({"_id": file_id}, {"$set": past})
        assert await files.sweep() == 1
        assert (await count(file_id))[0] == 0
        await entries.insert_one(entry)  # so that the block can be left


async def test_a_file_without_an_expiry_stays(files: Files, count: Count) -> None:
    stays = await write(files, b"x")
    gone = await write(files, b"x", datetime.now(UTC) - timedelta(seconds=1))
    assert await files.sweep() == 1
    assert (await count(stays), await count(gone)) == ((1, True), (0, False))

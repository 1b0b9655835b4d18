"""Files moved from one store to the other while they are read, written and deleted."""

import uuid
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import httpx
import pytest
from bson import ObjectId

from app.core.errors import UnavailableError
from app.files import Files
from models.file import StoreName
from tests.support.jobs import backends
from tests.support.servers import S3Server
from tests.support.users import database

BIG = bytes(range(251)) * 50_000
DIRECTIONS: tuple[StoreName, ...] = ("s3", "gridfs")


def using(client: httpx.AsyncClient, server: S3Server, store: StoreName) -> Files:
    """The files of an app, had it the bucket, and wrote new files there."""
    opened = backends(client)
    url = f"s3://{server.bucket}/{uuid.uuid4()}"
    own = server.settings | {"files_url": url, "files_store": store}
    return Files(opened.connections.database, opened.settings.model_copy(update=own))


@pytest.fixture(params=DIRECTIONS)
def to(request: pytest.FixtureRequest) -> StoreName:
    store: StoreName = request.param
    return store


@pytest.fixture
def files(client: httpx.AsyncClient, s3_server: S3Server, to: StoreName) -> Files:
    """Those of a directory whose files are to be moved to the store `to`."""
    return using(client, s3_server, "gridfs" if to == "s3" else "s3")


async def write(files: Files, content: bytes) -> ObjectId:
    async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
        await writer.write(content)
    return file_id


async def read(files: Files, file_id: ObjectId) -> bytes:
    found = await files.find("exports", file_id)
    assert found is not None
    async with aclosing(found.read(0, found.length)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def move(files: Files, to: StoreName) -> list[int]:
    async with aclosing(files.move(to)) as moved:
        return [length async for length in moved]


async def find_places(client: httpx.AsyncClient, server: S3Server, file_id: ObjectId) -> list[str]:
    """The stores in which there is content of the file."""
    chunks = database(client)["export_files.chunks"]
    places = ["gridfs"] if await chunks.count_documents({"files_id": file_id}) else []
    return places + (["s3"] if any(key.endswith(str(file_id)) for key in server.list_keys()) else [])


async def test_all_files_move_and_are_what_they_were(
    client: httpx.AsyncClient, s3_server: S3Server, files: Files, to: StoreName
) -> None:
    contents = [BIG, b"small", b""]
    written = [await write(files, content) for content in contents]
    assert await move(files, to) == list(map(len, contents))
    assert [await read(files, file_id) for file_id in written] == contents
    assert await find_places(client, s3_server, written[0]) == [to]
    assert await move(files, to) == []
    assert await files.check_bucket() == []


async def test_a_reader_goes_on_in_the_other_store(files: Files, to: StoreName) -> None:
    found = await files.find("exports", await write(files, BIG))
    assert found is not None
    async with aclosing(found.read(0, len(BIG))) as chunks:
        parts = [await anext(chunks)]
        assert await move(files, to) == [len(BIG)]
        parts += [part async for part in chunks]
    assert b"".join(parts) == BIG


async def test_a_file_that_is_deleted_while_it_moves_is_gone_from_both(
    client: httpx.AsyncClient,
    s3_server: S3Server,
    files: Files,
    to: StoreName,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file_id = await write(files, BIG)
    original = files._entries.turn

    async def delete_first(*given: Any) -> bool:
        await files.delete("exports", file_id)
        return await original(*given)

    monkeypatch.setattr(files._entries, "turn", delete_first)
    assert await move(files, to) == [len(BIG)]
    assert await find_places(client, s3_server, file_id) == []
    assert await files.find("exports", file_id) is None


@pytest.mark.parametrize("step", ["turn", "release"])
async def test_a_killed_move_is_gone_on_with_once_its_claim_has_lapsed(
    client: httpx.AsyncClient, files: Files, to: StoreName, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = await write(files, BIG)

    async def die(*_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(files._entries, "release", die)
        patch.setattr(files._entries, step, die)
        with pytest.raises(ZeroDivisionError):
            await move(files, to)
    assert await read(files, file_id) == BIG
    assert await move(files, to) == [], "its claim has not lapsed"
    entries = database(client)["export_files.files"]
    (entry,) = await entries.find().to_list()
    until = entry["metadata"]["moving"]["until"] - timedelta(minutes=11)
    await entries.update_one({}, {"$set": {"metadata.moving.until": until}})
    assert await move(files, to) == [len(BIG)]
    assert await read(files, file_id) == BIG
    assert await files.check_bucket() == []


async def test_a_killed_move_leaves_nothing_of_a_file_that_is_deleted_then(
    client: httpx.AsyncClient,
    s3_server: S3Server,
    files: Files,
    to: StoreName,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file_id = await write(files, BIG)

    async def die(*_: Any) -> None:
        raise ZeroDivisionError

    for step in ("turn", "release"):
        monkeypatch.setattr(files._entries, step, die)
    with pytest.raises(ZeroDivisionError):
        await move(files, to)
    assert await find_places(client, s3_server, file_id) == ["gridfs", "s3"]
    await files.delete("exports", file_id)
    assert await find_places(client, s3_server, file_id) == []


async def test_without_a_bucket_nothing_moves(client: httpx.AsyncClient) -> None:
    with pytest.raises(UnavailableError, match="ROSTER_FILES_URL is not set"):
        await move(backends(client).files, "s3")

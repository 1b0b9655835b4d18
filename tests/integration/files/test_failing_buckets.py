"""A bucket whose store fails: a clear 503 in time, and no file that looks whole."""

import asyncio
from contextlib import aclosing

import httpx
import pytest
from bson import ObjectId

from app.core.errors import UnavailableError
from app.files import Files
from tests.support.buckets import ANSWERS, answering, using
from tests.support.jobs import backends
from tests.support.proxies import Proxy
from tests.support.servers import S3Server
from tests.support.users import database

BIG = bytes(range(251)) * 50_000
REFUSED = "The store of files did not do what it was asked: try again."
GONE = "The file was deleted meanwhile, or the bucket."
TRUNCATED = (
    b"206 Partial Content\r\nContent-Length: 9\r\nContent-Range: bytes 0-8/9\r\n"
    b'ETag: "1"\r\nLast-Modified: Mon, 30 Nov 2026 10:00:00 GMT\r\n\r\nshort'
)
BAD = ANSWERS | {"forbidden": b"403 Forbidden\r\nContent-Length: 0\r\n\r\n", "truncated": TRUNCATED}


async def write(files: Files, content: bytes) -> ObjectId:
    async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
        for start in range(0, len(content), 1_000_000):
            await writer.write(content[start : start + 1_000_000])
    return file_id


async def read(files: Files, file_id: ObjectId) -> bytes:
    found = await files.find("exports", file_id)
    assert found is not None
    async with aclosing(found.read(0, found.length)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def count_whole(client: httpx.AsyncClient) -> int:
    entries = database(client)["export_files.files"]
    return int(await entries.count_documents({"length": {"$exists": True}}))


@pytest.mark.parametrize("answer", BAD)
async def test_what_a_store_answers_badly_is_unavailable(
    shared: httpx.AsyncClient, s3_server: S3Server, answer: str
) -> None:
    file_id = await write(using(shared, **s3_server.settings), b"123456789")
    whole = await count_whole(shared)
    async with answering(BAD[answer]) as endpoint:
        files = using(shared, **s3_server.settings | {"files_endpoint": endpoint, "files_timeout_ms": 1_000})
        with pytest.raises(UnavailableError) as refused:
            await read(files, file_id)
        assert refused.value.detail == REFUSED
        assert refused.value.headers == {"Retry-After": "5"}
        if answer != "truncated":  # which is an answer to a GET
            with pytest.raises(UnavailableError, match=REFUSED):
                await write(files, b"1")
    assert await count_whole(shared) == whole


async def test_a_bucket_that_is_not_there_is_unavailable(
    shared: httpx.AsyncClient, s3_server: S3Server
) -> None:
    files = using(shared, **s3_server.settings | {"files_url": "s3://another"})
    with pytest.raises(UnavailableError, match=GONE):
        await write(files, b"1")


async def test_an_object_that_was_changed_never_looks_whole(
    shared: httpx.AsyncClient, s3_server: S3Server
) -> None:
    files = using(shared, **s3_server.settings)
    for content, detail in (
        (BIG[:-1] + b"x", "The file is not as it was written."),
        (BIG[:-1], "The file is shorter than it was written."),
    ):
        file_id = await write(files, BIG)
        s3_server.change(f"a/prefix/exports/{file_id}", content)
        with pytest.raises(UnavailableError, match=detail):
            await read(files, file_id)


@pytest.mark.parametrize(("content", "last"), [(b"small", b"small"), (BIG, b"<CompleteMultipartUpload")])
async def test_an_upload_that_is_cancelled_at_its_end_leaves_nothing(
    shared: httpx.AsyncClient, s3_server: S3Server, content: bytes, last: bytes
) -> None:
    before = s3_server.list_keys()
    async with Proxy(s3_server.server.port) as proxy, proxy.holding(last) as hold:
        endpoint = {"files_endpoint": f"http://127.0.0.1:{proxy.port}"}
        writing = asyncio.ensure_future(write(using(shared, **s3_server.settings | endpoint), content))
        await hold.reached.wait()
        writing.cancel()
        hold.released.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert (s3_server.list_keys(), s3_server.list_uploads()) == (before, set())


async def test_a_file_in_a_bucket_needs_the_bucket(shared: httpx.AsyncClient, s3_server: S3Server) -> None:
    file_id = await write(using(shared, **s3_server.settings), b"1")
    with pytest.raises(UnavailableError, match="ROSTER_FILES_URL is not set"):
        await backends(shared).files.find("exports", file_id)

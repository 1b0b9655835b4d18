"""The minio client, whose S3 is not ours, reads what Roster wrote, and Roster what that wrote."""

import io
from contextlib import aclosing

import httpx
import pytest
from bson import ObjectId
from minio import Minio, S3Error

from app.files import Files
from tests.support.buckets import using
from tests.support.servers import S3Server

BIG = bytes(range(251)) * 50_000
"""More than two parts of an upload."""
PART = 5 * 1024 * 1024


@pytest.fixture
def files(shared: httpx.AsyncClient, s3_server: S3Server) -> Files:
    return using(shared, **s3_server.settings)


@pytest.fixture
def minio(s3_server: S3Server) -> Minio:
    address = s3_server.endpoint.removeprefix("http://")
    return Minio(address, access_key="a-key", secret_key="its-secret", secure=False, region="us-east-1")


def key(file_id: ObjectId) -> str:
    return f"a/prefix/exports/{file_id}"


def fetch(minio: Minio, bucket: str, name: str, offset: int = 0, length: int = 0) -> bytes:
    reply = minio.get_object(bucket, name, offset=offset, length=length)
    try:
        return bytes(reply.read())
    finally:
        reply.close()
        reply.release_conn()


async def write(files: Files, content: bytes) -> ObjectId:
    async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
        await writer.write(content)
    return file_id


async def read(files: Files, file_id: ObjectId, start: int, stop: int) -> bytes:
    found = await files.find("exports", file_id)
    assert found is not None
    async with aclosing(found.read(start, stop)) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("content", [b"", b"small", BIG], ids=["empty", "small", "big"])
async def test_it_reads_what_roster_wrote(
    files: Files, minio: Minio, s3_server: S3Server, content: bytes
) -> None:
    name = key(await write(files, content))
    told = minio.stat_object(s3_server.bucket, name)
    assert (told.size, told.content_type) == (len(content), "text/csv")
    assert fetch(minio, s3_server.bucket, name) == content
    if content:
        assert fetch(minio, s3_server.bucket, name, 1, len(content) - 2) == content[1:-1]


@pytest.mark.parametrize("content", [b"small", BIG], ids=["small", "big"])
async def test_roster_reads_checks_and_deletes_what_it_wrote(
    files: Files, minio: Minio, s3_server: S3Server, content: bytes
) -> None:
    """As after a bucket was restored from a copy."""
    name = key(file_id := await write(files, content))
    minio.remove_object(s3_server.bucket, name)
    minio.put_object(s3_server.bucket, name, io.BytesIO(content), len(content), part_size=PART)
    assert await read(files, file_id, 0, len(content)) == content
    assert await read(files, file_id, 1, len(content) - 1) == content[1:-1]
    await files.delete("exports", file_id)
    with pytest.raises(S3Error) as gone:
        minio.stat_object(s3_server.bucket, name)
    assert gone.value.code == "NoSuchKey"


async def test_it_lists_an_object_for_each_file(files: Files, minio: Minio, s3_server: S3Server) -> None:
    written = {key(await write(files, b"x")) for _ in range(3)}
    listed = {found.object_name for found in minio.list_objects(s3_server.bucket, "a/prefix/exports/")}
    assert written <= listed

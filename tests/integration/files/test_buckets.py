"""Exports and imports whose files lie in a bucket, through the front door."""

import hashlib
from datetime import UTC, datetime

import pytest

from app.commands import integrity
from app.core.errors import UnavailableError
from tests.support.imports import plan
from tests.support.jobs import Start, backends, export
from tests.support.servers import S3Server
from tests.support.users import NOBODY, create, database, problem


async def test_exports_and_imports_lie_in_the_bucket(
    starts: Start, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.files.s3.BLOCK", 50)
    settings = s3_server.settings | {"files_url": f"s3://{s3_server.bucket}/of/two"}
    client = await starts(**settings)
    await create(client)
    before = s3_server.list_keys()
    made = await export(client)
    whole = (await client.get(made["file"])).content
    assert (made["bytes"], made["sha256"]) == (len(whole), hashlib.sha256(whole).hexdigest())
    part = await client.get(made["file"], headers={"Range": "bytes=7-160"})
    assert (part.status_code, part.content) == (206, whole[7:161])
    planned = await plan(client, "email,name\r\nnew@example.com,New\r\n")
    assert planned["counts"]["create"] == 1
    added = {key.removeprefix("of/two/").partition("/")[0] for key in s3_server.list_keys() - before}
    assert added == {"exports", "imports"}
    for kind in ("export", "import"):
        assert await database(client)[f"{kind}_files.chunks"].count_documents({}) == 0
    assert (await integrity.check(backends(client))).wrong == []

    other = await starts()
    problem(await other.get(made["file"]), 503, "unavailable")
    problem(await other.delete(f"/users/exports/{made['id']}"), 503, "unavailable")
    for path in (f"/users/exports/{made['id']}", f"/users/imports/{planned['id']}"):
        assert (await client.delete(path)).status_code == 204
    assert s3_server.list_keys() == before


async def test_check_names_what_the_bucket_lacks_or_has_too_much(starts: Start, s3_server: S3Server) -> None:
    settings = s3_server.settings | {"files_url": f"s3://{s3_server.bucket}/checked"}
    client = await starts(**settings)
    lost, changed = await export(client), await export(client)
    files = {str(made["_id"]): made["file"] async for made in database(client)["exports"].find()}
    assert (await integrity.check(backends(client))).wrong == []
    s3_server.change(f"checked/exports/{files[changed['id']]}", b"short")
    s3_server.change(f"checked/exports/{NOBODY}", b"whose?")
    s3_server.delete(f"checked/exports/{files[lost['id']]}")
    assert (await integrity.check(backends(client))).wrong == [
        *(
            f"the file {file_id} of export_files has no content of its length in the bucket"
            for file_id in sorted(files.values())
        ),
        f"the object exports/{NOBODY} in the bucket has no file",
    ]
    without = await starts()
    assert (await integrity.check(backends(without))).wrong == [
        "2 files of export_files lie in a bucket, and none is set"
    ]
    elsewhere = await starts(**settings | {"files_endpoint": "http://127.0.0.1:9", "files_timeout_ms": 100})
    assert (await integrity.check(backends(elsewhere))).wrong == [
        "the bucket of ROSTER_FILES_URL cannot be read: the log has its reason"
    ]


async def test_files_of_a_bucket_that_is_no_longer_set_hold_up_no_others(
    starts: Start, s3_server: S3Server
) -> None:
    on_s3 = backends(await starts(**s3_server.settings)).files
    without = backends(client := await starts()).files
    for files in (on_s3, without):
        async with files.writing("imports", "x", datetime.now(UTC), content_type="text/csv") as (_, writer):
            await writer.write(b"x")
    with pytest.raises(UnavailableError):
        await without.sweep()
    entries = database(client)["import_files.files"]
    assert [entry["metadata"]["store"] async for entry in entries.find()] == ["s3"]
    assert await on_s3.sweep() == 1

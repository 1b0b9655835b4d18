"""Exports that a job makes: whole, counted, downloadable in parts, gone when their time is over."""

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from app.commands.samples import add
from app.exports import streaming
from tests.support.identity import token_of
from tests.support.jobs import Start, backends, export, jobs_of
from tests.support.users import NOBODY, create, database, person, pointers, problem, until


async def download(client: httpx.AsyncClient, made: dict[str, Any], **headers: str) -> httpx.Response:
    return await client.get(made["file"], headers=headers)


def count(content: bytes, form: str) -> int:
    if form == "ndjson":
        return len(content.splitlines())
    return len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))) - 1


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_a_job_makes_the_file_that_the_download_is(starts: Start, form: str) -> None:
    client = await starts()
    await add(backends(client), 300)
    made = await export(client, format=form, is_active=True, sort="name")
    whole = (await client.get(f"/users/export?format={form}&is_active=true&sort=name")).content
    reply = await download(client, made)
    assert reply.status_code == 200
    assert made["bytes"] == len(reply.content) == int(reply.headers["content-length"])
    assert made["sha256"] == hashlib.sha256(reply.content).hexdigest()
    assert (made["format"], made["filter"], made["sort"]) == (form, {"is_active": ["true"]}, "name")
    assert made["state"] == "succeeded"
    active = await backends(client).connections.users.count_documents({"is_active": True})
    assert made["rows"] == active
    if form == "xlsx":  # a zip tells the time
        assert abs(len(whole) - len(reply.content)) < len(whole) / 50
    else:
        assert reply.content == whole
        assert count(reply.content, form) == made["rows"]
    assert reply.headers["content-disposition"].endswith(f'.{form}"')
    assert (await client.get(f"/users/exports/{made['id']}")).json() == made
    job = (await client.get(f"/jobs/{made['job']}")).json()
    assert job["progress"] == {"done": active, "total": active}
    assert job["result"] == f"/users/exports/{made['id']}"


async def test_columns_filters_and_words_are_those_of_the_download(starts: Start) -> None:
    client = await starts()
    await create(client, name="Zoë", tags=["red"])
    await create(client, name="Ana", tags=["red"])
    await create(client, name="Bob")
    made = await export(client, columns="name:Who,email", tag="red", sort="name")
    assert made["columns"] == ["Who", "email"]
    lines = (await download(client, made)).content.decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["Who", "Ana", "Zoë"]
    found = await export(client, q="zoe", format="ndjson")
    assert [json.loads(line)["name"] for line in (await download(client, found)).text.splitlines()] == ["Zoë"]


async def test_without_patience_the_answer_is_202_and_says_where_to_look(starts: Start) -> None:
    client = await starts()
    reply = await client.post("/users/exports", json={"format": "csv"})
    assert reply.status_code == 202
    assert reply.headers["location"] == f"/users/exports/{reply.json()['id']}"
    assert "preference-applied" not in reply.headers
    job = await jobs_of(client).wait(reply.json()["job"], 30)
    assert job.state == "succeeded"
    manifest = (await client.get(reply.headers["location"])).json()
    assert (manifest["rows"], count((await download(client, manifest)).content, "csv")) == (0, 0)


async def test_patience_ends_when_the_time_is_over(client: httpx.AsyncClient) -> None:
    """Nobody works here."""
    reply = await client.post("/users/exports", json={"format": "csv"}, headers={"Prefer": "wait=1"})
    assert (reply.status_code, reply.headers["preference-applied"]) == (202, "wait=1")
    assert reply.json()["state"] == "queued"
    problem(await client.get(f"{reply.headers['location']}/file"), 409, "export_not_ready")
    await client.post(f"/jobs/{reply.json()['job']}/cancel")
    cancelled = (await client.get(reply.headers["location"])).json()
    assert (cancelled["state"], cancelled["file"]) == ("cancelled", None)
    problem(await client.get(f"{reply.headers['location']}/file"), 409, "export_not_ready")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({}, "/format"),
        ({"format": "pdf"}, "/format"),
        ({"format": "csv", "columns": "nmae"}, "/columns"),
        ({"format": "csv", "addresses": 11}, "/addresses"),
        ({"format": "csv", "odd": 1}, "/odd"),
        ({"format": "csv", "q": "an\x07a"}, "/q"),
        ({"format": "csv", "q": "ana", "sort": "name"}, "/sort"),
        ({"format": "csv", "age_min": "x"}, "/age_min"),
        ({"format": "csv", "age_min": True}, "/age_min"),
        ({"format": "csv", "addresses": False}, "/addresses"),
        ({"format": "csv", "addresses": "3"}, "/addresses"),
        ({"format": "csv", "created_from": "yesterday"}, "/created_from"),
    ],
)
async def test_what_makes_no_file_is_refused_at_once(
    client: httpx.AsyncClient, asked: dict[str, Any], pointer: str
) -> None:
    assert pointers(await client.post("/users/exports", json=asked)) == {pointer}
    assert (await client.get("/jobs")).json()["items"] == []


async def test_the_count_is_that_of_the_rows_while_others_write(starts: Start) -> None:
    client = await starts()
    await add(backends(client), 1_500)
    stop = asyncio.Event()

    async def disturb() -> None:
        while not stop.is_set():
            reply = await client.post("/users", json=person())
            await client.delete(f"/users/{reply.json()['id']}")
            await client.post("/users", json=person())

    disturbing = asyncio.create_task(disturb())
    made = [await export(client, format=form) for form in ("csv", "ndjson", "csv")]
    stop.set()
    await disturbing
    for each in made:
        assert count((await download(client, each)).content, each["format"]) == each["rows"] >= 1_500


async def test_a_download_goes_on_where_it_broke_off(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.files.gridfs.CHUNKS_AT_ONCE", 1)
    client = await starts()
    await add(backends(client), 1_500)
    made = await export(client, format="ndjson")
    first = await download(client, made)
    whole, tag = first.content, first.headers["etag"]
    assert len(whole) > 2 * 255 * 1024, "more than two chunks of GridFS"
    assert first.headers["accept-ranges"] == "bytes"
    middle = len(whole) // 2
    for wanted, start, stop in (
        (f"bytes={middle}-", middle, len(whole)),
        (f"bytes=0-{middle - 1}", 0, middle),
        ("bytes=-7", len(whole) - 7, len(whole)),
        (f"bytes={255 * 1024 - 1}-{255 * 1024}", 255 * 1024 - 1, 255 * 1024 + 1),
    ):
        for more in ({}, {"If-Range": tag}):
            part = await download(client, made, Range=wanted, **more)
            assert part.status_code == 206
            assert part.content == whole[start:stop]
            assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
            assert int(part.headers["content-length"]) == stop - start
    stale = await download(client, made, **{"Range": "bytes=5-", "If-Range": '"another"'})
    assert (stale.status_code, stale.content) == (200, whole)
    beyond = await download(client, made, Range=f"bytes={len(whole)}-")
    problem(beyond, 416, "range_not_satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
    assert (await download(client, made, **{"If-None-Match": tag})).status_code == 304
    head = await client.head(made["file"], headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(whole)


async def test_a_walk_that_mongodb_breaks_off_is_begun_anew_as_another_file(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = 0
    original = streaming.begin

    async def break_once(*args: Any, **said: Any) -> Any:
        sheet, chunks = await original(*args, **said)

        async def broken() -> AsyncGenerator[bytes, None]:
            nonlocal writes
            async with aclosing(chunks):
                async for chunk in chunks:
                    writes += 1
                    if writes == 3:
                        raise AutoReconnect("not primary")
                    yield chunk

        return sheet, broken()

    monkeypatch.setattr("app.exports.streaming.begin", break_once)
    monkeypatch.setattr("app.listing.streams.BATCH_ROWS", 20)
    client = await starts()
    await add(backends(client), 200)
    made = await export(client)
    assert count((await download(client, made)).content, "csv") == made["rows"] == 200
    assert (await client.get(f"/jobs/{made['job']}")).json()["attempts"] == 2
    held = database(client)
    assert await held["export_files.files"].count_documents({}) == 1
    (file,) = await held["export_files.files"].find().to_list()
    assert await held["export_files.chunks"].count_documents({"files_id": {"$ne": file["_id"]}}) == 0


async def test_exports_are_seen_by_the_users_who_asked_for_them_and_by_administrators(starts: Start) -> None:
    client = await starts()
    mine = {"Authorization": f"Bearer {await token_of(client, 'users:export')}"}
    other = {"Authorization": f"Bearer {await token_of(client, 'users:export')}"}
    reply = await client.post("/users/exports", json={"format": "csv"}, headers=mine | {"Prefer": "wait=30"})
    made = reply.json()
    everybodys = await export(client)
    assert (await client.get("/users/exports", headers=mine)).json() == {"items": [made], "next": None}
    assert (await client.get("/users/exports")).json()["items"] == [everybodys, made]
    assert (await client.get("/users/exports", headers=other)).json()["items"] == []
    first = (await client.get("/users/exports?limit=1")).json()
    assert first["items"] == [everybodys]
    assert (await client.get(f"/users/exports?limit=1&cursor={first['next']}")).json()["items"] == [made]
    for path in (f"/users/exports/{made['id']}", made["file"]):
        assert (await client.get(path, headers=mine)).status_code == 200
        assert (await client.get(path)).status_code == 200
        problem(await client.get(path, headers=other), 404, "export_not_found")
    problem(await client.delete(f"/users/exports/{made['id']}", headers=other), 404, "export_not_found")
    assert (await client.delete(f"/users/exports/{made['id']}", headers=mine)).status_code == 204
    problem(await client.get(made["file"], headers=mine), 404, "export_not_found")
    problem(await client.delete(f"/users/exports/{NOBODY}"), 404, "export_not_found")
    held = database(client)
    assert await held["export_files.files"].count_documents({}) == 1


async def test_deleting_an_export_cancels_the_job_that_makes_it(client: httpx.AsyncClient) -> None:
    reply = await client.post("/users/exports", json={"format": "csv"})
    assert (await client.delete(reply.headers["location"])).status_code == 204
    assert (await client.get(f"/jobs/{reply.json()['job']}")).json()["state"] == "cancelled"


async def test_an_expired_export_is_gone_with_its_file(starts: Start) -> None:
    client = await starts()
    made, stays = await export(client), await export(client)
    assert made["expires_at"] > datetime.now(UTC).isoformat()
    held = database(client)
    past = datetime.now(UTC) - timedelta(seconds=1)
    one = {"_id": ObjectId(made["id"])}
    file_id = (await held["exports"].find_one_and_update(one, {"$set": {"expires_at": past}}))["file"]
    await held["export_files.files"].update_one({"_id": file_id}, {"$set": {"metadata.expires_at": past}})
    for path in (f"/users/exports/{made['id']}", made["file"]):
        problem(await client.get(path), 404, "export_not_found")
    await asyncio.gather(*(backends(client).files.sweep() for _ in range(3)))
    assert await held["export_files.chunks"].count_documents({"files_id": file_id}) == 0
    assert await held["export_files.files"].count_documents({}) == 1
    assert (await download(client, stays)).status_code == 200


async def test_chunks_that_a_killed_upload_left_are_swept_after_a_day(client: httpx.AsyncClient) -> None:
    held = database(client)
    old = ObjectId.from_datetime(datetime.now(UTC) - timedelta(days=2))
    fresh = ObjectId()
    for file_id in (old, fresh):
        await held["import_files.chunks"].insert_one({"files_id": file_id, "n": 0, "data": b"x"})
    assert await backends(client).files.sweep() == 1
    assert [chunk["files_id"] async for chunk in held["import_files.chunks"].find()] == [fresh]


async def test_a_file_that_lost_a_chunk_is_refused_or_breaks_off(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.files.gridfs.CHUNKS_AT_ONCE", 1)
    client = await starts()
    await add(backends(client), 1_500)
    made = await export(client, format="ndjson")
    chunks = database(client)["export_files.chunks"]
    await chunks.delete_one({"n": 1})
    reply = await download(client, made)
    assert reply.status_code == 200
    assert len(reply.content) < int(reply.headers["content-length"]), "a server breaks the transfer here"
    await chunks.delete_many({})
    problem(await download(client, made), 503, "unavailable")


async def test_jobs_and_exports_are_forgotten_by_mongodb_itself(starts: Start) -> None:
    client = await starts(job_ttl_s=60)
    made = await export(client)
    held = database(client)
    for name in ("jobs", "exports"):
        document = await held[name].find_one({})
        assert document["expires_at"] is not None
        indexes = await held[name].index_information()
        assert indexes["expires_at"]["expireAfterSeconds"] == 0
    await held["jobs"].delete_many({})

    async def is_served() -> bool:
        reply = await client.get(f"/users/exports/{made['id']}")
        return bool(reply.json() == made)

    await until(is_served)


async def test_nobody_lets_more_than_fifty_wait(client: httpx.AsyncClient) -> None:
    mine = {"Authorization": f"Bearer {await token_of(client, 'users:export')}"}
    for _ in range(50):
        made = await client.post("/users/exports", json={"format": "csv"}, headers=mine)
        assert made.status_code == 202
    problem(
        await client.post("/users/exports", json={"format": "csv"}, headers=mine), 503, "too_many_exports"
    )
    assert (await client.post("/users/exports", json={"format": "csv"})).status_code == 202, "another's"
    await client.delete(made.headers["location"], headers=mine)
    assert (await client.post("/users/exports", json={"format": "csv"}, headers=mine)).status_code == 202


async def test_a_file_that_went_a_moment_ago_is_not_found(starts: Start) -> None:
    client = await starts()
    made = await export(client)
    await database(client)["export_files.files"].delete_many({})
    problem(await download(client, made), 404, "export_not_found")

"""Files of imports that clients send straight to the bucket, checked as if they had come to us."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from bson import ObjectId

from app.commands import integrity
from tests.support import uploads
from tests.support.identity import call, token_of
from tests.support.jobs import Start, backends
from tests.support.servers import S3Server
from tests.support.signatures import is_signed
from tests.support.uploads import expire, keys_of
from tests.support.users import NOBODY, database, pointers, problem

FILE = "email,name\r\nwei@example.com,张伟\r\n".encode()
UPLOADS = "/users/imports/uploads"


async def announce(client: httpx.AsyncClient, content: bytes = FILE) -> dict[str, Any]:
    return await uploads.announce(client, UPLOADS, content)


async def send(offer: dict[str, Any], content: bytes = FILE) -> None:
    await uploads.send(offer, content)


async def complete(client: httpx.AsyncClient, offer: dict[str, Any], **query: str) -> httpx.Response:
    return await client.post(f"{UPLOADS}/{offer['id']}/complete", params=query, headers={"Prefer": "wait=30"})


async def test_a_file_is_uploaded_to_the_bucket_and_imported(
    direct: httpx.AsyncClient, s3_server: S3Server
) -> None:
    before = s3_server.list_keys()
    offer = await announce(direct)
    query = parse_qs(urlsplit(offer["url"]).query)
    assert (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == (["900"], ["host"])
    assert is_signed(offer["url"], "PUT")
    assert not is_signed(offer["url"], "GET")
    until = datetime.fromisoformat(offer["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < until <= timedelta(minutes=15)
    await send(offer)
    reply = await complete(direct, offer, filename="people.csv")
    assert reply.status_code == 201, reply.text
    planned = reply.json()
    assert reply.headers["location"] == f"/users/imports/{planned['id']}"
    assert (planned["state"], planned["counts"]["create"]) == ("planned", 1)
    file = {name: planned["file"][name] for name in ("name", "bytes", "sha256")}
    assert file == {"name": "people.csv", "bytes": len(FILE), "sha256": hashlib.sha256(FILE).hexdigest()}
    assert keys_of(s3_server, offer) == set()
    assert len(s3_server.list_keys() - before) == 1, "the file of the import"

    again = await complete(direct, offer)
    assert (again.status_code, again.json()) == (201, planned)
    await send(offer, b"something else")  # its URL is still good
    assert (await complete(direct, offer)).json() == planned
    assert (await integrity.check(backends(direct))).wrong == []
    await expire(direct, "imports", offer)
    await backends(direct).files.sweep()
    assert keys_of(s3_server, offer) == set()
    problem(await complete(direct, offer), 404, "upload_not_found")
    applied = await direct.post(f"/users/imports/{planned['id']}/apply", headers={"Prefer": "wait=30"})
    assert applied.json()["counts"]["created"] == 1


async def test_an_upload_that_is_never_completed_is_swept(
    direct: httpx.AsyncClient, s3_server: S3Server
) -> None:
    sent, unsent = [await announce(direct) for _ in range(2)]
    await send(sent)
    await backends(direct).files.sweep()
    assert len(keys_of(s3_server, sent)) == 1, "it may be completed for a day"
    for offer in (sent, unsent):
        await expire(direct, "imports", offer)
    await backends(direct).files.sweep()
    assert keys_of(s3_server, sent) == set()
    problem(await complete(direct, sent), 404, "upload_not_found")


async def test_what_was_not_sent_cannot_be_completed_yet(direct: httpx.AsyncClient) -> None:
    offer = await announce(direct)
    problem(await complete(direct, offer), 409, "upload_not_ready")
    await send(offer)
    assert (await complete(direct, offer)).status_code == 201


async def test_what_is_not_what_was_announced_is_no_import(
    direct: httpx.AsyncClient, s3_server: S3Server
) -> None:
    offer = await announce(direct)
    await send(offer, FILE + b"x")
    refused = problem(await complete(direct, offer), 409, "upload_differs")
    assert refused["detail"] == f"{len(FILE)} bytes were announced and {len(FILE) + 1} came: send it again."
    assert keys_of(s3_server, offer) == set()
    await send(offer, FILE.swapcase())
    refused = problem(await complete(direct, offer), 409, "upload_differs")
    assert refused["detail"] == "Its SHA-256 is not the one that was announced: send it again."
    await send(offer)
    assert (await complete(direct, offer)).status_code == 201


async def test_content_and_options_are_checked_as_if_they_had_come_to_us(direct: httpx.AsyncClient) -> None:
    offer = await announce(direct, b"%PDF-1.7 no table")
    await send(offer, b"%PDF-1.7 no table")
    problem(await complete(direct, offer), 415, "unsupported_file")
    offer = await announce(direct)
    await send(offer)
    problem(await complete(direct, offer, columns="nmae:name"), 422, "validation_failed")
    assert (await complete(direct, offer)).status_code == 201


async def test_an_upload_is_its_users_alone(direct: httpx.AsyncClient) -> None:
    offer = await announce(direct)
    await send(offer)
    token = await token_of(direct, "users:write")
    path = f"{UPLOADS}/{offer['id']}/complete"
    problem(await call(direct, "POST", path, token), 404, "upload_not_found")
    problem(await direct.post(f"{UPLOADS}/{NOBODY}/complete"), 404, "upload_not_found")
    assert (await complete(direct, offer)).status_code == 201


async def test_the_id_of_another_file_is_no_upload(direct: httpx.AsyncClient) -> None:
    planned = (await direct.post("/users/import", content=FILE, headers={"Content-Type": "text/csv"})).json()
    (stored,) = await database(direct)["imports"].find({"_id": ObjectId(planned["id"])}).to_list()
    problem(await direct.post(f"{UPLOADS}/{stored['file']['id']}/complete"), 404, "upload_not_found")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"bytes": 0}, "/bytes"),
        ({"bytes": "7"}, "/bytes"),
        ({"bytes": 2**31}, "/bytes"),
        ({"sha256": "abc"}, "/sha256"),
        ({"name": "x"}, "/name"),
    ],
)
async def test_an_announcement_says_length_and_hash(
    direct: httpx.AsyncClient, said: dict[str, Any], pointer: str
) -> None:
    reply = await direct.post(UPLOADS, json={"bytes": 1, "sha256": "0" * 64} | said)
    assert pointers(reply) == {pointer}


async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(direct: httpx.AsyncClient) -> None:
    said = {"bytes": backends(direct).settings.import_max_bytes + 1, "sha256": "0" * 64}
    problem(await direct.post(UPLOADS, json=said), 413, "body_too_large")


async def test_only_so_many_uploads_are_open_at_once(
    direct: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await token_of(direct, "users:write")
    monkeypatch.setattr("app.files.offers.OPEN", 2)
    said = {"bytes": 1, "sha256": "0" * 64}
    replies = [await call(direct, "POST", UPLOADS, token, json=said) for _ in range(3)]
    assert [reply.status_code for reply in replies[:2]] == [201, 201]
    problem(replies[2], 503, "too_many_imports")
    assert replies[2].headers["retry-after"] == "60"


async def test_open_uploads_are_counted_by_an_index(direct: httpx.AsyncClient) -> None:
    wanted = {"filename": f"upload by {NOBODY}", "metadata.offer.result": None}
    plan = await database(direct)["import_files.files"].find(wanted).limit(2).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])


async def test_where_there_is_no_bucket_files_come_to_us(shared: httpx.AsyncClient) -> None:
    problem(await shared.post(UPLOADS, json={"bytes": 1, "sha256": "0" * 64}), 409, "direct_uploads_off")


async def test_an_upload_waits_while_the_operator_has_turned_them_off(
    starts: Start, s3_server: S3Server
) -> None:
    client = await starts(**s3_server.settings, files_direct=True)
    offer = await announce(client)
    await send(offer)
    without = await starts(**s3_server.settings)
    path = f"{UPLOADS}/{offer['id']}/complete"
    problem(await without.post(path, headers=client.headers), 409, "direct_uploads_off")
    assert (await complete(client, offer)).status_code == 201

"""Files of exports that clients load straight from the bucket, by URLs that are good for a minute."""

import hashlib
from contextlib import aclosing
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.identity import PASSWORD, call, member, sign_in
from tests.support.jobs import Start, backends, export
from tests.support.pages import Browser
from tests.support.servers import S3Server
from tests.support.signatures import ask, is_signed
from tests.support.users import create, pointers, problem

NAMED = "attachment; filename=\"__.xlsx\"; filename*=UTF-8''%E5%BC%A0%E4%BC%9F.xlsx"


async def test_an_export_is_loaded_from_the_bucket(direct: httpx.AsyncClient) -> None:
    await create(direct, name="张伟")
    made = await export(direct, format="xlsx", filename="张伟")
    reply = await direct.get(made["file"], headers={"Range": "bytes=0-3"})
    assert (reply.status_code, reply.content) == (307, b"")
    assert (reply.headers["cache-control"], reply.headers["referrer-policy"]) == ("no-store", "no-referrer")
    url = reply.headers["location"]
    query = parse_qs(urlsplit(url).query)
    assert (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == (["60"], ["host"])
    assert is_signed(url, "GET")
    assert not is_signed(url, "PUT")
    loaded = await ask("GET", url)
    assert loaded.status_code == 200
    assert hashlib.sha256(loaded.content).hexdigest() == made["sha256"]
    assert loaded.headers["content-disposition"] == NAMED
    assert loaded.headers["content-type"].endswith("spreadsheetml.sheet")
    part = await ask("GET", url, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, loaded.content[:4])

    through_us = await direct.get(f"{made['file']}?direct=false")
    assert (through_us.status_code, through_us.content) == (200, loaded.content)
    assert through_us.headers["content-disposition"] == NAMED
    known = await direct.get(made["file"], headers={"If-None-Match": through_us.headers["etag"]})
    assert known.status_code == 304
    (bad,) = problem(await direct.get(f"{made['file']}?direct=no"), 422, "validation_failed")["errors"]
    assert bad["parameter"] == "direct"

    assert (await direct.delete(f"/users/exports/{made['id']}")).status_code == 204
    assert (await ask("GET", url)).status_code == 404
    problem(await direct.get(made["file"]), 404, "export_not_found")


async def test_a_url_names_the_address_by_which_clients_reach_the_store(
    starts: Start, s3_server: S3Server
) -> None:
    outside = "https://files.example.com"
    client = await starts(**s3_server.settings, files_direct=True, files_public_endpoint=outside)
    made = await export(client)
    url = (await client.get(made["file"])).headers["location"]
    assert url.startswith(f"{outside}/files/a/prefix/exports/")
    assert is_signed(url, "GET")


async def test_what_lies_in_mongodb_comes_from_us_until_it_has_moved(
    starts: Start, s3_server: S3Server
) -> None:
    client = await starts(**s3_server.settings, files_direct=True, files_store="gridfs")
    made = await export(client, filename="张伟.xlsx", format="xlsx")
    whole = await client.get(made["file"])
    assert (whole.status_code, whole.headers["content-disposition"]) == (200, NAMED)
    async with aclosing(backends(client).files.move("s3")) as moved:
        assert [length async for length in moved] == [made["bytes"]]
    loaded = await ask("GET", (await client.get(made["file"])).headers["location"])
    assert (loaded.content, loaded.headers["content-disposition"]) == (whole.content, NAMED)


async def test_unless_the_operator_wants_it_nobody_is_sent_to_the_bucket(
    starts: Start, s3_server: S3Server
) -> None:
    client = await starts(**s3_server.settings)
    made = await export(client)
    assert (await client.get(made["file"])).status_code == 200


async def test_the_page_of_a_result_leads_to_the_bucket(direct: httpx.AsyncClient) -> None:
    ana = await member(direct, "users:export")
    token = (await sign_in(direct, ana))["access_token"]
    asked = {"json": {"format": "csv"}, "headers": {"Prefer": "wait=30"}}
    made = (await call(direct, "POST", "/users/exports", token, **asked)).json()
    browser = Browser(direct)
    await browser.sign_in(ana["email"], PASSWORD)
    reply = await browser.open("/auth/results/file", job=made["job"])
    assert reply.status_code == 307
    assert ana["email"] in (await ask("GET", reply.headers["location"])).text


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\\b", "a\tb", "x" * 101])
async def test_a_file_has_a_name_without_a_path(shared: httpx.AsyncClient, name: str) -> None:
    reply = await shared.post("/users/exports", json={"format": "csv", "filename": name})
    assert pointers(reply) == {"/filename"}

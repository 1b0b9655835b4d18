"""A bucket is tried at the start: what is set wrong is told by its name, and silence is only logged."""

import socket
from dataclasses import replace

import httpx
import pytest

from app.commands import first_start, worker
from app.core.errors import StartError
from tests.support.buckets import ANSWERS, answering, refusal, using
from tests.support.jobs import backends
from tests.support.servers import S3Server

pytestmark = pytest.mark.usefixtures("s3_keys")

WRONG = {
    "InvalidAccessKeyId": ("403 Forbidden", "AWS_ACCESS_KEY_ID"),
    "SignatureDoesNotMatch": ("403 Forbidden", "AWS_SECRET_ACCESS_KEY"),
    "AccessDenied": ("403 Forbidden", "what AWS_ACCESS_KEY_ID may do in the bucket of ROSTER_FILES_URL"),
    "RequestTimeTooSkewed": ("403 Forbidden", "the clock of this machine"),
    "ExpiredToken": ("400 Bad Request", "AWS_SESSION_TOKEN"),
    "AuthorizationHeaderMalformed": ("400 Bad Request", "ROSTER_FILES_REGION"),
    "NoSuchBucket": ("404 Not Found", "ROSTER_FILES_URL"),
    "MethodNotAllowed": ("405 Method Not Allowed", "ROSTER_FILES_ENDPOINT and ROSTER_FILES_URL"),
}
NO_STORE = {
    "GenericError": b"200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "404": b"404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "400": b"400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
}


async def refused(client: httpx.AsyncClient, endpoint: str, url: str = "s3://people-files") -> str:
    with pytest.raises(StartError) as told:
        await using(client, files_url=url, files_endpoint=endpoint).probe()
    return str(told.value)


@pytest.mark.parametrize("code", WRONG)
async def test_what_is_set_wrong_is_told_by_its_name(shared: httpx.AsyncClient, code: str) -> None:
    status, check = WRONG[code]
    async with answering(refusal(status, code)) as endpoint:
        told = await refused(shared, endpoint)
    assert told == f"The bucket refuses what Roster needs ({code}): check {check}."


@pytest.mark.parametrize("reason", NO_STORE)
async def test_what_answers_like_no_store_is_not_the_store(shared: httpx.AsyncClient, reason: str) -> None:
    async with answering(NO_STORE[reason]) as endpoint:
        told = await refused(shared, endpoint)
    assert told == (
        f"The bucket refuses what Roster needs ({reason}): check ROSTER_FILES_ENDPOINT and ROSTER_FILES_URL."
    )


async def test_a_bucket_in_another_region_is_told(shared: httpx.AsyncClient) -> None:
    async with answering(b"301 Moved Permanently\r\nContent-Length: 0\r\n\r\n") as endpoint:
        told = await refused(shared, endpoint)
    assert told.endswith("(redirect without LOCATION): check ROSTER_FILES_REGION.")


async def test_a_bucket_that_is_there_is_left_as_it_was(
    shared: httpx.AsyncClient, s3_server: S3Server
) -> None:
    before = s3_server.list_keys()
    await using(shared, **s3_server.settings).probe()
    assert s3_server.list_keys() == before
    told = await refused(shared, s3_server.endpoint, "s3://another")
    assert told == "The bucket refuses what Roster needs (NoSuchBucket): check ROSTER_FILES_URL."


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_store_that_may_do_it_later_is_only_logged(
    shared: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    async with answering(ANSWERS[answer]) as endpoint:
        await using(shared, files_url="s3://people-files", files_endpoint=endpoint).probe()
    told = capsys.readouterr().err
    assert "backend_unavailable" in told
    assert "ROSTER_FILES_ENDPOINT and ROSTER_FILES_URL" in told
    assert "the-key" not in told


async def test_a_store_that_is_dead_or_frozen_is_only_logged(
    shared: httpx.AsyncClient,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.files.s3.PROBE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        for port in (9, frozen.getsockname()[1]):
            endpoint = f"http://127.0.0.1:{port}"
            await using(shared, files_url="s3://people-files", files_endpoint=endpoint).probe()
            assert "backend_unavailable" in capsys.readouterr().err


async def test_keys_that_are_not_set_are_told(
    shared: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StartError) as half:
        using(shared, files_url="s3://people-files")
    assert str(half.value) == "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together."
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with answering(NO_STORE["404"]) as endpoint:
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", endpoint)
        told = await refused(shared, endpoint)
    assert "AWS_ACCESS_KEY_ID is not set, and this machine's role may have no keys" in told


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
async def test_a_key_with_a_line_break_is_told_without_its_value(
    shared: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "a-secret\n")
    with pytest.raises(StartError) as told:
        using(shared, files_url="s3://people-files")
    assert str(told.value) == f"{name} has a space or a line break in it: take that out."


async def test_an_address_that_the_client_cannot_read_is_told(shared: httpx.AsyncClient) -> None:
    assert "check ROSTER_FILES_ENDPOINT" in await refused(shared, "http://files.1.2.3.4.5")


async def test_neither_a_server_nor_a_worker_starts_with_a_bucket_that_refuses_it(
    shared: httpx.AsyncClient, s3_server: S3Server
) -> None:
    elsewhere = using(shared, files_url="s3://another", files_endpoint=s3_server.endpoint)
    opened = replace(backends(shared), files=elsewhere)
    for start in (first_start.prepare, first_start.prepare_embedded, worker._work):
        with pytest.raises(StartError, match="NoSuchBucket"):
            await start(opened)

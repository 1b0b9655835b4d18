"""Files as they come up: raw or in a form, in every encoding that spreadsheets save, and made to harm."""

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import openpyxl
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.imports import CSV, counted, empty, plan, refused, upload
from tests.support.users import problem
from tests.unit.spreadsheets import hostile
from tests.unit.spreadsheets.readers import workbook

OCTETS = "application/octet-stream"
FILE = "email;name\r\nü@example.com;Zoë 張偉\r\n"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


def form(*fields: tuple[str, str | None, bytes], boundary: str = "b") -> tuple[bytes, str]:
    """A multipart body and its type; fields are name, filename and content."""
    body = b""
    for name, filename, content in fields:
        named = f'; filename="{filename}"' if filename is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter"),
    [
        (FILE.encode(), "utf-8", ";"),
        (FILE.encode("utf-8-sig"), "utf-8", ";"),
        (FILE.replace(";", ",").encode(), "utf-8", ","),
        (FILE.replace(";", "\t").encode("utf-16"), "utf-16-le", "\t"),
        (FILE.encode("utf-16-be"), "utf-16-be", ";"),
    ],
)
async def test_a_csv_is_read_as_spreadsheets_save_it(
    client: httpx.AsyncClient, content: bytes, encoding: str, delimiter: str
) -> None:
    await empty(client)
    found = await plan(client, content)
    assert counted(found) == {"create": 1}, found
    about = found["file"]
    assert (about["format"], about["encoding"], about["delimiter"]) == ("csv", encoding, delimiter)
    assert (about["bytes"], about["name"], about["sheet"]) == (len(content), None, None)


async def test_what_the_caller_says_of_a_csv_goes_before_what_it_looks_like(
    client: httpx.AsyncClient,
) -> None:
    await empty(client)
    content = "email\tname\tx,y\nz@example.com\tZoë\t1,2\n".encode("windows-1252")
    query = "encoding=windows-1252&delimiter=tab&format=csv&filename=C:%5Cold%5Cpeople.csv"
    found = await plan(client, content, query=query)
    assert counted(found) == {"create": 1}
    assert [column["heading"] for column in found["columns"]] == ["email", "name", "x,y"]
    assert found["file"]["name"] == "people.csv"


async def test_a_form_says_its_options_beside_the_file(client: httpx.AsyncClient) -> None:
    await empty(client)
    body, kind = form(
        ("columns", None, b"email:Post"),
        ("file", "Leute.csv", b"Post;name\na@example.com;A\n"),
        ("delimiter", None, b";"),
    )
    found = await plan(client, body, kind)
    assert counted(found) == {"create": 1}
    assert found["file"]["name"] == "Leute.csv"
    assert found["columns"][0] == {"heading": "Post", "field": "email", "use": "key"}
    sent = await client.post(
        "/users/import", files={"file": ("p.csv", FILE.encode(), CSV)}, headers={"Prefer": "wait=30"}
    )
    assert (sent.status_code, sent.json()["file"]["name"]) == (201, "p.csv")


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ([("delimiter", None, b";")], "file"),
        ([("file", "x", b"")], "file"),
        ([("file", "x", b"email\n"), ("file", "x", b"email\n")], "file"),
        ([("file", "x", b"email\n"), ("colour", None, b"red")], "colour"),
        ([("file", "x", b"email\n"), ("format", None, b"pdf")], "format"),
        ([("file", "x", b"email\n"), ("columns", None, b"\xff")], "columns"),
        ([("file", "x", b"email\n"), ("columns", None, b"x" * 20_000)], "columns"),
        ([("file", "x", b"email\n"), ("filename", None, b"x"), ("filename", None, b"y")], "filename"),
    ],
)
async def test_a_form_that_is_no_upload_says_what_it_lacks(
    client: httpx.AsyncClient, fields: list[tuple[str, str | None, bytes]], parameter: str
) -> None:
    body, kind = form(*fields)
    said = await refused(client, body, 422, "validation_failed", kind=kind)
    assert {error["parameter"] for error in said["errors"]} == {parameter}


async def test_an_option_is_said_once_in_the_query_or_in_the_form(client: httpx.AsyncClient) -> None:
    body, kind = form(("file", "x", b"email\n"), ("format", None, b"csv"))
    said = await refused(client, body, 422, "validation_failed", kind=kind, query="format=csv")
    assert {error["parameter"] for error in said["errors"]} == {"format"}
    for query, parameter in (
        ("colour=red", "colour"),
        ("format=pdf", "format"),
        ("delimiter=x", "delimiter"),
    ):
        said = await refused(client, b"email\n", 422, "validation_failed", query=query)
        assert {error["parameter"] for error in said["errors"]} == {parameter}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-8],
        lambda body: body.replace(b"--b\r\n", b"--c\r\n"),
        lambda body: body.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 10_000 + b"\r\n\r\n", 1),
        lambda body: body.replace(b"\r\n\r\n", b"\r\nX: y" * 20 + b"\r\n\r\n", 1),
        lambda _: b"nothing",
    ],
)
async def test_a_form_that_is_none_is_malformed(
    client: httpx.AsyncClient, spoil: Callable[[bytes], bytes]
) -> None:
    body, kind = form(("file", "x", b"email,name\na@example.com,A\n"))
    await refused(client, spoil(body), 400, "malformed_form", kind=kind)


async def test_a_form_with_a_boundless_boundary_is_malformed(client: httpx.AsyncClient) -> None:
    body, kind = form(("file", "x", b"email\n"), boundary="b" * 300)
    await refused(client, body, 400, "malformed_form", kind=kind)


@pytest.mark.parametrize(
    "kind", ["application/xml", "application/x-www-form-urlencoded", "text/html", "", "multipart/form-data"]
)
async def test_other_media_types_are_refused_with_those_that_are_taken(
    client: httpx.AsyncClient, kind: str
) -> None:
    reply = await upload(client, b"email\n", kind)
    problem(reply, 415, "unsupported_media_type")
    assert reply.headers["accept-post"].startswith("multipart/form-data, text/csv")


async def test_a_packed_body_is_refused(client: httpx.AsyncClient) -> None:
    reply = await upload(client, b"x", CSV, **{"Content-Encoding": "gzip"})
    problem(reply, 415, "unsupported_media_type")
    assert reply.headers["accept-encoding"] == "identity"


async def test_a_workbook_names_the_sheets_that_were_not_read(client: httpx.AsyncClient) -> None:
    await empty(client)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Leute"
    book.active.append(["email", "name"])
    book.active.append(["a@example.com", "A"])
    book.create_sheet("Notes")
    file = io.BytesIO()
    book.save(file)
    found = await plan(client, file.getvalue(), OCTETS)
    assert (found["file"]["sheet"], found["file"]["other_sheets"]) == ("Leute", ["Notes"])


# --- files that are wrong, and files made to harm


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (hostile.bomb, 413, "file_too_large"),
        (hostile.lying_bomb, 422, "unreadable_file"),
        (hostile.entities, 422, "unreadable_file"),
        (hostile.macros, 415, "unsupported_file"),
        (hostile.empty_rows, 422, "unreadable_file"),
        (hostile.long_cell, 413, "file_too_large"),
        (hostile.far_cell, 422, "unreadable_file"),
        (lambda: workbook(hostile.PEOPLE)[:-200], 422, "unreadable_file"),
        (lambda: b"email\n\n\n", 422, "unreadable_file"),
        (lambda: b"\n\n", 422, "unreadable_file"),
        (lambda: b"email,email\na,b\n", 422, "unreadable_file"),
        (lambda: b'email\n"a@example.com\n', 422, "unreadable_file"),
        (lambda: b'{"email": "a@example.com"\n', 422, "unreadable_file"),
        (lambda: b"email\na@example.com,surplus\n", 422, "unreadable_file"),
        (lambda: b"name,age\nAna,3\n", 422, "validation_failed"),
        (lambda: b"email,E-Mail\na,b\n", 422, "validation_failed"),
    ],
)
async def test_a_bad_file_is_refused_at_once_with_a_sentence(
    client: httpx.AsyncClient, make: Callable[[], bytes], status: int, code: str
) -> None:
    reply = await upload(client, make(), OCTETS)
    said: dict[str, Any] = problem(reply, status, code)
    assert len(said["detail"]) > 20
    assert (await client.get("/users/imports")).status_code == 200

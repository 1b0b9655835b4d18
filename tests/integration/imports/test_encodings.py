"""Files in the encodings that spreadsheet programs save: read where it is certain which one, else refused."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from app.spreadsheets.reading.encodings import codec
from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, empty, plan, refused

NAMES = {
    "windows-1252": "Jörg Müßiggänger",
    "windows-1250": "Łukasz Dvořák",
    "windows-1251": "Юлия Щукина",
    "windows-1253": "Γιώργος Ψαράς",
    "windows-1254": "Ayşe Yılmaz",
    "windows-1255": "דוד כהן",
    "windows-1256": "محمد الفيصلي",
    "windows-1257": "Jānis Bērziņš",
    "windows-1258": "Nguyễn".replace("ễ", "ê\u0303"),
    "windows-874": "สมชาย ใจดี",
    "cp932": "高橋 かな子",
    "gb18030": "张伟 王芳",
    "cp949": "김민수",
    "cp950": "陳怡君",
    "big5-hkscs": "陳大文 㗎",
    "mac-roman": "Jörg Müßiggänger",
    "mac-latin2": "Łukasz Dvořák",
    "mac-cyrillic": "Юлия Щукина",
    "mac-greek": "Γιώργος Ψαράς",
    "mac-turkish": "Ayşe Yıldız Ğ",
    "cp437": "Jörg Müller",
    "cp850": "Jörg Müßiggänger",
    "cp852": "Łukasz Dvořák",
    "cp866": "Юлия Щукина",
}
KOREAN = "email,name\r\nkr0@example.org,김민수\r\nkr1@example.org,이서연\r\nkr2@example.org,박지훈\r\n"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        await empty(opened)
        for place, name in enumerate(NAMES.values()):
            body = {"name": name, "email": f"stored{place}@example.org"}
            assert (await opened.post("/users", json=body)).status_code == 201
        yield opened


@pytest.mark.parametrize(("place", "encoding"), list(enumerate(NAMES)))
async def test_a_row_that_names_a_stored_user_decides_in_which_encoding_the_file_is(
    client: httpx.AsyncClient, place: int, encoding: str
) -> None:
    name = NAMES[encoding]
    file = f"email;name\r\nstored{place}@example.org;{name}\r\nnew@example.org;{name}\r\n"
    found = await plan(client, file.encode(codec(encoding)))
    assert counted(found) == {"unchanged": 1, "create": 1}
    assert found["items"][1]["values"]["name"] == name


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp949", "김민수"),
        ("gb18030", "张伟"),
        ("cp932", "かな子"),
        ("windows-1252", "Jörg"),
        ("mac-roman", "Jörg"),
    ],
)
async def test_a_file_of_new_users_alone_is_refused_with_what_each_likely_encoding_makes_of_it(
    client: httpx.AsyncClient, encoding: str, name: str
) -> None:
    file = f"email,name\r\nnew@example.org,{name}\r\n".encode(codec(encoding))
    said = await refused(client, file, 422, "unreadable_file")
    assert f"encoding={encoding} ({name})" in said["detail"]
    assert said["detail"].count("encoding=") > 2, "more than one reading is shown"
    found = await plan(client, file, query=f"encoding={encoding}")
    assert (found["file"]["encoding"], found["items"][0]["values"]["name"]) == (encoding, name)


async def test_a_korean_file_is_not_taken_for_chinese(client: httpx.AsyncClient) -> None:
    said = await refused(client, KOREAN.encode("cp949"), 422, "unreadable_file")
    assert "encoding=cp949 (김민수)" in said["detail"]
    assert "encoding=gb18030 (辫刮荐)" in said["detail"]
    found = await plan(client, KOREAN.encode("cp949"), query="encoding=euc-kr")
    assert [row["values"]["name"] for row in found["items"]] == ["김민수", "이서연", "박지훈"]


async def test_stored_users_that_leave_two_readings_of_another_row_do_not_decide(
    client: httpx.AsyncClient,
) -> None:
    stored = f"stored0@example.org;{NAMES['windows-1252']}"
    file = f"email;name\r\n{stored}\r\nnew@example.org;Muñoz\r\n".encode("windows-1252")
    said = await refused(client, file, 422, "unreadable_file")
    assert "encoding=windows-1252 (Muñoz), encoding=windows-1250 (Muńoz)" in said["detail"]
    assert "mac-roman" not in said["detail"], "in which the stored name would be another one"


async def test_stored_users_who_speak_for_different_encodings_do_not_decide(
    client: httpx.AsyncClient,
) -> None:
    western = f"stored0@example.org;{NAMES['windows-1252']}\r\n".encode("windows-1252")
    utf_8 = f"stored2@example.org;{NAMES['windows-1251']}\r\n".encode()
    said = await refused(client, b"email;name\r\n" + western + utf_8, 422, "unreadable_file")
    assert "encoding=" in said["detail"]


async def test_a_stored_value_of_another_column_decides_as_well_and_so_does_a_stored_key(
    client: httpx.AsyncClient,
) -> None:
    body = {
        "name": "Key",
        "email": "key@example.org",
        "username": "żółw",
        "profile": {"addresses": [{"city": "Łódź"}]},
    }
    assert (await client.post("/users", json=body)).status_code == 201
    for file in (
        "username,title\r\nżółw,Chief\r\n",
        "email,address1_city,title\r\nkey@example.org,Łódź,Chief\r\n",
    ):
        found = await plan(client, file.encode("windows-1250"))
        assert counted(found) == {"update": 1}
        assert found["file"]["encoding"] == "windows-1250"


async def test_a_heading_that_the_caller_names_must_be_one_in_the_encoding(client: httpx.AsyncClient) -> None:
    file = "이메일,name\r\nnew@example.org,Kim\r\n".encode("cp949")
    found = await plan(client, file, query="columns=email:이메일")
    assert (found["file"]["encoding"], counted(found)) == ("cp949", {"create": 1})


async def test_lines_of_json_in_another_encoding_are_decided_and_refused_alike(
    client: httpx.AsyncClient,
) -> None:
    def line(email: str, name: str) -> bytes:
        return json.dumps({"email": email, "name": name}, ensure_ascii=False).encode("windows-1251") + b"\n"

    new, stored = line("new@example.org", "Иван"), line("stored2@example.org", NAMES["windows-1251"])
    said = await refused(client, new, 422, "unreadable_file", kind="application/x-ndjson")
    assert "encoding=windows-1251 (Иван)" in said["detail"]
    escaped = '{"email": "new@example.org", "name": "表"}'.encode("cp932")
    said = await refused(client, escaped, 422, "unreadable_file", kind="application/x-ndjson")
    assert "encoding=cp932" in said["detail"], "though its second byte is a backslash"
    found = await plan(client, stored + new, "application/x-ndjson")
    assert found["items"][1]["values"]["name"] == "Иван"


async def test_a_refusal_shows_nothing_of_columns_that_are_not_read(client: httpx.AsyncClient) -> None:
    file = "email,Geheim\r\nnew@example.org,Schlüssel\r\n".encode("windows-1252")
    said = await refused(client, file, 422, "unreadable_file")
    assert "Schl" not in said["detail"]
    assert "encoding=windows-1252" in said["detail"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8", "utf-8-sig"])
async def test_unicode_is_certain_with_and_without_its_mark(client: httpx.AsyncClient, encoding: str) -> None:
    found = await plan(client, KOREAN.encode(encoding))
    assert found["items"][0]["values"]["name"] == "김민수"


async def test_an_encoding_that_does_not_exist_is_refused_by_one_that_does(client: httpx.AsyncClient) -> None:
    said = await refused(client, KOREAN, 422, "validation_failed", query="encoding=cp94")
    assert [error["parameter"] for error in said["errors"]] == ["encoding"]


async def test_the_plan_shows_what_new_users_are_given_and_no_secrets(client: httpx.AsyncClient) -> None:
    hashed = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.gkH6UnjS0HnlIFKPrxOxecnCGXTwVua"
    lines = [f"new{n}@example.org,Zoë {n},Köln," for n in range(60)]
    lines[0] = f"new0@example.org,Zoë,Köln,{hashed}"
    found = await plan(client, "\n".join(["email,name,address1_city,password_hash", *lines]), query="")
    first = found["items"][0]
    assert hashed not in json.dumps(found)
    assert (first["status"], first["values"]["name"]) == ("create", "Zoë")
    assert found["items"][1]["values"] == {
        "name": "Zoë 1",
        "email": "new1@example.org",
        "profile": {"addresses": [{"city": "Köln"}]},
        "scopes": ["me"],
        "is_active": True,
    }
    longer = (await client.get(f"/users/imports/{found['id']}?limit=100")).json()["items"]
    assert sum(row["values"] is not None for row in longer) == 50

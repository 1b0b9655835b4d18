"""Files of ours that a spreadsheet program has opened and saved: rows that nobody touched are unchanged."""

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import openpyxl
import orjson
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.imports import TRICKY, counted, create_all, empty, errors_of, plan
from tests.support.users import create, users

OCTETS = "application/octet-stream"
SHEETJS = b'<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
NUMBER = re.compile(r"[+-]?[0-9]+")
Rows = list[list[Any]]


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        await create_all(opened, [_person(place, text) for place, text in enumerate(TRICKY)])
        # As of a time when line breaks were kept as they came.
        await users(opened).update_many({}, {"$set": {"profile.title": "of\r\nold"}})
        yield opened


def _person(place: int, text: str) -> dict[str, Any]:
    line = " ".join(text.split()) or "x"
    return {
        "email": f"habit{place}@example.com",
        "name": line,
        "username": f"{place:05}",
        "phone": f"+4930{place:08}",
        "tags": [tag] if (tag := re.sub("[,;]", "", line)) else [],
        "is_active": place % 2 == 0,
        "profile": {
            "bio": text,
            "department": "007",
            "age": place,
            "addresses": [{"street": line, "zipcode": "01234", "city": "2026-01-31", "country": "NA"}],
        },
    }


async def export(client: httpx.AsyncClient, form: str) -> bytes:
    reply = await client.get(f"/users/export?format={form}")
    assert reply.status_code == 200, reply.text
    return reply.content


def _read_csv(file: bytes) -> Rows:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def _write_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _write_xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    return _save(book)


def _save(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _mend_parts(file: bytes, part: str, mend: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, mend(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


def _type_as_pandas(rows: Rows) -> Rows:
    """Columns of numbers become floats, booleans True and False, words for nothing blanks; an index leads."""
    columns = [list(column) for column in zip(*rows[1:], strict=True)]
    typed = [[_blank(cell) for cell in column] for column in columns]
    for column in typed:
        if all(cell is None or NUMBER.fullmatch(str(cell)) for cell in column):
            column[:] = [None if cell is None else float(cell) for cell in column]
    body = [[place, *row] for place, row in enumerate(zip(*typed, strict=True))]
    return [[None, *rows[0]], *body]


def _blank(cell: Any) -> Any:
    if cell in ("", "null", "None", "#N/A", "NA"):
        return None
    return cell == "TRUE" if cell in ("TRUE", "FALSE") else cell


def _type_as_excel(rows: Rows) -> Rows:
    """What a cell of CSV looks like is what it becomes, each for itself; of a number fifteen digits stay."""
    return [rows[0], *([_take(cell) for cell in row] for row in rows[1:])]


def _take(cell: str) -> Any:
    if NUMBER.fullmatch(cell):
        return int(cell) if len(cell) <= 15 else int(cell[:15] + "0" * (len(cell) - 15))
    if cell.upper() in ("TRUE", "FALSE"):
        return cell.upper() == "TRUE"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        return datetime.fromisoformat(cell)
    return cell.replace("\r\n", "\n") or None


def _show(cell: Any) -> Any:
    """As Excel writes it to CSV."""
    if isinstance(cell, datetime):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, int) and not isinstance(cell, bool) and cell >= 10**11:
        return f"{cell:.5E}"
    return "VRAI" if cell is True else "FAUX" if cell is False else cell


def libreoffice(file: bytes) -> bytes:
    return _mend_parts(
        file,
        "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(
            rb't="b"><v>(.)</v>',
            lambda found: (
                b't="b"><f aca="false">%s()</f><v>%s</v>'
                % (b"TRUE" if found[1] == b"1" else b"FALSE", found[1])
            ),
            xml,
        ),
    )


def sheetjs(file: bytes) -> bytes:
    return _mend_parts(
        file, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", SHEETJS + b"</Types>")
    )


def by_openpyxl(file: bytes) -> bytes:
    return _save(openpyxl.load_workbook(io.BytesIO(file)))


def pandas_csv(file: bytes) -> bytes:
    return _write_csv(_type_as_pandas(_read_csv(file)))


def pandas_workbook(file: bytes) -> bytes:
    return _write_xlsx(_type_as_pandas(_read_csv(file)))


def excel_csv_as_workbook(file: bytes) -> bytes:
    return _write_xlsx(_type_as_excel(_read_csv(file)))


def excel_csv(file: bytes) -> bytes:
    return _write_csv([[_show(cell) for cell in row] for row in _type_as_excel(_read_csv(file))])


def workbook_as_csv(file: bytes) -> bytes:
    """Its escapes as they stand in it, which is how openpyxl gives them."""
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    assert sheet is not None
    return _write_csv(list(sheet.iter_rows(values_only=True)))


def numbers(file: bytes) -> bytes:
    """As Apple's Numbers exports it: a list of its tables first, and the name of each above its heading.

    By what those say who clean up after it: its first sentence, the three headings and the merged title stand
    in public code that reads such exports; Numbers itself was not run.
    """
    book = openpyxl.load_workbook(io.BytesIO(file))
    users = book.worksheets[0]
    users.insert_rows(1)
    users["A1"] = "Table 1"
    users.merge_cells(start_row=1, start_column=1, end_row=1, end_column=users.max_column)
    users.title = "Users - Table 1"
    summary = book.create_sheet("Export Summary", 0)
    summary["B3"] = "This document was exported from Numbers. Each table was converted to an Excel worksheet."
    summary.merge_cells("B3:D3")
    for row in (
        {},
        {"B": "Numbers Sheet Name", "C": "Numbers Table Name", "D": "Excel Worksheet Name"},
        {"B": "Users"},
        {"C": "Table 1", "D": "Users - Table 1"},
    ):
        summary.append(row)
    summary["D7"].hyperlink = "#'Users - Table 1'!R2C1"
    return _save(book)


def wps(file: bytes) -> bytes:
    """As WPS saves it: its own properties, formats of East Asian currency, and a dimension of one cell.

    By a template of it in public code, and by a report (langgenius/dify 1039) that readers which trust the
    dimension see one cell; WPS itself was not run.
    """
    file = by_openpyxl(file)
    app = b"<Application>WPS \xe8\xa1\xa8\xe6\xa0\xbc</Application>"
    formats = rb'<numFmt numFmtId="44" formatCode="_ &quot;?&quot;* #,##0.00_ ;_ &quot;-&quot;??_ ;_ @_ "/>'
    custom = b'<allowEditUser xmlns="https://web.wps.cn/et/2018/main" hasInvisiblePropRange="0"/>'
    for part, old, new in (
        ("docProps/app.xml", rb"<Application>.*?</Application>", app),
        ("xl/styles.xml", rb"(<numFmts[^>]*>)", rb"\1" + formats),
        ("xl/worksheets/sheet1.xml", rb"<dimension[^>]*>", b'<dimension ref="A1"/>'),
    ):
        file = _mend_parts(file, part, partial(re.compile(old).sub, new))
    out = io.BytesIO(file)
    with zipfile.ZipFile(out, "a") as made:
        made.writestr("customXml/item1.xml", custom)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "program"),
    [
        ("xlsx", libreoffice),
        ("xlsx", sheetjs),
        ("xlsx", by_openpyxl),
        ("xlsx", numbers),
        ("xlsx", wps),
        ("xlsx", workbook_as_csv),
        ("csv", pandas_csv),
        ("csv", pandas_workbook),
        ("csv", excel_csv),
        ("csv", excel_csv_as_workbook),
    ],
)
async def test_a_download_that_a_program_saved_again_changes_nothing(
    client: httpx.AsyncClient, form: str, program: Callable[[bytes], bytes]
) -> None:
    found = await plan(client, program(await export(client, form)), OCTETS)
    assert counted(found) == {"unchanged": len(TRICKY)}, [
        row for row in found["items"] if row["status"] != "unchanged"
    ]


async def test_what_a_person_changes_beside_it_is_the_only_change(client: httpx.AsyncClient) -> None:
    rows = _type_as_excel(_read_csv(await export(client, "csv")))
    place = rows[0].index("department")
    rows[1][place] = "Sales"
    found = await plan(client, _write_xlsx(rows), OCTETS)
    (row,) = [row for row in found["items"] if row["status"] != "unchanged"]
    assert row["differences"] == [{"pointer": "/profile/department", "from": "007", "to": "Sales"}]


async def test_a_number_that_a_format_shows_as_another_one_is_the_text_it_was(
    client: httpx.AsyncClient,
) -> None:
    user = await create(client, name="1e5")
    book = openpyxl.load_workbook(io.BytesIO(_write_xlsx([["id", "name"], [user["id"], 100_000]])))
    book.worksheets[0]["B2"].number_format = "0.00E+00"
    (row,) = (await plan(client, _save(book), OCTETS))["items"]
    assert row["status"] == "unchanged"
    await users(client).delete_one({"email": user["email"]})


async def test_zeros_that_a_text_brings_back_are_a_change(client: httpx.AsyncClient) -> None:
    user = await create(client, profile={"addresses": [{"zipcode": "1234"}]})
    for file in (
        f"id,address1_zipcode\n{user['id']},01234\n".encode(),
        _write_xlsx([["id", "address1_zipcode"], [user["id"], "01234"]]),
    ):
        (row,) = (await plan(client, file, OCTETS))["items"]
        assert [change["to"] for change in row["differences"]] == ["01234"]
    await users(client).delete_one({"email": user["email"]})


@pytest.mark.parametrize("write", [_write_csv, _write_xlsx])
async def test_characters_that_a_program_lost_change_nothing_or_are_named(
    client: httpx.AsyncClient, write: Callable[[Sequence[Sequence[Any]]], bytes]
) -> None:
    user = await create(client, name="Ada 😀 Li", tags=["a"], profile={"title": "Chief"})
    heading, untouched = ["id", "name", "tags", "title"], [user["id"], "Ada \ufffd\ufffd Li", "a", "Chief"]
    (row,) = (await plan(client, write([heading, untouched]), OCTETS))["items"]
    assert row["status"] == "unchanged"
    lost = [user["id"], "Eva \ufffd Li", "\ufffd", "Chief \ufffd"]
    (row,) = (await plan(client, write([heading, lost]), OCTETS))["items"]
    assert errors_of(row) == {
        ("bad_cell", "/name", "name"),
        ("bad_cell", "/tags", "tags"),
        ("bad_cell", "/profile/title", "title"),
    }
    await users(client).delete_one({"email": user["email"]})


async def test_a_return_in_a_cell_without_quotes_ends_no_row(client: httpx.AsyncClient) -> None:
    """As SheetJS writes it, which makes a return of `_x000D_`."""
    user = await create(client, name="_x000D_", profile={"title": "Chief"})
    (row,) = (await plan(client, f"id,name,title\n{user['id']},\r,Chief\n", OCTETS))["items"]
    assert row["status"] == "unchanged"
    await users(client).delete_one({"email": user["email"]})


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
async def test_addresses_of_a_cell_hold_no_escapes_of_a_workbook(
    client: httpx.AsyncClient, form: str
) -> None:
    """Of which SheetJS and openpyxl make other characters, or none that JSON has."""
    user = await create(client, profile={"addresses": [{"street": "_x000D_"}, {"street": "_x0041_"}]})
    path = f"/users/export?format={form}&addresses=0&columns=id,addresses_more&q={user['email']}"
    file = (await client.get(path)).content
    assert counted(await plan(client, file, OCTETS)) == {"unchanged": 1}
    if form == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(file)).worksheets[0]
        streets = [address["street"] for address in orjson.loads(str(sheet["B2"].value))]
        assert streets == ["_x000D_", "_x0041_"]
    await users(client).delete_one({"email": user["email"]})


async def test_phones_as_numbers_are_those_stored_or_named_as_what_they_are(
    client: httpx.AsyncClient,
) -> None:
    user = await create(client, phone="+4989123456")
    same = {"email": user["email"], "phone": 4989123456}
    other = {"email": "phone@example.com", "name": "Phone", "phone": 4989123457}
    mended = {"email": "phone2@example.com", "name": "Phone", "phone": "'+4989123458"}
    lines = b"\n".join(map(orjson.dumps, [same, other, mended]))
    heading = ["email", "name", "phone"]
    book = _write_xlsx([heading, *([each.get(name) for name in heading] for each in (other, mended))])
    for file, kind in ((lines, "application/x-ndjson"), (book, OCTETS)):
        *first, bad, good = (await plan(client, file, kind))["items"]
        assert [row["status"] for row in first] == ["unchanged"] * len(first)
        assert errors_of(bad) == {("bad_cell", "/phone", "phone")}
        assert "made it a number, and the + is lost" in bad["errors"][0]["detail"]
        assert (good["status"], good["errors"]) == ("create", [])
    lost = "email,name,phone\na@example.com,A,4.98912E+9\nb@example.com,B,4989123459.0\n"
    for row in (await plan(client, lost))["items"]:
        assert errors_of(row) == {("bad_cell", "/phone", "phone")}
    await users(client).delete_one({"email": user["email"]})


async def test_each_object_is_told_of_the_key_that_it_has_itself(client: httpx.AsyncClient) -> None:
    lines = [
        {"email": "one@example.com", "name": "One", "age": 200},
        {"E-Mail": "two", "name": "Two", "Age": 200},
    ]
    found = await plan(client, b"\n".join(map(orjson.dumps, lines)), "application/x-ndjson")
    assert errors_of(found["items"][0]) == {("invalid_value", "/profile/age", "age")}
    assert errors_of(found["items"][1]) == {
        ("invalid_value", "/profile/age", "Age"),
        ("invalid_value", "/email", "E-Mail"),
    }


async def test_the_same_key_under_two_headings_is_told_without_a_column(client: httpx.AsyncClient) -> None:
    await empty(client)
    lines = [{"email": "twice@example.com", "name": "A"}, {"E-Mail": "twice@example.com", "name": "B"}]
    found = await plan(client, b"\n".join(map(orjson.dumps, lines)), "application/x-ndjson")
    assert [errors_of(row) for row in found["items"]] == [{("repeated", "/email", None)}] * 2


@pytest.mark.parametrize(
    ("stated", "statuses"),
    [("version", ["unchanged", "conflict", "unchanged"]), ("updated_at", ["unchanged", "update", "update"])],
)
async def test_in_a_row_that_was_made_of_an_older_state_cells_mean_what_they_say(
    client: httpx.AsyncClient, stated: str, statuses: list[str]
) -> None:
    """Of what a program blanks or writes another way, and of what a person wrote since."""
    _, emptier, guarded = made = [
        await create(client, name=name, profile={"title": title})
        for name, title in (("=1", "null"), ("=1", None), ("=1", None))
    ]
    table = [["id", "name", "title", stated], *([user["id"], "=1", "", user[stated]] for user in made)]
    await client.patch(f"/users/{emptier['id']}", json={"profile": {"title": "null"}})
    await client.patch(f"/users/{guarded['id']}", json={"name": "'=1"})
    rows = (await plan(client, _write_csv(table), OCTETS))["items"]
    assert [row["status"] for row in rows] == statuses
    await users(client).delete_many({"email": {"$in": [user["email"] for user in made]}})

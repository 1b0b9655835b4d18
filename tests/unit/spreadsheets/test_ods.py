"""OpenDocument spreadsheets as we write them, read by another reader."""

import io
import re
import zipfile
from datetime import datetime
from typing import Any

import pytest

from app.core.errors import FileTooLargeError
from app.spreadsheets import ods
from app.spreadsheets.columns import catalogue, choose
from app.spreadsheets.writing import writer
from tests.unit.spreadsheets.files import FORBIDDEN, NASTY, moment, open_with_calamine, person, write
from tests.unit.spreadsheets.readers import read


def read_column(name: str, *values: object) -> list[Any]:
    """The values of a column as calamine reads them, once our reader has been found to agree."""
    file = write("ods", [person(**{name: value}) for value in values], f"id,{name}")
    column = [row[1] for row in open_with_calamine(file).get_sheet_by_index(0).to_python()[1:]]
    ours = [row[1] for row in read(file).rows]
    assert [cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in ours] == column
    return column


def test_nasty_names_read_back_equal_and_none_is_a_formula() -> None:
    assert read_column("name", *NASTY) == list(NASTY)
    assert b"table:formula" not in zipfile.ZipFile(io.BytesIO(write("ods", [person(name="=1")]))).read(
        "content.xml"
    )


def test_one_name_that_needs_care_does_not_touch_the_plain_ones_beside_it() -> None:
    for nasty in NASTY:
        assert read_column("name", "Ana", nasty, "Zoë") == ["Ana", nasty, "Zoë"]


def test_characters_that_xml_forbids_are_left_out() -> None:
    assert read_column("name", "a\x01b\x1f\ufffe") == [FORBIDDEN.sub("", "a\x01b\x1f\ufffe")]


def test_cells_have_the_types_of_their_columns() -> None:
    ana = person(phone="+4930", profile={"age": 30, "addresses": [{"zipcode": "00123"}]}, version=7)
    file = write("ods", [ana], "id,phone,age,address1_zipcode,is_active,created_at,updated_at,tags,scopes")
    (row,) = open_with_calamine(file).get_sheet_by_name("Users").to_python()[1:]
    assert row[1:5] == ["+4930", 30, "00123", True]
    assert row[5:7] == [moment("2024-01-02T03:04:05"), moment("2024-01-02T03:04:05.678")]
    assert row[7:] == ["", "me,users:read"]


@pytest.mark.parametrize(
    ("column", "poison", "cell"),
    [
        ("name", 5, "5"),
        ("version", "=1", "=1"),
        ("version", 30.5, 30.5),
        ("version", 2**53 + 1, "9007199254740993"),
        ("created_at", moment("1900-02-28T23:59:59"), "1900-02-28T23:59:59Z"),
    ],
)
def test_a_value_that_its_column_cannot_hold_leaves_its_neighbours_alone(
    column: str, poison: object, cell: object
) -> None:
    good = person()[column]
    before, poisoned, after = read_column(column, good, poison, good)
    assert re.sub(r"\.000000Z$", "Z", poisoned) == cell if isinstance(poisoned, str) else poisoned == cell
    assert before == after


def test_past_the_last_row_of_a_sheet_the_next_begins_with_its_own_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ods, "MOST_ROWS", 8)
    names = [f"name {n}" for n in range(21)]
    file = write("ods", [person(name=name) for name in names], "name,email")
    book = open_with_calamine(file)
    assert book.sheet_names == ["Users", "Users 2", "Users 3"]
    assert [row[0] for row in book.get_sheet_by_name("Users 2").to_python()] == ["name", *names[7:14]]
    assert read(file).column == names


def test_a_document_that_would_need_zip64_breaks_off_and_says_what_to_ask_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ods, "MOST_BYTES", 100_000)
    with pytest.raises(FileTooLargeError, match="choose xlsx or csv"):
        write("ods", [person()] * 1_000)


def test_the_archive_is_sound_and_starts_with_what_it_is() -> None:
    file = write("ods", [person()] * 50)
    archive = zipfile.ZipFile(io.BytesIO(file))
    assert archive.testzip() is None
    assert archive.namelist()[0] == "mimetype"
    kind = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK"
    assert file[30 : 30 + len(kind)] == kind
    assert not any(entry.extra for entry in archive.infolist())


def test_the_header_is_bold_frozen_and_filtered() -> None:
    archive = zipfile.ZipFile(io.BytesIO(write("ods", [person()] * 3, "name,email")))
    content = archive.read("content.xml").decode()
    assert content.count('table:style-name="header"') == 2
    assert "table:target-range-address=\"'Users'.A1:'Users'.B4\"" in content
    assert 'config:name="VerticalSplitPosition" config:type="int">1<' in archive.read("settings.xml").decode()


def test_a_table_without_rows_has_a_header() -> None:
    rows = open_with_calamine(write("ods", [])).get_sheet_by_index(0).to_python()
    assert rows == [[column.name for column in catalogue()]]


def test_the_first_bytes_leave_before_the_first_row_and_others_as_the_rows_come() -> None:
    out = writer("ods", choose("name"))
    assert out.head().startswith(b"PK")
    sizes = [len(out.rows([person(name=f"{n}-{m}") for m in range(500)])) for n in range(20)]
    assert sum(sizes[10:]) > 10_000
    assert out.rows([]) == b""
    assert out.tail().endswith(b"\0\0")

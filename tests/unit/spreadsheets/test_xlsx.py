import gc
import io
import re
import zipfile
from datetime import datetime, time
from typing import Any

import pytest
from bson import Int64
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from app.spreadsheets import layout, xlsx
from app.spreadsheets.columns import catalogue, choose
from app.spreadsheets.writing import writer
from tests.unit.spreadsheets.files import (
    NASTY,
    moment,
    open_with_calamine,
    open_with_openpyxl,
    person,
    show_escapes,
    write,
)

HALF_PAIR = re.compile("[\ud800-\udfff]")


def read_column(name: str, *values: object) -> list[Any]:
    """The values of a column as openpyxl reads them, once calamine has been found to agree."""
    workbook = write("xlsx", [person(**{name: value}) for value in values], f"id,{name}")
    sheet = open_with_openpyxl(workbook).worksheets[0]
    cells = [sheet.cell(row, 2) for row in range(2, len(values) + 2)]
    assert not any(cell.data_type == "f" for cell in cells)
    read = [cell.value for cell in cells]
    rows = open_with_calamine(workbook).get_sheet_by_index(0).to_python()[1:]
    assert [show_escapes(row[1]) for row in rows] == [_say_as_calamine(value) for value in read]
    return read


def _say_as_calamine(value: Any) -> Any:
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    return "" if value is None else value


def test_nasty_names_read_back_equal_in_both_readers_and_none_is_a_formula() -> None:
    assert read_column("name", *NASTY) == list(NASTY)


def test_one_name_that_needs_care_does_not_touch_the_plain_ones_beside_it() -> None:
    for nasty in NASTY:
        assert read_column("name", "Ana", nasty, "Zoë") == ["Ana", nasty, "Zoë"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(codec=None), min_size=1), min_size=1, max_size=10))
def test_any_text_reads_back_equal_and_what_xml_forbids_is_escaped(names: list[str]) -> None:
    assert read_column("name", *names) == [show_escapes(HALF_PAIR.sub("", name)) or None for name in names]


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("_xX0aF41D\x01\x1f\ufffe&😀 \r"), min_size=1, max_size=30))
def test_what_looks_like_an_escape_beside_one_is_the_same_to_those_who_know_escapes(name: str) -> None:
    assert read_column("name", name) == [show_escapes(name)]


def test_a_text_too_long_for_a_cell_is_cut_between_characters() -> None:
    assert read_column("name", "x" * 40_000, "a" + "😀" * 20_000) == ["x" * 32_767, "a" + "😀" * 16_383]


def test_cells_have_the_types_of_their_columns() -> None:
    ana = person(phone="+4930", profile={"age": 30, "addresses": [{"zipcode": "00123"}]}, version=Int64(7))
    names = "id,phone,age,address1_zipcode,is_active,created_at,updated_at,version,tags,scopes"
    sheet = open_with_openpyxl(write("xlsx", [ana], names)).worksheets[0]
    values = [cell.value for cell in sheet[2]]
    assert values == [
        "65a000000000000000000001",
        "+4930",
        30,
        "00123",
        True,
        moment("2024-01-02T03:04:05"),
        moment("2024-01-02T03:04:05.678"),
        7,
        None,
        "me,users:read",
    ]
    assert [cell.number_format for cell in sheet[2]][1:6] == [
        "@",
        "General",
        "@",
        "General",
        "yyyy\\-mm\\-dd\\ hh:mm:ss",
    ]


def test_the_values_of_every_default_column_agree_with_calamine() -> None:
    addresses = [{"label": "home", "street": "天安门大街 1 号", "city": "北京"}] * 5
    workbook = write("xlsx", [person(profile={"addresses": addresses}), person()], None)
    sheet = open_with_openpyxl(workbook).worksheets[0]
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert header == [column.name for column in catalogue()]
    assert dict(zip(header, rows[0], strict=True))["addresses_more"] == (
        '[{"label":"home","street":"天安门大街 1 号","city":"北京"},'
        '{"label":"home","street":"天安门大街 1 号","city":"北京"}]'
    )
    calamine = open_with_calamine(workbook).get_sheet_by_name("Users").to_python()
    assert calamine == [[("" if value is None else value) for value in row] for row in [header, *rows]]


@pytest.mark.parametrize(
    ("column", "poison", "cell"),
    [
        ("name", 5, "5"),
        ("name", float("nan"), None),
        ("name", {"a": 1}, '{"a":1}'),
        ("name", moment("2024-01-02T00:00:00"), "2024-01-02T00:00:00.000000Z"),
        ("version", "=1", "=1"),
        ("version", True, "True"),
        ("version", 30.5, 30.5),
        ("version", 1e300, 1e300),
        ("version", float("inf"), None),
        ("version", 2**53, 2**53),
        ("version", 2**53 + 1, "9007199254740993"),
        ("version", -(2**53) - 1, "-9007199254740993"),
        ("is_active", 1, "1"),
        ("tags", ["a", 1], "a,1"),
        ("created_at", "yesterday", "yesterday"),
        ("created_at", moment("0001-01-01T00:00:00"), "0001-01-01T00:00:00.000000Z"),
        ("created_at", moment("1900-02-28T23:59:59"), "1900-02-28T23:59:59.000000Z"),
        ("created_at", moment("1900-03-01T00:00:00"), moment("1900-03-01T00:00:00")),
        ("created_at", moment("9999-12-31T23:59:59.999"), moment("9999-12-31T23:59:59.999")),
    ],
)
def test_a_value_that_its_column_cannot_hold_becomes_text_and_leaves_its_neighbours_alone(
    column: str, poison: object, cell: object
) -> None:
    good = person()[column] or ["fine"]
    before, poisoned, after = read_column(column, good, poison, good)
    assert poisoned == cell
    assert type(poisoned) is type(cell)
    assert before == after == read_column(column, good)[0]


@given(st.datetimes(moment("1900-03-01T00:00:00"), moment("9999-12-31T23:59:59")))
@settings(max_examples=50, deadline=None)
def test_any_moment_reads_back_equal_to_the_millisecond(when: datetime) -> None:
    stored = when.replace(microsecond=when.microsecond // 1000 * 1000)
    assert read_column("created_at", stored) == [stored]


def test_the_header_is_bold_frozen_and_filtered_and_columns_have_widths() -> None:
    book = open_with_openpyxl(write("xlsx", [person()] * 3, "name:=Name,email,created_at"))
    sheet = book["Users"]
    assert [cell.value for cell in sheet[1]] == ["=Name", "email", "created_at"]
    assert all(cell.font.b and cell.data_type == "s" for cell in sheet[1])
    assert not any(cell.font.b for cell in sheet[2])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:C4"
    assert [sheet.column_dimensions[letter].width for letter in "ABC"] == [24, 30, 20]


def test_the_filter_is_also_the_hidden_name_that_excel_looks_for() -> None:
    archive = zipfile.ZipFile(io.BytesIO(write("xlsx", [person()], "name,email")))
    name = '<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">'
    assert f"{name}'Users'!$A$1:$B$2</definedName>" in archive.read("xl/workbook.xml").decode()


def test_a_table_without_rows_is_a_workbook_with_a_header() -> None:
    workbook = write("xlsx", [])
    assert (
        open_with_openpyxl(workbook)["Users"].auto_filter.ref == f"A1:{get_column_letter(len(catalogue()))}1"
    )
    assert len(open_with_calamine(workbook).get_sheet_by_index(0).to_python()) == 1


def test_past_the_last_row_of_a_sheet_the_next_begins_with_its_own_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 8)
    names = [f"name {n}" for n in range(21)]
    workbook = write("xlsx", [person(name=name) for name in names], "name,email")
    book = open_with_openpyxl(workbook)
    assert book.sheetnames == ["Users", "Users 2", "Users 3"]
    columns = [[cell.value for cell in sheet["A"]] for sheet in book.worksheets]
    assert columns == [["name", *names[:7]], ["name", *names[7:14]], ["name", *names[14:]]]
    assert [sheet.auto_filter.ref for sheet in book.worksheets] == ["A1:B8"] * 3
    assert all(sheet.freeze_panes == "A2" for sheet in book.worksheets)
    calamine = open_with_calamine(workbook)
    assert calamine.sheet_names == book.sheetnames
    assert [row[0] for row in calamine.get_sheet_by_name("Users 2").to_python()] == columns[1]


def test_a_sheet_that_would_need_zip64_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_BYTES", 6_000)
    names = [f"name {n}" for n in range(100)]
    workbook = write("xlsx", [person(name=name) for name in names], "name,email")
    archive = zipfile.ZipFile(io.BytesIO(workbook))
    assert len(archive.infolist()) > 8
    assert all(entry.file_size <= 6_000 for entry in archive.infolist())
    sheets = open_with_openpyxl(workbook).worksheets
    assert [cell.value for sheet in sheets for cell in sheet["A"][1:]] == names


def test_the_archive_is_sound_and_starts_with_the_content_types() -> None:
    archive = zipfile.ZipFile(io.BytesIO(write("xlsx", [person()] * 50)))
    assert archive.testzip() is None
    assert archive.namelist()[0] == "[Content_Types].xml"
    assert not any(entry.extra for entry in archive.infolist())


def test_the_first_bytes_leave_before_the_first_row_and_others_as_the_rows_come() -> None:
    out = writer("xlsx", choose("name"))
    assert out.head().startswith(b"PK")
    sizes = [len(out.rows([person(name=f"{n}-{m}") for m in range(500)])) for n in range(20)]
    assert sum(sizes[10:]) > 10_000
    assert out.rows([]) == b""
    assert out.tail().endswith(b"\0\0")


@pytest.mark.parametrize("written", [0, 1])
def test_a_writer_that_is_dropped_half_way_leaves_no_complaint(written: int) -> None:
    out = writer("xlsx", choose("name"))
    if written:
        out.head()
        out.rows([person()] * 500)
    del out
    gc.collect()


def test_columns_past_z_have_two_letters() -> None:
    assert [layout.name_column(index) for index in (0, 25, 26, 51, 52, 79, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "CB", "ZZ", "AAA"
    ]  # fmt: skip

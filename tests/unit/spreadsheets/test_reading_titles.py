"""Titles above a table, and lists of tables before one: neither is the heading."""

import pytest

from app.core.errors import UnreadableFileError
from tests.unit.spreadsheets.readers import complain, grid_of, read, text, workbook

SUMMARY = (
    # In another language than the one of which it is known: whatever that calls them, the names stay.
    f'<row r="3">{text("B3", "Dieses Dokument wurde aus Numbers exportiert.")}</row>'
    f'<row r="7">{text("B7", "Numbers-Blatt")}{text("C7", "Numbers-Liste")}{text("D7", "Excel-Blatt")}</row>'
    f'<row r="8">{text("B8", "Users")}</row>'
)


@pytest.mark.parametrize("title", ["Users\n", "Users,,\n", ",Users\n", "Users\n\nas of today\n=1+1\n"])
def test_rows_of_one_cell_above_several_texts_are_titles(title: str) -> None:
    file = read(f"{title}name,age,city\nAna,3,\n".encode())
    assert (file.heading, file.rows) == (["name", "age", "city"], [["Ana", "3", None]])
    assert file.numbers == [title.count("\n") + 2]


@pytest.mark.parametrize("start", ["email", "E-Mail", "ID", "a\nb\nc\nd\ne"])
def test_a_heading_of_one_column_is_no_title(start: str) -> None:
    complaint = complain(UnreadableFileError, f"{start}\nx,y\n".encode())
    assert "stands right of the last column that has a heading" in complaint


def test_a_row_that_holds_more_than_texts_is_no_heading_below_a_title() -> None:
    rows = f'<row r="1">{text("A1", "Mail")}</row><row r="2">{text("A2", "x")}<c r="B2"><v>1</v></c></row>'
    assert "The cell B2 stands right of the last column" in complain(UnreadableFileError, workbook(rows))


def test_the_list_of_tables_that_numbers_writes_is_read_only_if_nothing_else_is() -> None:
    file = workbook(SUMMARY, grid_of("xyz"), names=["Zusammenfassung", "Users"])
    found = read(file)
    assert (found.head["sheet"], found.heading) == ("Users", ["a", "b", "c"])
    assert found.head["other_sheets"] == ["Zusammenfassung"]
    for asked in (read(file, sheet="1"), read(workbook(SUMMARY))):
        assert asked.heading == ["", "Numbers-Blatt", "Numbers-Liste", "Excel-Blatt"]

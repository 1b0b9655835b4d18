"""Rows and columns that a workbook hides."""

import pytest

from app.core.errors import UnreadableFileError
from tests.unit.spreadsheets.readers import MAIN, cells, complain, grid_of, read, text, workbook


def hiding(columns: str = "", *, row: str = "") -> bytes:
    rows = (
        grid_of("xyz", "uvw", "   ")
        .replace('<row r="2">', f'<row r="2"{row}>')
        .replace('<row r="4">', '<row r="4" hidden="1">')
    )
    data = f"<cols>{columns}</cols><sheetData>{rows}</sheetData>"
    return workbook([f'<worksheet xmlns="{MAIN}">{data}</worksheet>'.encode()])


@pytest.mark.parametrize("row", [' hidden="1"', ' hidden="true"', ' ht="0" customHeight="1"'])
def test_hidden_rows_that_hold_something_are_left_out_and_counted(row: str) -> None:
    file = read(hiding(row=row))
    assert (file.numbers, file.hidden_rows) == ([3], 1)
    asked = read(hiding(row=row), hidden="read")
    assert (asked.numbers, asked.hidden_rows) == ([2, 3], 0)


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        ('<col min="2" max="2" hidden="1"/>', [1]),
        ('<col min="1" max="1" width="9"/><col min="2" max="16384" hidden="true"/>', [1, 2]),
        ('<col min="3" max="3" width="0" customWidth="1"/>', [2]),
        ('<col min="1" max="3" hidden="0"/>', []),
        ('<col min="9" max="9" hidden="1"/>', []),
        ('<col min="x" max="3" hidden="1"/><col hidden="1"/>', []),
        (f'<col min="{"9" * 5000}" max="{"9" * 5000}" hidden="1"/>', []),
    ],
)
def test_hidden_columns_are_named_by_their_places(columns: str, places: list[int]) -> None:
    file = read(hiding(columns))
    assert (file.head["hidden_columns"], file.rows[0]) == (places, ["x", "y", "z"])
    assert read(hiding(columns), hidden="read").head["hidden_columns"] == []


def test_a_sheet_whose_rows_are_all_hidden_gives_way_to_the_next() -> None:
    gone = f'<row r="1" hidden="1">{text("A1", "a")}</row>'
    file = read(workbook(gone, cells(text("REF", "x")), names=["Old", "New"]))
    assert (file.head["sheet"], file.hidden_rows) == ("New", 0)
    assert "All rows of the sheet are hidden" in complain(UnreadableFileError, workbook(gone))

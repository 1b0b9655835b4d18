"""What merges of a workbook cover, wherever and however they are written."""

import io
import zipfile
from typing import Any

import pytest

from app.core.errors import UnreadableFileError
from app.spreadsheets.reading import archive
from app.spreadsheets.reading.values import Covered, Limits
from tests.unit.spreadsheets.readers import MAIN, complain, grid_of, read, workbook


def merging(*references: str, rows: str = grid_of("xyz", "uvw", "rst")) -> bytes:
    merges = "".join(f'<mergeCell ref="{reference}"/>' for reference in references)
    data = f"<sheetData>{rows}</sheetData><mergeCells>{merges}</mergeCells>"
    return workbook([f'<worksheet xmlns="{MAIN}">{data}</worksheet>'.encode()])


def covered(file: Any) -> list[str]:
    """Rows with `-` for what a merge covers."""
    return ["".join("-" if type(cell) is Covered else str(cell or " ") for cell in row) for row in file.rows]


@pytest.mark.parametrize(
    ("references", "rows"),
    [
        (["A2:B2"], ["x-z", "uvw", "rst"]),
        (["B2:B4"], ["xyz", "u-w", "r-t"]),
        (["$B$2:$C$3"], ["xy-", "u--", "rst"]),
        (["C3:C4", "A2:A3"], ["xyz", "-vw", "rs-"]),
        (["A2:A3", "A3:B3"], ["xyz", "--w", "rst"]),
        (["B2"], ["xyz", "uvw", "rst"]),
        (["A2:XFD2"], ["x--", "uvw", "rst"]),
        (["A2:C3"], ["x--", "rst"]),
        (["A9:C1048576"], ["xyz", "uvw", "rst"]),
        (["C1:D1"], ["xyz", "uvw", "rst"]),
    ],
)
def test_what_a_merge_covers_is_told_from_what_is_blank(references: list[str], rows: list[str]) -> None:
    assert covered(read(merging(*references))) == rows


def test_a_merge_reaches_over_cells_that_the_sheet_leaves_out() -> None:
    assert covered(read(merging("A2:A3", rows=grid_of("x", " v")))) == ["x  ", "-v "]
    assert covered(read(merging("B2:C2", rows=grid_of("xy")))) == ["xy-"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_merges_are_found_in_each_encoding_of_a_sheet(encoding: str) -> None:
    data = f'<sheetData>{grid_of("xyz")}</sheetData><mergeCells><mergeCell ref="A2:B2"/></mergeCells>'
    xml = f'<?xml version="1.0" encoding="utf-16"?><worksheet xmlns="{MAIN}">{data}</worksheet>'
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    assert covered(read(workbook([mark + xml.encode(encoding)]))) == ["x-z"]


@pytest.mark.parametrize("block", [1, 7, 9])
def test_merges_are_found_wherever_blocks_end(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BLOCK", block)
    assert covered(read(merging("A2:B2"))) == ["x-z", "uvw", "rst"]


@pytest.mark.parametrize("reference", ["", "A", "A1:B", "1:2", "AAAA1:B2"])
def test_a_merge_of_no_cells_is_refused(reference: str) -> None:
    assert complain(UnreadableFileError, merging(reference)).startswith("A sheet has no cells")


def test_merges_that_overlap_more_than_a_row_has_columns_are_refused() -> None:
    assert complain(UnreadableFileError, merging(*["A2:B3"] * 501)) == (
        "Merges of cells overlap in row 2: save the workbook again."
    )


def test_what_is_looked_through_for_merges_does_not_count_twice() -> None:
    file = merging("A2:B2", rows=grid_of("xyz", *["uvw"] * 1000))
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        size = sum(info.file_size for info in parts.infolist())
    assert len(read(file, limits=Limits(inflated_bytes=size)).rows) == 1001

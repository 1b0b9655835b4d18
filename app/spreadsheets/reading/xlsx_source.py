"""Reads a sheet of an XLSX workbook as a table."""

from typing import BinaryIO

from app.spreadsheets.reading import workbook
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.shared_strings import SharedStrings
from app.spreadsheets.reading.sheet import SheetReader
from app.spreadsheets.reading.sheet_choice import Tables, find_candidates, read_table
from app.spreadsheets.reading.values import Choices, Limits


def read(
    archive: Archive, scratch: BinaryIO, limits: Limits, choices: Choices, *, splits_merges: bool = True
) -> Tables:
    book = workbook.read(archive)
    candidates = find_candidates(book.sheets, choices.sheet)
    strings = (
        SharedStrings(book.strings, archive.stream(book.strings), scratch, limits)
        if book.strings is not None and book.strings in archive
        else None
    )
    reader = SheetReader(archive, book, strings, limits, splits_merges=splits_merges)
    return read_table(book.sheets, candidates, reader.read, limits, choices)

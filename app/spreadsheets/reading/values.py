"""What a reader hands over: the rows of a file, and how much of one it takes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

LONGEST_HEADING: Final = 255
"""Characters of a column's heading; an export's own label has at most 100."""


class Formula(str):
    """The text of a formula. Whatever result stands in the file beside it is not to be trusted."""

    __slots__ = ()


Cell = str | int | float | bool | datetime | None
"""Moments are aware, in UTC, to the millisecond; an empty text is None; a Formula is a str."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    number: int
    """As a spreadsheet shows it, from 1; of CSV and NDJSON the line where the record begins."""
    cells: list[Cell] | None
    """As many as the heading has columns; None for NDJSON."""
    document: dict[str, Any] | None
    """The object of a line of NDJSON."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may ask for. What every export of ours can hold passes."""

    inflated_bytes: int = 4 * 2**30
    """Of the parts of a workbook that are read."""
    inflation: int = 200
    """Bytes that come of one byte of a ZIP archive, once a part has more than 8 MiB."""
    rows: int = 2_000_000
    columns: int = 500
    cell_characters: int = 32_767
    """UTF-16 units, as spreadsheets count."""
    row_characters: int = 2**20
    seconds: int = 600
    """Of processor time; and how long a single piece of the file may take."""
    memory_bytes: int = 192 * 2**20
    """Address space of the process that reads."""

"""What a reader hands over: the rows of a file, and how much of one it takes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from models.export import Format

LONGEST_HEADING: Final = 255
"""Characters of a column's heading; an export's own label has at most 100."""


class Unread(str):
    """What stands in a cell in place of a value that can be read, as a text: an error of its row."""

    __slots__ = ()
    code: ClassVar[str]
    detail: ClassVar[str]


class Formula(Unread):
    """Whatever result stands in the file beside a formula is not to be trusted."""

    __slots__ = ()
    code = "formula"
    detail = "Holds a formula, whose value is not read: put the value in its place."


class ErrorValue(Unread):
    """`#N/A` and its like: what a spreadsheet shows where a formula failed."""

    __slots__ = ()
    code = "error_value"
    detail = "Holds an error of the spreadsheet and no value: put the value in its place."


class Formatted(Unread):
    """A number or a text that is shown as something else, which cannot be told with certainty."""

    __slots__ = ()
    code = "number_format"
    detail = (
        "Its number format shows something else than it holds: format it as text, and write what is meant."
    )


class Covered(Unread):
    """What lies under the first cell of a merge, and is not shown."""

    __slots__ = ()
    code = "merged_cell"
    detail = "Is merged with the cell before or above it: split them, and write the value into each."


UNREAD: Final = {kind.code: kind for kind in (Formula, ErrorValue, Formatted, Covered)}


class UncertainEncodingError(Exception):
    """A text is one in several encodings, and their letters differ."""

    def __init__(self, fits: list[list[str]]) -> None:
        super().__init__("The bytes of the file do not tell its encoding.")
        self.fits = fits
        """The encodings, of which those that stand together give the same text."""


Cell = str | int | float | bool | datetime | None
"""Moments are aware, in UTC, to the millisecond; an empty text is None; what is Unread is a str."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    number: int
    """As a spreadsheet shows it, from 1; of CSV and NDJSON the line where the record begins."""
    cells: list[Cell] | None
    """As many as the heading has columns; None for NDJSON."""
    document: dict[str, Any] | None
    """The object of a line of NDJSON."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a caller says of a file, by the names of `ImportQuery`; what is None is found out."""

    format: Format | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    hidden: Literal["skip", "read"] = "skip"


@dataclass(slots=True)
class Hidden:
    """What of one table is hidden, by hand or by a filter, as far as it was read."""

    is_read: bool
    rows: int = 0
    """Those that hold something, and were left out."""
    columns: set[int] = field(default_factory=set)
    """Counted from 0."""


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

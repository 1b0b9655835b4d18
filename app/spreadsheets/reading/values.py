"""What readers return: rows and their values; and the limits of files."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from models.export import Format

LONGEST_HEADING: Final = 255
"""Characters of a column's heading; an export's own label has at most 100."""


class Unread(str):
    """The text of a cell without a readable value: an error of its row."""

    __slots__ = ()
    code: ClassVar[str]
    detail: ClassVar[str]


class Formula(Unread):
    """A formula, whose stored result is not trusted."""

    __slots__ = ()
    code = "formula"
    detail = "Contains a formula, whose value is not read: replace it with the value."


class ErrorValue(Unread):
    """An error such as `#N/A`, which a spreadsheet shows for a failed formula."""

    __slots__ = ()
    code = "error_value"
    detail = "Contains an error of the spreadsheet: replace it with a value."


class Formatted(Unread):
    """A number or a text that is shown differently, in a way that is not certain."""

    __slots__ = ()
    code = "number_format"
    detail = (
        "Its number format shows something else than its value: format it as text, and write what is meant."
    )


class Covered(Unread):
    """A cell covered by the first one of a merge."""

    __slots__ = ()
    code = "merged_cell"
    detail = "Is merged with the cell before or above it: split them, and write the value into each."


UNREAD: Final = {kind.code: kind for kind in (Formula, ErrorValue, Formatted, Covered)}


class UncertainEncodingError(Exception):
    """The file is text in several encodings, with different letters."""

    def __init__(self, fits: list[list[str]]) -> None:
        super().__init__("The bytes of the file do not tell its encoding.")
        self.fits = fits
        """The encodings, grouped by the same text."""


Cell = str | int | float | bool | datetime | None
"""Times are aware, in UTC, to the millisecond; an empty text is None; an Unread is a str."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    number: int
    """The row's number in a spreadsheet, from 1; in CSV and NDJSON the record's first line."""
    cells: list[Cell] | None
    """As many as the heading has columns; None for NDJSON."""
    document: dict[str, Any] | None
    """The object of a line of NDJSON."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The caller's options of a file, as in `ImportQuery`; None is detected."""

    format: Format | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    hidden: Literal["skip", "read"] = "skip"


@dataclass(slots=True)
class Hidden:
    """The hidden rows and columns of a table, by hand or by a filter, as far as it was read."""

    is_read: bool
    rows: int = 0
    """The non-blank rows that were left out."""
    columns: set[int] = field(default_factory=set)
    """Counted from 0."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a file, which all our exports meet."""

    inflated_bytes: int = 4 * 2**30
    """The unpacked bytes of a workbook's parts."""
    inflation: int = 200
    """Unpacked bytes for each byte of a ZIP archive, once a part has more than 8 MiB."""
    rows: int = 2_000_000
    columns: int = 500
    cell_characters: int = 32_767
    """In UTF-16 units, as in spreadsheets."""
    row_characters: int = 2**20
    seconds: int = 600
    """Processor time; and the longest wait for a piece of the file."""
    memory_bytes: int = 192 * 2**20
    """The address space of the reader process."""

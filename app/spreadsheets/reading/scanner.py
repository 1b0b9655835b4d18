"""What expat calls for a sheet: the few lines for each tag are most of what a cell costs."""

import re
from collections.abc import Callable
from typing import Any

from app.errors import UnreadableFileError
from app.spreadsheets.reading import markup
from app.spreadsheets.reading.rows import Rows, no_cell
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.shared_strings import MOST_RAW
from app.spreadsheets.reading.values import Formula

_reference = re.compile(r"[A-Z]{1,3}[0-9]{1,7}")


class Scanner:
    def __init__(self, part: str, rows: Rows) -> None:
        self.parser = markup.Parser(part, self._start, self._end, self._characters)
        self.opened_at = self.closed_at = -1
        """Where the tag stands that last opened the rows, and the one that last closed a row."""
        self._in_data = self._in_row = False
        self._rows = rows
        self._most_raw = MOST_RAW * rows.limits.cell_characters
        self._starts = _by_name(
            sheetData=self._open_data,
            row=self._open_row,
            c=self._open_cell,
            t=self._open_text,
            v=self._open_text,
            f=self._open_text,
            rPh=self._open_phonetic,
        )
        self._ends = _by_name(
            sheetData=self._close_data,
            row=self._close_row,
            c=self._close_cell,
            t=self._close_text,
            v=self._close_value,
            f=self._close_formula,
            rPh=self._close_phonetic,
        )
        self._in_cell = self._is_phonetic = False
        self._type: str | None = None
        self._style: str | None = None
        self._pieces: list[str] = []
        self._size = 0
        self._runs: list[str] = []
        self._value: str | None = None
        self._formula: str | None = None

    @property
    def is_between_rows(self) -> bool:
        return self._in_data and not self._in_row

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if (begin := self._starts.get(name)) is not None:
            begin(attributes)

    def _end(self, name: str) -> None:
        if (finish := self._ends.get(name)) is not None:
            finish()

    def _characters(self, text: str) -> None:
        if not self._in_cell:
            return
        self._pieces.append(text)
        self._size += len(text)
        if self._size > self._most_raw:
            raise self._rows.long_cell()

    def _open_data(self, _: dict[str, str]) -> None:
        self._in_data = True
        self.opened_at = self.parser.place

    def _close_data(self) -> None:
        self._in_data = False

    def _open_row(self, attributes: dict[str, str]) -> None:
        if not self._in_data or self._in_row:
            raise self._misplaced("row")
        self._in_row = True
        self._rows.open(attributes.get("r"))

    def _close_row(self) -> None:
        self._in_row = False
        self.closed_at = self.parser.place
        self._rows.close()

    def _open_cell(self, attributes: dict[str, str]) -> None:
        if not self._in_row or self._in_cell:
            raise self._misplaced("cell")
        self._in_cell = True
        get = attributes.get
        self._type = get("t")
        self._style = get("s")
        self._runs = []
        self._value = self._formula = None
        self._size = 0
        if (reference := get("r")) is None:
            self._rows.go_on()
        elif _reference.fullmatch(reference):
            self._rows.go_to(reference.rstrip("0123456789"))
        else:
            raise no_cell(reference)

    def _close_cell(self) -> None:
        self._in_cell = False
        if self._formula is not None:
            self._rows.add_text(Formula(f"={self._formula}"))
        elif self._runs:
            self._rows.add_text("".join(self._runs))
        elif self._value:
            self._rows.add_value(self._type, self._style, self._value)

    def _open_text(self, _: dict[str, str]) -> None:
        self._pieces = []

    def _close_text(self) -> None:
        if self._in_cell and not self._is_phonetic:
            self._runs.append(unescape("".join(self._pieces)))

    def _close_value(self) -> None:
        self._value = "".join(self._pieces)

    def _close_formula(self) -> None:
        self._formula = "".join(self._pieces)

    def _open_phonetic(self, _: dict[str, str]) -> None:
        self._is_phonetic = True

    def _close_phonetic(self) -> None:
        self._is_phonetic = False

    def _misplaced(self, what: str) -> UnreadableFileError:
        return UnreadableFileError(
            f"A {what} of the workbook stands where none can, near {self._rows.place()}: save it again."
        )


def _by_name(**actions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    return {name: actions[local] for name, local in markup.main_names(*actions).items()}

"""Parses rows of a file: converted values by field, and errors of cells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from app.core.errors import InvalidError
from app.imports import import_records
from app.imports.conversion import BadCellError, Convert, converter, pointer, trimmed
from app.imports.mapped_columns import MappedColumn, MappedColumns
from app.spreadsheets.reading.values import SourceRow, Unread

BAD_CELL: Final = "bad_cell"
CHANGED: Final = "updated_at"
"""The column that tells from which state of the user a row was made, if it has no version."""
_TWO_KEYS: Final = "Two keys of the object are {}: keep one."


class Place(NamedTuple):
    """The column of a field in one row."""

    key: Any
    """The key of its cell in the row; None if several cells are joined."""
    heading: str


@dataclass(slots=True)
class ParsedRow:
    """A parsed row. Values of fields with errors are left out."""

    n: int
    row: int
    cells: Any
    """As they are stored: without secrets and hidden columns."""
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    columns: Mapping[str, Place] = field(default_factory=dict)
    """The places of cells, by field."""

    def fail(self, code: str, detail: str, at: str | None = None, column: str | None = None) -> None:
        self.errors.append(import_records.wrong(code, detail, pointer=at, column=column))

    def forgive(self, at: str) -> None:
        self.errors = [bad for bad in self.errors if bad["pointer"] != at]

    def heading_of(self, name: str) -> str | None:
        """The heading of the row's column of this field."""
        place = self.columns.get(name)
        return place.heading if place is not None else None


class RowParser:
    """Parses and counts the rows of one file."""

    def __init__(
        self, columns: MappedColumns, heading: list[str], *, region: str | None = None, keeps: bool = False
    ) -> None:
        """`region`: the country of national phone numbers; `keeps`: blank cells change nothing."""
        self._columns = columns
        self._region = region
        self._keeps = keeps
        self._names = columns.names
        self._read: list[tuple[int, MappedColumn, Convert]] = []
        self._unkept: list[int] = []
        self._by_field: dict[str, Place] = {}
        self._count = 0
        self._places = {each: heading.index(each) for each in self._names if each in heading}
        for place, each in enumerate(heading):
            column = columns.find(each)
            convert = self._converter(column)
            if convert is not None and each not in self._names:
                self._read.append((place, column, convert))
                self._by_field[column.field or ""] = Place(place, each)
            elif column.field == CHANGED:
                self._by_field[CHANGED] = Place(place, each)
            if columns.is_secret(column) or column.use == "hidden":
                self._unkept.append(place)
        if self._places:
            self._by_field["name"] = Place(None, heading[min(self._places.values())])

    def _converter(self, column: MappedColumn) -> Convert | None:
        return converter(column.field, region=self._region) if column.field is not None else None

    def read(self, source: SourceRow) -> ParsedRow:
        self._count += 1
        if source.document is not None:
            return self._read_object(source.number, source.document)
        cells = source.cells or []
        parsed = ParsedRow(self._count, source.number, cells, columns=self._by_field)
        keeps = self._keeps
        for place, column, convert in self._read:
            cell = cells[place]
            if not (keeps and _is_blank(cell)):
                _put(parsed, column, convert, cell)
        if self._names:
            self._join(parsed, {heading: cells[place] for heading, place in self._places.items()})
        if self._unkept:
            parsed.cells = [None if place in self._unkept else cell for place, cell in enumerate(cells)]
        return parsed

    def _read_object(self, number: int, document: Mapping[str, Any]) -> ParsedRow:
        fields: dict[str, Place] = {}
        parsed = ParsedRow(self._count, number, document, columns=fields)
        for key, value in document.items():
            try:
                column = self._columns.find(key)
            except InvalidError as error:
                parsed.fail("ambiguous_column", error.errors[0].detail, column=key)
                continue
            if self._columns.is_secret(column):
                parsed.cells = {**parsed.cells, key: None}
            convert = self._converter(column)
            if column.field == CHANGED:
                fields.setdefault(CHANGED, Place(key, key))
            if column.field is None or convert is None or key in self._names:
                continue
            if self._keeps and _is_blank(value):
                continue
            if column.field in fields:
                parsed.fail("ambiguous_column", _TWO_KEYS.format(column.field),
                           pointer(column.field), key)  # fmt: skip
            fields.setdefault(column.field, Place(key, key))
            _put(parsed, column, convert, value)
        if parts := {heading: document[heading] for heading in self._names if heading in document}:
            if "name" in fields:
                parsed.fail("ambiguous_column", _TWO_KEYS.format("name"), pointer("name"), next(iter(parts)))
            fields.setdefault("name", Place(None, next(key for key in document if key in parts)))
            self._join(parsed, parts)
        return parsed

    def _join(self, parsed: ParsedRow, cells: Mapping[str, Any]) -> None:
        """Join the name from several columns, in the requested order, without blank ones."""
        if self._keeps and all(map(_is_blank, cells.values())):
            return
        parts = []
        for heading, cell in cells.items():
            column = self._columns.find(heading)
            _put(parsed, column, trimmed, cell)
            if (part := parsed.values.pop(column.field or "", None)) is not None:
                parts.append(part)
        strange = [part for part in parts if not isinstance(part, str)]  # for the model to refuse
        parsed.values["name"] = strange[0] if strange else " ".join(parts) or None


def _is_blank(cell: Any) -> bool:
    return cell is None or (type(cell) is str and not cell.strip())


def _put(parsed: ParsedRow, column: MappedColumn, convert: Convert, cell: Any) -> None:
    name = column.field or ""
    try:
        if isinstance(cell, Unread):
            parsed.fail(cell.code, cell.detail, pointer(name), column.heading)
        else:
            parsed.values[name] = convert(cell)
    except BadCellError as bad:
        parsed.fail(BAD_CELL, str(bad), pointer(name), column.heading)

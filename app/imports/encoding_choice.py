"""Chooses the encoding of a file whose bytes do not tell it, by stored users, or reports it as uncertain."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from app.core.errors import InvalidError, UnreadableFileError
from app.database.connections import Connections
from app.imports import stored_users
from app.imports.likelihood import weigh
from app.imports.mapped_columns import MappedColumns
from app.imports.row_parser import ParsedRow, RowParser
from app.imports.stored_users import StoredUsers
from app.spreadsheets.column_labels import ColumnLabels
from app.spreadsheets.reading.encodings import decode
from app.spreadsheets.reading.tables import open_table
from app.spreadsheets.reading.values import Choices, Limits, SourceRow

_BYTES: Final = "latin-1"
"""Reads each byte as one character; separators of cells and rows are the same byte in all encodings."""
_MOST: Final = 2**17
"""The most cells and characters of rows with letters beyond ASCII that are compared: some 500 rows."""
_LONGEST_LABEL: Final = 100
"""The longest label of an export."""
_LOOK_S: Final = 4.0
_SHOWN: Final = 6
"""The most readings in an error."""
_LONGEST: Final = 24
"""The longest sample, in characters."""

Place = tuple[int, str]
"""The row's place among those read, or 0 for the heading; and the field, or the column's place."""
MakeColumns = Callable[[Sequence[str], Mapping[str, str]], MappedColumns]
"""Makes the columns of a heading, by labels of exports; InvalidError if they are ambiguous."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """The rows in one encoding."""

    rows: list[ParsedRow]
    texts: dict[Place, str]
    """The imported texts that are not ASCII."""
    has_columns: bool


async def decide(
    connections: Connections,
    path: Path,
    choices: Choices,
    make_columns: MakeColumns,
    fits: Sequence[Sequence[str]],
) -> str:
    """Choose one of the encodings; UnreadableFileError shows the likely ones.

    `fits`: encodings that give the same text are grouped. An encoding is certain if it contains all texts of
    stored users that any encoding contains, and all such encodings give the same text.
    """
    names = list(chain.from_iterable(fits))
    if len(fits) == 1:
        return names[0]
    heading, sources = await _look(path, choices)
    short = [label for label in heading if len(label) <= 2 * _LONGEST_LABEL]
    labels = await ColumnLabels(connections.database).find(
        list({decode(label, name) for label in short for name in names})
    )
    readings = await asyncio.to_thread(
        lambda: {name: _read(name, heading, sources, make_columns, labels) for name in ("utf-8", *names)}
    )
    rows = chain.from_iterable(reading.rows for reading in readings.values())
    found = await stored_users.find(connections.users, rows, hashes=False)
    left = _leave(fits, readings, found)
    if len(left) == 1:
        return left[0][0]
    raise _refuse([[readings[name] for name in group] for group in left], left)


async def _look(path: Path, choices: Choices) -> tuple[list[str], list[SourceRow]]:
    """The heading and the first rows that are not ASCII, as bytes.

    An unreadable part ends them: the second byte of a letter may look like JSON's backslash.
    """
    heading: list[str] = []
    sources: list[SourceRow] = []
    left = _MOST
    with suppress(TimeoutError, UnreadableFileError):
        async with open_table(path, Limits(), replace(choices, encoding=_BYTES)) as table:
            heading = table.heading
            async with asyncio.timeout(_LOOK_S):
                async for chunk in table.chunks():
                    for row, weight in _weigh_rows(chunk):
                        if weight <= left:
                            sources.append(row)
                            left -= weight
                    if left < _MOST // 100:
                        break
    return heading, sources


def _weigh_rows(rows: Iterable[SourceRow]) -> Iterator[tuple[SourceRow, int]]:
    """The rows that are not ASCII, each with its number of cells and characters."""
    for row in rows:
        texts = list(_texts(row.cells or row.document))
        if not all(map(str.isascii, texts)):
            yield row, len(row.cells or ()) + sum(map(len, texts))


def _read(
    name: str,
    heading: Sequence[str],
    sources: Iterable[SourceRow],
    make_columns: MakeColumns,
    labels: Mapping[str, str],
) -> _Reading:
    named = [decode(label, name) for label in heading]
    texts = {(0, str(place)): label for place, label in enumerate(named) if not label.isascii()}
    try:
        reader = RowParser(make_columns(named, labels), named)
    except InvalidError:
        return _Reading([], texts, has_columns=False)
    rows = [reader.read(_decode_row(source, name)) for source in sources]
    for row in rows:
        for field, value in row.values.items():
            text = " ".join(_texts(value))
            if field != "password_hash" and not text.isascii():
                texts[row.n, field] = text
    return _Reading(rows, texts, has_columns=True)


def _decode_row(source: SourceRow, name: str) -> SourceRow:
    return SourceRow(source.number, _decode(source.cells, name), _decode(source.document, name))


def _decode(value: Any, name: str) -> Any:
    """Decode the bytes of all texts in a cell or an object."""
    if isinstance(value, str):
        return decode(value, name)
    if isinstance(value, list):
        return [_decode(each, name) for each in value]
    if isinstance(value, dict):
        return {decode(key, name): _decode(each, name) for key, each in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _leave(
    fits: Sequence[Sequence[str]], readings: Mapping[str, _Reading], found: StoredUsers
) -> list[list[str]]:
    """The groups of encodings that contain all known texts."""
    known = {name: set(_find_again(reading, found)) for name, reading in readings.items()}
    most = set[Place]().union(*known.values())
    has_columns = any(readings[name].has_columns for group in fits for name in group)
    left = [
        [name for name in group if known[name] == most and readings[name].has_columns == has_columns]
        for group in fits
    ]
    return [group for group in left if group] or [list(group) for group in fits]


def _find_again(reading: _Reading, found: StoredUsers) -> Iterator[Place]:
    """The places of texts beyond ASCII that the row's user has."""
    for row in reading.rows:
        user = found.of(row)
        if user is not None and user.row is not None:
            stored = {_normalise(text) for text in _texts(user.row)}
            for field, value in row.values.items():
                texts = {_normalise(text) for text in _texts(value) if not text.isascii()}
                if texts & stored:
                    yield row.n, field


def _normalise(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _refuse(readings: Sequence[Sequence[_Reading]], groups: Sequence[Sequence[str]]) -> UnreadableFileError:
    """The error with the likely readings, each with a sample that differs in them."""
    ranked = sorted(
        zip(groups, (group[0].texts for group in readings), strict=True),
        key=lambda each: weigh("\n".join(each[1].values()), each[0][0]),
    )[:_SHOWN]
    place = _find_sample([texts for _, texts in ranked])
    shown = ", ".join(
        f"encoding={group[0]}" + (f" ({_show(texts[place])})" if place in texts else "")
        for group, texts in ranked
    )
    return UnreadableFileError(
        "The file is not UTF-8, and neither its bytes nor rows of stored users tell what it is. "
        f"Name it with encoding=; the likely ones first: {shown}."
    )


def _find_sample(readings: Sequence[Mapping[Place, str]]) -> Place | None:
    """The place where the readings differ most."""
    places = {place: None for texts in readings for place in texts}
    return max(
        places, key=lambda place: len({texts[place] for texts in readings if place in texts}), default=None
    )


def _show(text: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"

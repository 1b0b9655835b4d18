"""Merged cells of a sheet: the first cell of a merge is shown and covers the others.

A sheet lists its merges after its rows, so that they are read first.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from app.core.errors import UnreadableFileError
from app.spreadsheets.layout import read_column
from app.spreadsheets.reading import markup
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.values import Covered, Limits

_NEEDLES: Final = (b"mergeCell", "mergeCell".encode("utf-16-le")[:-1])
"""In all of expat's encodings."""
_COVERED: Final = Covered()
_LONGEST: Final = max(map(len, _NEEDLES))
_reference = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?").fullmatch


class Range(NamedTuple):
    """Columns from 0, and rows by their number; both ends inclusive."""

    top: int
    left: int
    bottom: int
    right: int


def has_merges(blocks: Iterable[bytes]) -> bool:
    """Whether a sheet may have merges, by a scan that costs a fraction of reading it."""
    before = b""
    for block in blocks:
        text = before + block
        if any(needle in text for needle in _NEEDLES):
            return True
        before = text[-_LONGEST:]
    return False


def read(part: str, blocks: Iterable[bytes]) -> list[Range]:
    """The merges, in the order of their rows."""
    names = markup.main_names("mergeCell")
    return sorted(_parse(attributes.get("ref", "")) for _, attributes in markup.elements(part, blocks, names))


def cover(rows: Iterable[Record], ranges: Sequence[Range], limits: Limits) -> Iterator[Record]:
    """The rows with covered cells as Covered, without rows that show nothing."""
    waiting = iter([*ranges, Range(10**9, 0, 0, 0)])
    coming = next(waiting)
    current: list[Range] = []
    for number, cells in rows:
        while coming.top <= number:
            current.append(coming)
            coming = next(waiting)
        current = [each for each in current if each.bottom >= number]
        if len(current) > limits.columns:
            raise UnreadableFileError(f"Merges of cells overlap in row {number}: save the workbook again.")
        for each in current:
            first = each.left + (number == each.top)
            last = min(each.right + 1, limits.columns)
            cells.extend([None] * (last - len(cells)))
            cells[first:last] = [_COVERED] * max(last - first, 0)
        if not current or any(cell is not None and not isinstance(cell, Covered) for cell in cells):
            yield number, cells


def _parse(reference: str) -> Range:
    found = _reference(reference)
    if found is None:
        raise UnreadableFileError(f"A sheet has no cells {reference[:20]} to merge: save the workbook again.")
    left, top, right, bottom = found.groups()
    return Range(int(top), read_column(left), int(bottom or top), read_column(right or left))

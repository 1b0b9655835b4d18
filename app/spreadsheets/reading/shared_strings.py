"""The shared strings of a workbook, perhaps millions, in a temporary file instead of memory.

They are read as far as cells need them: spreadsheets number them as they appear, so that the heading needs
only the first few.
"""

import os
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading import grid, markup, runs
from app.spreadsheets.reading.values import Limits

_WINDOW: Final = 128 * 1024
_MOST: Final = 8_000_000
"""Strings: 8 bytes of memory each."""
_MOST_BYTES: Final = 2**29
"""On disk."""
_MOST_KEPT: Final = 4_096
_LONGEST_KEPT: Final = 256
_STRING: Final = markup.main_tags("si")


class SharedStrings:
    def __init__(self, part: str, blocks: Iterable[bytes], scratch: BinaryIO, limits: Limits) -> None:
        """`scratch` is an empty file that must stay open while strings are used."""
        self._more = self._read(part, blocks, limits)
        self._file = scratch
        self._ends = array("Q", [0])
        self._window = b""
        self._window_start = 0
        self._kept: dict[int, str] = {}
        next(self._more, None)

    def _add(self, text: str, limits: Limits) -> None:
        if grid.is_too_long(text, limits):
            raise self._too_long(limits)
        said = text.encode()
        if len(self._ends) > _MOST or self._ends[-1] + len(said) > _MOST_BYTES:
            raise FileTooLargeError(
                f"The workbook has more than {_MOST:,} shared strings, or {_MOST_BYTES:,} bytes of them."
            )
        self._file.write(said)
        self._ends.append(self._ends[-1] + len(said))

    def __getitem__(self, index: int) -> str:
        """IndexError if there is none."""
        if (kept := self._kept.get(index)) is not None:
            return kept
        while index >= len(self):
            if next(self._more, self) is self:
                raise IndexError(index)
        start, end = self._ends[index], self._ends[index + 1]
        offset = start - self._window_start
        if offset < 0 or end > self._window_start + len(self._window):
            self._file.seek(start)
            self._window = self._file.read(max(_WINDOW, end - start))
            self._file.seek(0, os.SEEK_END)
            self._window_start, offset = start, 0
        text = self._window[offset : offset + end - start].decode()
        if len(text) <= _LONGEST_KEPT:
            if len(self._kept) == _MOST_KEPT:
                self._kept.clear()
            self._kept[index] = text
        return text

    def __len__(self) -> int:
        """The number of strings read so far."""
        return len(self._ends) - 1

    def _read(self, part: str, blocks: Iterable[bytes], limits: Limits) -> Iterator[None]:
        tree = markup.Tree(part)
        for _ in tree.grow(blocks):
            for table in tree.top:
                for string in tree.take(table):
                    if string.tag in _STRING:
                        self._add(runs.read(string), limits)
            if tree.is_stuck:
                raise self._too_long(limits)
            yield

    def _too_long(self, limits: Limits) -> UnreadableFileError:
        return UnreadableFileError(
            f"Shared string {len(self) + 1} holds more than {limits.cell_characters:,} characters."
        )

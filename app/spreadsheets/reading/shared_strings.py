"""The shared strings of a workbook, perhaps millions, in a temporary file instead of memory.

They are read as far as cells need them: spreadsheets number them as they appear, so that the heading needs
only the first few.
"""

import os
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading import grid, markup
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.values import Limits

_WINDOW: Final = 128 * 1024
_MOST: Final = 8_000_000
"""Strings: 8 bytes of memory each."""
_MOST_BYTES: Final = 2**29
"""On disk."""
_MOST_KEPT: Final = 4_096
_LONGEST_KEPT: Final = 256


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

    def add(self, text: str) -> None:
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
        scanner = _Scanner(self, limits)
        parser = markup.Parser(part, scanner.start, scanner.end, scanner.characters)
        for block in blocks:
            parser.feed(block)
            yield
        parser.close()


_NAMES: Final = markup.main_names("si", "t", "rPh")


class _Scanner:
    def __init__(self, strings: SharedStrings, limits: Limits) -> None:
        self._strings = strings
        self._limits = limits
        self._runs: list[str] = []
        self._pieces: list[str] = []
        self._size = 0
        self._is_phonetic = False

    def start(self, name: str, _: dict[str, str]) -> None:
        match _NAMES.get(name):
            case "si":
                self._runs = []
                self._size = 0
            case "t":
                self._pieces = []
            case "rPh":
                self._is_phonetic = True

    def characters(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)
        if self._size > MOST_RAW * self._limits.cell_characters:
            raise self._too_long()

    def end(self, name: str) -> None:
        match _NAMES.get(name):
            case "t" if not self._is_phonetic:
                self._runs.append(unescape("".join(self._pieces)))
            case "rPh":
                self._is_phonetic = False
            case "si":
                text = "".join(self._runs)
                if grid.is_too_long(text, self._limits):
                    raise self._too_long()
                self._strings.add(text)

    def _too_long(self) -> UnreadableFileError:
        number, most = len(self._strings) + 1, self._limits.cell_characters
        return UnreadableFileError(f"Shared string {number} holds more than {most:,} characters.")


MOST_RAW: Final = 8
"""The most characters in the file for one of the text; `_x000D_` has seven."""

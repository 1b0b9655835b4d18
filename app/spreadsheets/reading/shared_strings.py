"""The shared strings of a workbook, of which there may be millions: in a nameless file, not in memory."""

import os
import tempfile
from array import array
from collections.abc import Iterable
from typing import Final

from app.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading import grid, markup
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.values import Limits

_WINDOW: Final = 128 * 1024
_MOST: Final = 8_000_000
"""Strings: 8 bytes of memory each."""
_MOST_KEPT: Final = 4_096
_LONGEST_KEPT: Final = 256


class SharedStrings:
    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this does
        self._ends = array("Q", [0])
        self._window = b""
        self._window_start = 0
        self._kept: dict[int, str] = {}

    def add(self, text: str) -> None:
        if len(self._ends) > _MOST:
            raise FileTooLargeError(f"The workbook has more than {_MOST:,} shared strings.")
        said = text.encode()
        self._file.write(said)
        self._ends.append(self._ends[-1] + len(said))

    def freeze(self) -> None:
        self._file.flush()

    def __getitem__(self, index: int) -> str:
        if (kept := self._kept.get(index)) is not None:
            return kept
        start, end = self._ends[index], self._ends[index + 1]
        offset = start - self._window_start
        if offset < 0 or end > self._window_start + len(self._window):
            self._window = os.pread(self._file.fileno(), max(_WINDOW, end - start), start)
            self._window_start, offset = start, 0
        text = self._window[offset : offset + end - start].decode()
        if len(text) <= _LONGEST_KEPT:
            if len(self._kept) == _MOST_KEPT:
                self._kept.clear()
            self._kept[index] = text
        return text

    def __len__(self) -> int:
        return len(self._ends) - 1


def read(part: str, blocks: Iterable[bytes], limits: Limits) -> SharedStrings:
    strings = SharedStrings()
    scanner = _Scanner(strings, limits)
    made = markup.parser(part)
    made.StartElementHandler = scanner.start
    made.EndElementHandler = scanner.end
    made.CharacterDataHandler = scanner.characters
    for _ in markup.feed(made, part, blocks):
        pass
    strings.freeze()
    return strings


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
"""Characters that stand in the file for one of the text, at most; `_x000D_` is seven."""

"""Text files as lines: which encoding a file is in, and what to say of a byte that is not."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from app.errors import UnreadableFileError, UnsupportedFileError

ENCODINGS: Final = ("utf-8", "utf-16", "gb18030", "windows-1252")
"""What a caller may say that a file is in. The last is never guessed."""

BLOCK: Final = 64 * 1024
_SAMPLE: Final = 512 * 1024
"""Bytes on either side of a wrong one by which a file is judged."""
_MOST_NULS: Final = 4
"""One byte of so many: of more, it is no text with a stray one."""
_TRIED: Final = "UTF-8, UTF-16 with a byte order mark, GB18030"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_pairs = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_hanzi = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]")
_MULTIBYTE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class Lines:
    """The physical lines of a file, each with its line break; `number` is that of the last one given."""

    def __init__(self, file: BinaryIO, encoding: str, *, longest: int) -> None:
        self.number = 0
        self._file = file
        self.encoding = encoding
        self._longest = longest
        self._rest = ""
        """What was read and is no whole line yet."""

    def __iter__(self) -> Iterator[str]:
        for text in self._decode():
            if "\0" in text:
                number = self._find(text[: text.index("\0")])
                raise UnreadableFileError(f"Line {number} holds a NUL character: it is not text.")
            *whole, self._rest = _split(self._rest + text)
            for line in whole:
                self.number += 1
                yield line
            if len(self._rest) > self._longest:
                raise UnreadableFileError(
                    f"Line {self.number + 1} has more than {self._longest:,} characters: "
                    "that is no row of a table."
                )
        if self._rest:
            self.number += 1
            yield self._rest

    def _decode(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        is_last = False
        while not is_last:
            block = self._file.read(BLOCK)
            is_last = not block
            try:
                yield decoder.decode(block, is_last)
            except UnicodeDecodeError as error:
                line = self._find(error.object[: error.start].decode(self.encoding, "replace"))
                raise UnreadableFileError(
                    f"Line {line} holds a byte that is not {self.encoding.upper()}: "
                    "save the file as CSV UTF-8."
                ) from None

    def _find(self, text: str) -> int:
        """The number of the line in which something stands that comes after this text, the next one."""
        lines = _split(self._rest + text)
        return self.number + len(lines) + lines[-1].endswith("\r")


def find_encoding(file: BinaryIO, said: str | None) -> str:
    """The encoding; the file then stands behind the mark, if it has one."""
    start = file.read(4)
    file.seek(0)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            file.seek(len(mark))
            return encoding
    if said is not None:
        return "utf-16-le" if said == "utf-16" else said
    sample = file.read(BLOCK)
    if sample.count(b"\0") * _MOST_NULS > len(sample):
        raise UnsupportedFileError(
            "The file is not text: send CSV, NDJSON or an .xlsx workbook (UTF-16 needs its byte order mark)."
        )
    wrong = _find_wrong_byte(file, "utf-8")
    encoding = "utf-8" if wrong is None else _judge(file, wrong)
    file.seek(0)
    return encoding


def _judge(file: BinaryIO, wrong: int) -> str:
    """What a file is that is not UTF-8 as a whole: GB18030, or damaged.

    Most texts are GB18030 by accident, damaged UTF-8 and Western ones too. So it must also look like it:
    hardly anything in it is UTF-8, and most of its pairs are the characters of daily use.
    """
    file.seek(max(0, wrong - _SAMPLE))
    sample = file.read(2 * _SAMPLE)
    good = len(_MULTIBYTE.findall(sample))
    pairs = _pairs.findall(sample)
    bad = sum(1 for byte in sample if byte >= 0x80) - sum(map(len, _MULTIBYTE.findall(sample)))  # noqa: PLR2004
    looks_chinese = 2 * sum(1 for pair in pairs if _hanzi.fullmatch(pair)) > len(pairs)
    if good > bad or not looks_chinese or _find_wrong_byte(file, "gb18030") is not None:
        raise UnreadableFileError(
            f"Line {_find_line(file, wrong)} holds a byte that is not UTF-8, and the whole is none of "
            f"{_TRIED}: save the file as CSV UTF-8."
        )
    return "gb18030"


def _find_wrong_byte(file: BinaryIO, encoding: str) -> int | None:
    """The place of the first byte that cannot be decoded."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    end = 0
    while True:
        block = file.read(BLOCK)
        end += len(block)
        try:
            decoder.decode(block, not block)
        except UnicodeDecodeError as error:
            return end - len(error.object) + error.start
        if not block:
            return None


def _find_line(file: BinaryIO, place: int) -> int:
    file.seek(0)
    line, before = 1, b""
    while block := file.read(min(BLOCK, place - file.tell())):
        line += block.count(b"\n") + block.count(b"\r") - (before + block).count(b"\r\n")
        before = block[-1:]
    return line


def _split(text: str) -> list[str]:
    """Its lines with their breaks, and last the one that may go on: a return may be half of its break."""
    lines = list(io.StringIO(text, newline=""))
    if not lines or lines[-1].endswith("\n"):
        lines.append("")
    return lines

"""Text files as lines: their encoding, and errors of bytes that are not in it."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from app.core.errors import UnreadableFileError, UnsupportedFileError
from app.spreadsheets.reading import encodings
from app.spreadsheets.reading.encodings import ASCII, BLOCK

_SAMPLE: Final = 512 * 1024
"""Bytes on both sides of a wrong one that are examined."""
_START: Final = 4096
_MOST_NULS: Final = 4
"""The most NULs: one in so many bytes; with more, it is not text."""
_DAMAGED: Final = 10
"""UTF-8 letters for each wrong byte; other encodings do not have as many by accident."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    ("\ufeff".encode("gb18030"), "gb18030"),
)
_MULTIBYTE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class Lines:
    """The physical lines of a file, with their breaks; `number` is that of the last one."""

    def __init__(self, file: BinaryIO, encoding: str, *, longest: int) -> None:
        self.number = 0
        self._file = file
        self.encoding = encoding
        self._longest = longest
        self._rest = ""
        """The text read of an incomplete line."""

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

    def blocks(self) -> Iterator[str]:
        """The text in blocks, instead of lines."""
        for text in self._decode():
            yield text
            self.number += text.count("\n")

    def _decode(self) -> Iterator[str]:
        decoder = encodings.decoder(self.encoding)
        is_last = False
        while not is_last:
            block = self._file.read(BLOCK)
            is_last = not block
            try:
                yield decoder.decode(block, is_last)
            except UnicodeDecodeError as error:
                line = self._find(
                    error.object[: error.start].decode(encodings.codec(self.encoding), "replace")
                )
                raise UnreadableFileError(
                    f"Line {line} holds a byte that is not {self.encoding.upper()}: "
                    "save the file as CSV UTF-8, or name its encoding with encoding=."
                ) from None

    def _find(self, text: str) -> int:
        """The number of the line after this text."""
        lines = _split(self._rest + text)
        return self.number + len(lines) + lines[-1].endswith("\r")


def find_encoding(file: BinaryIO, declared: str | None) -> str | None:
    """The encoding, None if it is not certain; leaves the file after its mark, if any."""
    start = file.read(4)
    file.seek(0)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            file.seek(len(mark))
            return encoding
    sample = file.read(BLOCK)
    if declared is None:
        declared = _find_order(sample) or _find_8_bit(file, sample)
    elif declared == "utf-16":
        declared = _find_order(sample) or "utf-16-le"
    file.seek(0)
    return declared


def _find_order(sample: bytes) -> str | None:
    """The UTF-16 of a file without a mark, in which it has lines of text; None if none or both do."""
    if b"\0" not in sample:
        return None
    orders = [encoding for encoding in ("utf-16-le", "utf-16-be") if _has_lines(sample, encoding)]
    return orders[0] if len(orders) == 1 else None


def begins(file: BinaryIO, encoding: str, mark: str) -> bool:
    """Whether the text begins with `mark`, after blanks."""
    here = file.tell()
    start = file.read(_START)
    file.seek(here)
    try:
        return encodings.decoder(encoding).decode(start).lstrip().startswith(mark)
    except UnicodeDecodeError:  # which the lines name
        return False


def _has_lines(sample: bytes, encoding: str) -> bool:
    try:
        text = encodings.decoder(encoding).decode(sample, final=len(sample) < BLOCK)
    except UnicodeDecodeError:
        return False
    letters = set(text)
    return not letters.isdisjoint("\r\n") and "\0" not in letters and encodings.is_text(letters)


def _find_8_bit(file: BinaryIO, sample: bytes) -> str | None:
    wrong = _find_wrong_byte(file, "utf-8")
    if sample.count(b"\0") * _MOST_NULS > len(sample) or (wrong is not None and b"\0" in sample):
        raise UnsupportedFileError(
            "The file is not text: send CSV, NDJSON or an .xlsx workbook; if it is UTF-16 without a byte "
            "order mark, say so by encoding=utf-16-le or encoding=utf-16-be."
        )
    if wrong is not None and _is_damaged(file, wrong):
        raise UnreadableFileError(
            f"Line {_find_line(file, wrong)} holds a byte that is not UTF-8, and the whole is none of "
            "UTF-8, UTF-16: save the file as CSV UTF-8, or name its encoding with encoding=."
        )
    return None if wrong is not None else "utf-8"


def _is_damaged(file: BinaryIO, wrong: int) -> bool:
    """Whether nearly all letters around the wrong byte are UTF-8."""
    file.seek(max(0, wrong - _SAMPLE))
    sample = file.read(2 * _SAMPLE)
    found = _MULTIBYTE.findall(sample)
    bad = len(sample.translate(None, ASCII)) - sum(map(len, found))
    return len(found) > _DAMAGED * bad


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
    """The lines with their breaks, and an incomplete last one, whose return may be half a break."""
    lines = list(io.StringIO(text, newline=""))
    if not lines or lines[-1].endswith("\n"):
        lines.append("")
    return lines

"""Reads a JSON array object by object, with only one object and one block in memory."""

import re
from collections.abc import Iterator
from typing import Any, Final

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading.ndjson_source import parse
from app.spreadsheets.reading.texts import Lines
from app.spreadsheets.reading.values import Limits

_token: Final = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|([\[{])|([\]}])', re.DOTALL)
_CLOSED, _OPENS, _CLOSES = 1, 2, 3
_blanks: Final = re.compile(r"[ \t\r\n]*+")


def read(lines: Lines, limits: Limits) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects by their place, from 1."""
    text = _Text(lines.blocks())
    text.take("[")
    count = 0
    while text.look() != "]" or count:
        count += 1
        if count > limits.rows:
            raise FileTooLargeError(f"The array has more than {limits.rows:,} objects: send it in parts.")
        where = f"Object {count} of the array"
        yield count, parse(text.take_object(where, limits.row_characters), where)
        if text.look() == "]":
            break
        text.take(",")
    text.take("]")
    if text.look():
        raise UnreadableFileError(
            "There is text after the end of the array: send one array, or one object a line."
        )
    if not count:
        raise UnreadableFileError("The array is empty: write one user as {…} for each.")


class _Text:
    """A text in blocks, of which only the unread part is kept."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._text = ""
        self._at = 0

    def look(self) -> str:
        """The next character that is not blank; an empty text at the end."""
        while True:
            found = _blanks.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read():
                return ""

    def take(self, mark: str) -> None:
        if self.look() != mark:
            raise UnreadableFileError(f"The JSON array is incomplete: `{mark}` is missing after an object.")
        self._at += 1

    def take_object(self, where: str, longest: int) -> str:
        """The text from an opening brace to its closing one."""
        if self.look() != "{":
            raise UnreadableFileError(f"{where} is no object: write each user as {{…}}, with commas between.")
        depth = past = 0
        while True:
            for token in _token.finditer(self._text, self._at + past):
                if token.lastindex == _CLOSED and not token[_CLOSED]:
                    break  # a string that goes on in the next block
                past = token.end() - self._at
                depth += (token.lastindex == _OPENS) - (token.lastindex == _CLOSES)
                if not depth:
                    found = self._text[self._at : token.end()]
                    self._at = token.end()
                    return found
            if len(self._text) - self._at > longest:
                raise UnreadableFileError(f"{where} has more than {longest:,} characters: that is no user.")
            if not self._read():
                raise UnreadableFileError(f"The file ends within an object: {where.lower()}.")

    def _read(self) -> bool:
        block = next(self._blocks, None)
        self._text = self._text[self._at :] + (block or "")
        self._at = 0
        return block is not None

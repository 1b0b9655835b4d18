"""Reads NDJSON: one JSON object a line, as strictly as bodies of the API."""

from collections.abc import Iterator
from typing import Any

from app.core import strict_json
from app.core.errors import FileTooLargeError, MalformedJSONError, UnreadableFileError
from app.spreadsheets.reading.texts import Lines
from app.spreadsheets.reading.values import Limits


def read(lines: Lines, limits: Limits) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects by line, without blank lines."""
    count = 0
    for line in lines:
        if line.isspace():
            continue
        count += 1
        if count > limits.rows:
            raise FileTooLargeError(f"The file has more than {limits.rows:,} lines: send it in parts.")
        yield lines.number, parse(line, f"Line {lines.number}")
    if not count:
        raise UnreadableFileError("The file is empty: write one JSON object a line.")


def parse(text: str, where: str) -> dict[str, Any]:
    """The object of a line; UnreadableFileError says what is wrong and where."""
    try:
        document = strict_json.parse(text.encode())
    except MalformedJSONError as error:
        raise UnreadableFileError(f"{where} is not strict JSON. {error.detail}") from None
    if not isinstance(document, dict):
        raise UnreadableFileError(f"{where} is not a JSON object: write one user as {{…}} a line.")
    return document

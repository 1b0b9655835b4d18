"""NDJSON: one JSON object a line, as strict as the API is with a body."""

from collections.abc import Iterator
from typing import Any

from app import strict_json
from app.errors import FileTooLargeError, MalformedJSONError, UnreadableFileError
from app.spreadsheets.reading.texts import Lines
from app.spreadsheets.reading.values import Limits


def read(lines: Lines, limits: Limits) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects by line; blank lines are passed over."""
    count = 0
    for line in lines:
        if line.isspace():
            continue
        count += 1
        if count > limits.rows:
            raise FileTooLargeError(f"The file has more than {limits.rows:,} lines: send it in parts.")
        yield lines.number, _parse(line, lines.number)
    if not count:
        raise UnreadableFileError("The file is empty: write one JSON object a line.")


def _parse(line: str, number: int) -> dict[str, Any]:
    try:
        document = strict_json.parse(line.encode())
    except MalformedJSONError as error:
        raise UnreadableFileError(f"Line {number} is not strict JSON. {error.detail}") from None
    if not isinstance(document, dict):
        raise UnreadableFileError(f"Line {number} is not a JSON object: write one user as {{…}} a line.")
    return document

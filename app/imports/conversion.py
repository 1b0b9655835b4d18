"""Converts cells to values of fields: lenient where a spreadsheet changed the text, strict otherwise."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from app.core import strict_json
from app.core.errors import MalformedJSONError
from app.imports import booleans
from app.imports.mapped_columns import address
from app.spreadsheets import lists
from app.spreadsheets.columns import MOST_ADDRESSES, catalogue
from models import phones
from models.texts import trim
from models.user import FIELDS

Convert = Callable[[Any], Any]

_EXACT: Final = 10**15
"""From here on a spreadsheet has lost digits of a number, as it keeps fifteen."""

_INTEGER: Final = re.compile(
    r"([+-]?(?:[0-9]{1,18}|[0-9]{1,3}(?P<mark>[.,'\u2019 \u00a0\u202f])[0-9]{3}(?:(?P=mark)[0-9]{3}){0,4}))"
    r"(?:(?!(?P=mark))[.,]0+)?"
)
"""An integer with thousands separators, and zeros after the decimal point or comma."""
_AMBIGUOUS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,]000")
"""Either twelve or twelve thousand."""
_MARKS: Final = re.compile(r"[^0-9+-]")
_ID: Final = re.compile(r"[0-9a-fA-F]{24}")


_NUMERAL: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+|[0-9]{5,}[.,]0+")
"""A number in CSV, which may have been a phone number."""
_PHONE_IS_NUMBER: Final = (
    "Must be an international number as text: the spreadsheet made it a number, and the + is lost; "
    "format the cell as text and write it as +4930123456."
)


class BadCellError(Exception):
    """The cell cannot be converted; the message says what would be right."""


def converter(field: str, *, region: str | None = None) -> Convert | None:
    """The converter of a field, by the export's name; None if the field is not imported.

    It returns None for an empty cell, and raises BadCellError. Lists and objects of NDJSON pass unchanged,
    for the model of a user to judge. `region`: the country whose national phone numbers are accepted.
    """
    return partial(_phone, region=region) if field == "phone" else _CONVERTERS.get(field)


def _text(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return _number_as_text(cell)
    if isinstance(cell, datetime):
        raise BadCellError("Must be text, but the spreadsheet made a date of it: format the cell as text.")
    return cell


def _number_as_text(number: float) -> str:
    if not math.isfinite(number) or abs(number) >= _EXACT:
        raise BadCellError(
            "Must be text: as a number of more than 15 digits it has lost some; format the cell as text."
        )
    return str(int(number)) if number == int(number) else repr(number)


def trimmed(cell: Any) -> Any:
    """The text without blanks at the ends, which no stored value has."""
    text = _text(cell)
    return trim(text) or None if isinstance(text, str) else text


def _phone(cell: Any, region: str | None) -> Any:
    """A phone number; with a country's code it stays as it is, so that old stored forms come back unchanged.

    An apostrophe before it is that of our CSV, which a program took for text.
    """
    text = trimmed(cell)
    if not isinstance(text, str):
        return text
    text = text.removeprefix("'")
    number = phones.international(text, region)
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    if _NUMERAL.fullmatch(text) or (is_number and (number == text or _is_international(text))):
        raise BadCellError(_PHONE_IS_NUMBER)
    return number


def _is_international(digits: str) -> bool:
    """Whether the digits are a number after a +, so that they need not be a national one."""
    number = phones.find(f"+{digits}")
    return number is not None and number.wrong is None


def _integer(cell: Any) -> Any:
    if isinstance(cell, str):
        return _parse_integer(cell.strip())
    if isinstance(cell, float):
        if not math.isfinite(cell) or cell != int(cell) or abs(cell) >= _EXACT:
            raise BadCellError("Must be a whole number.")
        return int(cell)
    if isinstance(cell, bool | datetime):
        raise BadCellError("Must be a whole number.")
    return cell


def _parse_integer(text: str) -> int | None:
    if not text:
        return None
    found = _INTEGER.fullmatch(text)
    if _AMBIGUOUS.fullmatch(text):
        raise BadCellError("Must be a whole number without separators: .000 could be decimals or thousands.")
    if found is None:
        raise BadCellError("Must be a whole number.")
    return int(_MARKS.sub("", found[1]))


def _boolean(cell: Any) -> bool | None:
    if isinstance(cell, bool | None):
        return cell
    word = str(cell).strip().removesuffix(".0") if isinstance(cell, str | int | float) else "?"
    if word and (said := booleans.read(word)) is None:
        raise BadCellError("Must be TRUE or FALSE.")
    return said if word else None


def _list(cell: Any) -> Any:
    if isinstance(cell, list):
        return cell
    text = _text(cell)
    if not isinstance(text, str | None):
        return text
    try:
        return lists.split(text or "")
    except lists.BrokenListError:
        raise BadCellError('Must be texts separated by commas, or a JSON array: ["staff","vip"].') from None


def _json(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    if not cell.strip():
        return None
    try:
        return strict_json.parse(cell.encode("utf-8", "replace"))
    except MalformedJSONError:
        raise BadCellError("Must be JSON, as the export writes it.") from None


def _id(cell: Any) -> str | None:
    text = trimmed(cell)
    if text is None:
        return None
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise BadCellError("Must be the id of a user: 24 hexadecimal digits; leave it empty for a new one.")
    return text.lower()


def _version(cell: Any) -> int | None:
    number = _integer(cell)
    if number is not None and (not isinstance(number, int) or number < 1):
        raise BadCellError("Must be the version of the user that the row was made from, or empty.")
    return number


def _password_hash(cell: Any) -> str | None:
    text = trimmed(cell)
    if not isinstance(text, str | None):
        raise BadCellError("Must be text.")
    return text


_BY_KIND: Final[dict[str, Convert]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "list": _list,
    "json": _json,
}
_RECORDED: Final = frozenset(field.name for field in FIELDS if not field.is_set)
_CONVERTERS: Final[dict[str, Convert]] = {
    **{
        column.name: _BY_KIND[column.kind]
        for column in catalogue(MOST_ADDRESSES)
        if column.name not in _RECORDED
    },
    **dict.fromkeys(("email", "username"), trimmed),
    "id": _id,
    "profile": _json,
    "version": _version,
    "delete": _boolean,
    "password_hash": _password_hash,
}
_POINTERS: Final = {field.name: field.pointer for field in FIELDS}


def pointer(field: str) -> str:
    """The JSON pointer of a column's field in a user of the API."""
    place = address(field)
    if place is not None:
        return f"/profile/addresses/{place[0] - 1}/{place[1]}"
    if field == "addresses_more":
        return "/profile/addresses"
    return _POINTERS.get(field, f"/{field}")

"""The values of cells of OpenDocument spreadsheets, by attributes and shown text."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from app.spreadsheets.reading.cell_values import parse_number, read_formula
from app.spreadsheets.reading.values import Cell, ErrorValue, Formatted

_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE: Final = f"{{{_OASIS}:office:1.0}}"
TABLE: Final = f"{{{_OASIS}:table:1.0}}"
TEXT: Final = f"{{{_OASIS}:text:1.0}}"
STYLE: Final = f"{{{_OASIS}:style:1.0}}"

_TYPE: Final = f"{OFFICE}value-type"
_FORMULA: Final = f"{TABLE}formula"
_EXTENDED_TYPE: Final = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"

_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
"""The day of times without one, as in spreadsheets."""
_prefix = re.compile("(?:[a-z]+:)?=?")
_padded = re.compile("0[0-9]+")
_numeral = re.compile("(?:[0-9.,'’+\\-−() \u00a0\u202f]*|[+\\-−]?[0-9.,]+E[+\\-−]?[0-9]+)")
_time = re.compile(r"PT([0-9]{1,6})H([0-9]{1,2})M([0-9]{1,2})(?:[.,]([0-9]{1,9}))?S")


def read(attributes: Mapping[str, str], shown: str) -> Cell:
    """The value of a cell; ValueError says what is wrong. `shown`: the text of its paragraphs."""
    if (formula := attributes.get(_FORMULA)) is not None:
        return read_formula(_prefix.sub("", formula, count=1))
    if attributes.get(_EXTENDED_TYPE) == "error":
        return ErrorValue(shown)
    return _read_value(attributes, shown)


def _read_value(attributes: Mapping[str, str], shown: str) -> Cell:
    match attributes.get(_TYPE):
        case "float" | "percentage" | "currency":
            return _show_number(parse_number(attributes.get(f"{OFFICE}value", "")), shown)
        case "boolean":
            return attributes.get(f"{OFFICE}boolean-value") == "true"
        case "date":
            return _read_date(attributes.get(f"{OFFICE}date-value", shown))
        case "time":
            return _read_time(attributes.get(f"{OFFICE}time-value", ""), shown)
        case _:
            return attributes.get(f"{OFFICE}string-value", shown)


def _show_number(number: float, shown: str) -> Cell:
    """The number as shown: with leading zeros of its format, without other signs."""
    if _padded.fullmatch(shown) and int(shown) == number:
        return shown
    return number if _numeral.fullmatch(shown) else Formatted(shown)


def _read_date(text: str) -> datetime | str:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        milliseconds = timedelta(milliseconds=round(moment.microsecond / 1000))
        return moment.replace(microsecond=0) + milliseconds
    except (ValueError, OverflowError):
        return text


def _read_time(text: str, shown: str) -> datetime | str:
    found = _time.fullmatch(text)
    if found is None:
        return shown
    hours, minutes, seconds, fraction = found.groups()
    return _EPOCH + timedelta(
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        milliseconds=round(float(f"0.{fraction or 0}") * 1000),
    )

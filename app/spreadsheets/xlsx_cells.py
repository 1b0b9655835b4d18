"""Columns of values as the XML of SpreadsheetML cells. Every text is an inline string, never a formula."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.spreadsheets import cells
from app.spreadsheets.cell_texts import are_plain, escape, fit
from app.spreadsheets.layout import Style

STYLES: Final[dict[cells.Uniform, int]] = {
    "blank": 0,
    "integer": 0,
    "boolean": 0,
    "mixed": 0,
    "datetime": 1,
    "text": 2,
}
"""Indexes into the `cellXfs` of the workbook's styles; 3 is the heading's."""

COLUMN_STYLES: Final[dict[Style, int]] = {"plain": 0, "datetime": 1, "text": 2}

HEADER_STYLE: Final = 3

_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001  # stored datetimes are naive UTC
_DAY: Final = timedelta(days=1)

_special = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]+")
"""Texts that look like escapes, and characters that XML forbids, which must be escaped."""

_MARKS: Final = ("&", "<", ">", "_x", "| ", " |")

Renderer = Callable[[str, Sequence[str], Sequence[Any]], Sequence[str]]


def render(column: str, numbers: Sequence[str], batch: cells.Cells) -> Sequence[str]:
    """The cells of a column (its letters) in rows of these numbers; empty without a value."""
    return _RENDERERS[batch.kind](column, numbers, batch.values)


def render_text(column: str, number: str, text: str, *, style: int = STYLES["text"]) -> str:
    """One cell of any text."""
    if not (text := fit(text)):
        return ""
    runs = [f'<t xml:space="preserve">{escape(run)}</t>' for run in _cut(text)]
    string = runs[0] if len(runs) == 1 else "".join([f"<r>{run}</r>" for run in runs])
    return f'<c r="{column}{number}" s="{style}" t="inlineStr"><is>{string}</is></c>'


def _cut(text: str) -> list[str]:
    """
    The text in runs, each of which reads as itself or has only escapes (ECMA-376, 22.9.2.19).

    Excel, calamine and our reader take _x0041_ in a <t> for the character U+0041 and _x005F_ for an escaping
    "_"; openpyxl takes neither. In two runs, such a text is the same for all of them.
    """
    return [run for run in _special.sub(_mark, text).split("\0") if run]


def _mark(match: re.Match[str]) -> str:
    if match[0] == "_":
        return "_\0"
    return "\0" + "".join([f"_x{ord(char):04X}_" for char in match[0]]) + "\0"


def _render_texts(column: str, numbers: Sequence[str], values: Sequence[str | None]) -> Sequence[str]:
    if not are_plain(values, _MARKS):
        return [
            render_text(column, number, text) if text else ""
            for number, text in zip(numbers, values, strict=True)
        ]
    start = f'<c r="{column}'
    middle = f'" s="{STYLES["text"]}" t="inlineStr"><is><t>'
    return [
        f"{start}{number}{middle}{text}</t></is></c>" if text else ""
        for number, text in zip(numbers, values, strict=True)
    ]


def _render_integers(column: str, numbers: Sequence[str], values: Sequence[int | None]) -> Sequence[str]:
    known = [value for value in values if value is not None]
    if max(known) > cells.LARGEST_EXACT or min(known) < -cells.LARGEST_EXACT:
        return _render_mixed(column, numbers, values)
    return _render_numbers(column, numbers, values)


def _render_numbers(column: str, numbers: Sequence[str], values: Sequence[float | None]) -> Sequence[str]:
    start = f'<c r="{column}'
    return [
        "" if value is None else f'{start}{number}"><v>{value}</v></c>'
        for number, value in zip(numbers, values, strict=True)
    ]


def _render_booleans(column: str, numbers: Sequence[str], values: Sequence[bool | None]) -> Sequence[str]:
    start = f'<c r="{column}'
    return [
        "" if value is None else f'{start}{number}" t="b"><v>{value:d}</v></c>'
        for number, value in zip(numbers, values, strict=True)
    ]


def _render_datetimes(
    column: str, numbers: Sequence[str], values: Sequence[datetime | None]
) -> Sequence[str]:
    if min(filter(None, values)) < cells.FIRST_DATE:
        return _render_mixed(column, numbers, values)
    start, style, epoch, day = f'<c r="{column}', f'" s="{STYLES["datetime"]}"><v>', _EPOCH, _DAY
    return [
        "" if value is None else f"{start}{number}{style}{(value - epoch) / day}</v></c>"
        for number, value in zip(numbers, values, strict=True)
    ]


def _render_errors(column: str, numbers: Sequence[str], values: Sequence[cells.NoValue]) -> Sequence[str]:
    return [
        f'<c r="{column}{number}" t="e"><v>#N/A</v></c>' for number, _ in zip(numbers, values, strict=True)
    ]


def _render_mixed(column: str, numbers: Sequence[str], values: Sequence[Any]) -> Sequence[str]:
    return [_render_one(column, number, value) for number, value in zip(numbers, values, strict=True)]


def _render_one(column: str, number: str, value: Any) -> str:
    if value is None:
        return ""
    value = cells.make_exact(value)
    return _BY_TYPE[type(value)](column, [number], [value])[0]


_BY_TYPE: Final[dict[type, Renderer]] = {
    str: _render_texts,
    int: _render_integers,
    float: _render_numbers,
    bool: _render_booleans,
    datetime: _render_datetimes,
    cells.NoValue: _render_errors,
}
_RENDERERS: Final[dict[cells.Uniform, Renderer]] = {
    **{kind: _BY_TYPE[type_] for type_, kind in cells.TYPES.items()},
    **dict.fromkeys(("blank", "mixed"), _render_mixed),
}

"""Columns of values as the XML of OpenDocument's cells. No cell holds a formula."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from app.spreadsheets import cells
from app.spreadsheets.cell_texts import are_plain, escape, fit

HEADER: Final = ' table:style-name="header"'

_BLANK: Final = "<table:table-cell/>"
_END: Final = "</text:p></table:table-cell>"
_MARKS: Final = ("&", "<", ">", "  ", "| ", " |")

_forbidden = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML cannot express and OpenDocument cannot escape."""
_collapsed = re.compile("[\t\n\r]|  |^ | $")
"""White space that readers of paragraphs collapse."""
_break = re.compile("\r\n|\r|\n")
_spaces = re.compile("^ +| {2,}| $")
_IN_ATTRIBUTES: Final = str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})


def render(batch: cells.Cells) -> Sequence[str]:
    """The cells of one column, row by row."""
    return _RENDERERS[batch.kind](batch.values)


def render_blanks(columns: int, rows: int) -> Sequence[str]:
    """Blank cells of so many columns."""
    blank = f'<table:table-cell table:number-columns-repeated="{columns}"/>' if columns > 1 else _BLANK
    return [blank] * rows


def render_text(text: str, style: str = "") -> str:
    """One cell of any text, without what OpenDocument cannot express."""
    if not (text := _forbidden.sub("", fit(text))):
        return _BLANK
    start = f'<table:table-cell{style} office:value-type="string"'
    if not _collapsed.search(text):
        return f"{start}><text:p>{escape(text)}{_END}"
    # LibreOffice drops elements of tabs in a paragraph; other programs only know paragraphs.
    exact = escape(text).translate(_IN_ATTRIBUTES)
    shown = "</text:p><text:p>".join([_show(line) for line in _break.split(text)])
    return f'{start} office:string-value="{exact}"><text:p>{shown}{_END}'


def _show(line: str) -> str:
    """White space as elements (OpenDocument 1.3, part 3, 6.1.2), as characters would collapse."""
    spaced = _spaces.sub(lambda run: f'<text:s text:c="{len(run[0])}"/>', escape(line))
    return spaced.replace("\t", "<text:tab/>")


def _render_texts(values: Sequence[str | None]) -> Sequence[str]:
    if not are_plain(values, _MARKS):
        return [render_text(text) if text else _BLANK for text in values]
    start = '<table:table-cell office:value-type="string"><text:p>'
    return [f"{start}{text}{_END}" if text else _BLANK for text in values]


def _render_numbers(values: Sequence[float | None]) -> Sequence[str]:
    start = '<table:table-cell office:value-type="float" office:value="'
    return [_BLANK if value is None else f'{start}{value}"><text:p>{value}{_END}' for value in values]


def _render_integers(values: Sequence[int | None]) -> Sequence[str]:
    known = [value for value in values if value is not None]
    if max(known) > cells.LARGEST_EXACT or min(known) < -cells.LARGEST_EXACT:
        return _render_mixed(values)
    return _render_numbers(values)


def _render_booleans(values: Sequence[bool | None]) -> Sequence[str]:
    return [_BOOLEANS[value] for value in values]


def _render_datetimes(values: Sequence[datetime | None]) -> Sequence[str]:
    if min(filter(None, values)) < cells.FIRST_DATE:
        return _render_mixed(values)
    start = '<table:table-cell table:style-name="datetime" office:value-type="date" office:date-value="'
    return [
        f'{start}{text[:-1]}"><text:p>{text[:10]} {text[11:19]}{_END}' if text else _BLANK
        for text in cells.write_datetimes(values)
    ]


def _render_mixed(values: Sequence[Any]) -> Sequence[str]:
    return [_render_one(value) for value in values]


def _render_one(value: Any) -> str:
    if value is None:
        return _BLANK
    value = cells.make_exact(value)
    return _BY_TYPE[type(value)]([value])[0]


_BOOLEANS: Final = {None: _BLANK} | {
    value: f'<table:table-cell table:style-name="boolean" office:value-type="boolean" '
    f'office:boolean-value="{str(value).lower()}"><text:p>{str(value).upper()}{_END}'
    for value in (True, False)
}
Renderer = Callable[[Sequence[Any]], Sequence[str]]
_BY_TYPE: Final[dict[type, Renderer]] = {
    str: _render_texts,
    int: _render_integers,
    float: _render_numbers,
    bool: _render_booleans,
    datetime: _render_datetimes,
}
_RENDERERS: Final[dict[cells.Uniform, Renderer]] = {
    **{kind: _BY_TYPE[type_] for type_, kind in cells.TYPES.items()},
    **dict.fromkeys(("blank", "mixed"), _render_mixed),
}

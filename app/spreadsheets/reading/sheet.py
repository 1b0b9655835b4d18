"""One sheet's rows, read as a stream: nothing of it is held but the rows at hand.

expat reads every sheet. It costs seven calls a cell, though, and nearly all rows are of one form: those are
taken by a regular expression instead, and expat is not shown them. What such a row may hold is so narrow that
both read it alike; any other row goes to expat, and where one row ends and the next begins is only believed
if expat says so too. From the first thing between rows that is none, expat reads alone.
"""

import codecs
import re
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Final

from app.spreadsheets.reading import markup
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.cell_values import CellValues
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.rows import Rows
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.scanner import Scanner
from app.spreadsheets.reading.shared_strings import SharedStrings
from app.spreadsheets.reading.values import Limits
from app.spreadsheets.reading.workbook import Sheet, Workbook

_OPENS: Final = b"<sheetData>"
_ROW_OPENS: Final = "<row"
_CLOSES: Final = "</row>"
_LONGEST_HEAD: Final = 2**20
_LONGEST_ROW: Final = 2**20

_BARE: Final = r"[^<>&\0-\x08\x0b-\x1f\ufffe\uffff]*+"
_TEXT: Final = rf"{_BARE}(?:&(?:amp|lt|gt|quot|apos|#13|#10);{_BARE})*+"
_LOOKS: Final = (
    "spans", "s", "customFormat", "ht", "hidden", "customHeight", "outlineLevel", "collapsed", "thickTop",
    "thickBot", "x14ac:dyDescent",
)  # fmt: skip
"""Attributes of a row that say nothing of its cells, in the order in which Excel writes them."""
_LAYOUT: Final = "".join([f'(?: {name}="[0-9a-z.: ]*+")?' for name in _LOOKS])
_CELL: Final = (
    r'<c r="([A-Z]{1,3})[0-9]{1,7}"(?: s="([0-9]+)")?(?: t="([a-zA-Z]+)")?(?:/>|>(?:'
    rf'<v>({_TEXT})</v>|<is><t(?: xml:space="preserve")?>({_TEXT})</t></is>)?</c>)'
)
_cells = re.compile(_CELL).findall
_row = re.compile(
    rf'<row r="([0-9]{{1,7}})"{_LAYOUT}(?:/>|>((?:{re.sub(r"[(](?![?])", "(?:", _CELL)})*+)</row>)'
).match
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#13;": "\r", "&#10;": "\n"}


def read(
    archive: Archive, book: Workbook, sheet: Sheet, strings: SharedStrings | None, limits: Limits
) -> Iterator[Record]:
    rows = Rows(CellValues(book, strings), limits)
    for _ in _walk(sheet.part, archive.stream(sheet.part), rows):
        yield from rows.done
        rows.done.clear()


def _walk(part: str, blocks: Iterator[bytes], rows: Rows) -> Iterator[None]:
    """Hands all of the part to one of the two; after each step rows may be done."""
    scanner = Scanner(part, rows)
    rest = _feed_head(scanner, blocks)
    if (
        scanner.is_between_rows
        and scanner.parser.is_utf8
        and scanner.opened_at == scanner.parser.fed - len(_OPENS)
    ):
        try:
            rest = yield from _walk_rows(scanner, chain([rest], blocks), rows)
        except UnicodeDecodeError:
            raise markup.unsound(part) from None
    for block in chain([rest], blocks):
        scanner.parser.feed(block)
        yield
    scanner.parser.close()
    yield


def _feed_head(scanner: Scanner, blocks: Iterable[bytes]) -> bytes:
    """Shows expat what comes before the first row, and returns what was read beyond."""
    head = b""
    for block in blocks:
        head += block
        before, opens, rest = head.partition(_OPENS)
        if opens:
            scanner.parser.feed(before + opens)
            return rest
        if len(head) > _LONGEST_HEAD:
            break
    return head


def _walk_rows(scanner: Scanner, blocks: Iterable[bytes], rows: Rows) -> Generator[None, None, bytes]:
    """The rows, up to what is left to expat: the bytes from there on that were read."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    text = ""
    is_plain = True
    for block in blocks:
        text += decoder.decode(block)
        place = _take(text, 0, rows)
        while is_plain and (end := text.find(_CLOSES, place) + len(_CLOSES)) > place:
            is_plain = _feed_row(scanner, text[place:end])
            place = _take(text, end, rows) if is_plain else end
        text = text[place:]
        yield
        if not is_plain or not _ROW_OPENS.startswith(text[: len(_ROW_OPENS)]) or len(text) > _LONGEST_ROW:
            break
    return text.encode() + decoder.getstate()[0]


def _feed_row(scanner: Scanner, row: str) -> bool:
    """Shows expat a row of another form; whether it agrees that a row ends there, and another may begin."""
    scanner.parser.feed(row.encode())
    return scanner.is_between_rows and scanner.closed_at == scanner.parser.fed - len(_CLOSES)


def _take(text: str, place: int, rows: Rows) -> int:
    """Takes the rows of the one form that stand there; where the first other thing stands."""
    while (match := _row(text, place)) is not None:
        number, cells = match.groups()
        rows.open(number)
        if cells:
            _take_cells(cells, rows)
        rows.close()
        place = match.end()
    return place


def _take_cells(cells: str, rows: Rows) -> None:
    if len(cells) <= rows.limits.cell_characters // 2:
        rows.add_short(_cells(cells), _resolve if "&" in cells or "_x" in cells else None)
        return
    for letters, style, kind, value, text in _cells(cells):
        rows.go_to(letters)
        if text:
            rows.add_text(unescape(_resolve(text)))
        elif value:
            rows.add_value(kind, style, _resolve(value))


def _resolve(text: str) -> str:
    if "&" not in text:
        return text
    for entity, char in _ENTITIES.items():
        text = text.replace(entity, char)
    return text.replace("&amp;", "&")

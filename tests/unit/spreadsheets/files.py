"""Users as they are stored, and the files made of them."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import openpyxl
from bson import ObjectId
from openpyxl.workbook import Workbook
from python_calamine import CalamineWorkbook

from app.spreadsheets.columns import choose
from app.spreadsheets.writing import writer
from models.export import Format

FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
ID = ObjectId("65a000000000000000000001")
NASTY = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\N{NO-BREAK SPACE}=1",
    "\N{ZERO WIDTH SPACE}=1",
    "\N{ZERO WIDTH NO-BREAK SPACE}=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "'=1",
    "''=1",
    "'plain",
    "'",
    'a "quoted" name',
    "two\nlines",
    "two\r\nlines",
    "a lone\rreturn",
    "\r",
    "comma, semicolon; tab\tpipe|",
    " spaces around ",
    "  ",
    "👩‍👩‍👧 \N{MATHEMATICAL BOLD CAPITAL A}",
    "\N{RIGHT-TO-LEFT MARK}שלום\N{RIGHT-TO-LEFT OVERRIDE}abc",
    "小中同学",
    "00123",
    "1e400",
    "NaN",
    "inf",
    "TRUE",
    "2024-01-02",
    "12345678901234567890",
    "<b>&amp;</b>",
    "]]>",
    "_x000D_",
    "_x0041_",
    "_x005F_x0041_",
    "_x000d__x000a_",
    "{=1}",
    "x" * 32_767,
    "😀" * 16_383,
)


def moment(text: str) -> datetime:
    """Naive UTC, as PyMongo decodes it."""
    return datetime.fromisoformat(text)


def person(**fields: Any) -> dict[str, Any]:
    required = {
        "_id": ID,
        "email": "ana@example.com",
        "name": "Ana",
        "tags": [],
        "scopes": ["me", "users:read"],
        "is_active": True,
        "email_verified": False,
        "created_at": moment("2024-01-02T03:04:05"),
        "updated_at": moment("2024-01-02T03:04:05.678"),
        "version": 1,
    }
    return required | fields


def write(
    form: Format, rows: Sequence[dict[str, Any]], columns: str | None = None, addresses: int = 3
) -> bytes:
    """The whole file, its rows given in batches of ten."""
    chosen = None if form == "ndjson" and columns is None else choose(columns, addresses=addresses)
    out = writer(form, chosen)
    pieces = [out.head()]
    pieces += [out.rows(rows[start : start + 10]) for start in range(0, len(rows), 10)]
    return b"".join([*pieces, out.tail()])


def show_escapes(value: Any) -> Any:
    """A cell as openpyxl shows it, which knows no escapes of what XML forbids."""
    if not isinstance(value, str):
        return value
    return FORBIDDEN.sub(lambda match: f"_x{ord(match[0]):04X}_", value)


def open_with_openpyxl(workbook: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(workbook))


def open_with_calamine(workbook: bytes) -> CalamineWorkbook:
    return CalamineWorkbook.from_filelike(io.BytesIO(workbook))


def read_csv(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))

"""Workbooks made to do harm, whole files."""

import io
import zipfile

from tests.unit.spreadsheets.readers import archive, cells, lie_about_sizes, parts, text, workbook

SHEET = "xl/worksheets/sheet1.xml"
PEOPLE = cells(text("REF", "x")).replace(">a<", ">email<")
OPENS, CLOSES = (
    parts(PEOPLE)[SHEET].split('<row r="2">')[0].encode(),  # type: ignore[union-attr]  # one text
    b"</sheetData></worksheet>",
)


def bomb() -> bytes:
    return workbook([OPENS, *[b" " * 2**20] * 400, CLOSES])


def lying_bomb() -> bytes:
    """Its directory says that it is small."""
    return lie_about_sizes(bomb(), SHEET, 1_000)


def encrypted() -> bytes:
    """A workbook with a password is no archive, but a compound file."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000


def entities() -> bytes:
    made = parts(PEOPLE)
    return archive(made | {SHEET: f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>{made[SHEET]}'})


def macros() -> bytes:
    return archive(parts(PEOPLE) | {"xl/vbaProject.bin": "x"})


def far_cell() -> bytes:
    row = f'<row r="1048576">{text("XFD1048576", "x")}</row>'
    return workbook([OPENS, row.encode(), CLOSES])


def long_cell() -> bytes:
    return workbook(
        [
            OPENS,
            b'<row r="2"><c r="A2" t="inlineStr"><is><t>',
            *[b"x" * 2**20] * 100,
            b"</t></is></c></row>",
            CLOSES,
        ]
    )


def empty_rows() -> bytes:
    rows = "".join([f'<row r="{n}"/>' for n in range(2, 1_000_002)])
    return workbook([OPENS, rows.encode(), CLOSES])


def other_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("readme.txt", "x")
    return file.getvalue()

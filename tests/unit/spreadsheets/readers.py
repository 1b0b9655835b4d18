"""Files read without a process of their own, and workbooks put together by hand."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from app.core.errors import RosterError
from app.spreadsheets.reading import child, frames
from app.spreadsheets.reading.values import Cell, Choices, Limits
from models.export import Format

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
OVERRIDE = '<Override PartName="/xl/workbook.xml" ContentType="{}"/>'
TYPES = f'<Types xmlns="{PACKAGE}/content-types">{OVERRIDE.format(TYPE)}</Types>'


@dataclass(frozen=True)
class Read:
    head: dict[str, Any]
    numbers: list[int]
    rows: list[list[Cell]]
    documents: list[dict[str, Any]]
    hidden_rows: int

    @property
    def heading(self) -> list[str]:
        heading: list[str] = self.head["heading"]
        return heading

    @property
    def column(self) -> list[Cell]:
        """The first cell of each row."""
        return [row[0] for row in self.rows]


def read(
    file: bytes,
    *,
    form: Format | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    hidden: Literal["skip", "read"] = "skip",
    limits: Limits | None = None,
) -> Read:
    request = child.Request("", limits or Limits(), Choices(form, delimiter, encoding, sheet, hidden))
    head, *rest, end = [
        frames.read(frame[frames.LENGTH.size :]) for frame in child.read(io.BytesIO(file), request)
    ]
    rows = [row for frame in rest for row in frames.read_rows(frame)]
    return Read(
        head["head"],
        [row.number for row in rows],
        [row.cells for row in rows if row.cells is not None],
        [row.document for row in rows if row.document is not None],
        end["end"]["hidden_rows"],
    )


def complain(error: type[RosterError], file: bytes, **said: Any) -> str:
    """What is said of a file that is not read."""
    with pytest.raises(error) as caught:
        read(file, **said)
    return caught.value.detail


def archive(parts: Mapping[str, str | bytes | Iterable[bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as made:
        for name, content in parts.items():
            pieces = [content] if isinstance(content, (str, bytes)) else content
            with made.open(name, "w") as part:
                for piece in pieces:
                    part.write(piece.encode() if isinstance(piece, str) else piece)
    return out.getvalue()


def parts(
    *sheets: str | Iterable[bytes],
    strings: str | None = None,
    formats: Mapping[int, str] | None = None,
    settings: str = "",
    names: Iterable[str] = ("Users", "Users 2", "Users 3"),
    states: Mapping[str, str] | None = None,
) -> dict[str, str | Iterable[bytes]]:
    """
    The parts of a workbook; a sheet is its rows' XML, or the whole part in pieces.

    Style 1 is the built-in date format; those after it are of `formats`, in their order.
    """
    named = list(zip(names, sheets, strict=False))
    entries = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}" state="{(states or {}).get(name, "visible")}"/>'
        for n, (name, _) in enumerate(named, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(named) + 1)
    )
    made: dict[str, str | Iterable[bytes]] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": relations_of(
            f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{settings}<sheets>{entries}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": relations_of(
            f'{relations}<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/>'
            f'<Relationship Id="t" Type="{OFFICE}/sharedStrings" Target="/xl/sharedStrings.xml"/>'
        ),
        "xl/styles.xml": _styles(formats or {}),
    }
    if strings is not None:
        made["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{strings}</sst>'
    for n, (_, sheet) in enumerate(named, 1):
        made[f"xl/worksheets/sheet{n}.xml"] = wrap(sheet) if isinstance(sheet, str) else sheet
    return made


def workbook(*sheets: str | Iterable[bytes], **said: Any) -> bytes:
    return archive(parts(*sheets, **said))


def wrap(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def text(reference: str, said: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{said}</t></is></c>'


def cells(*said: str) -> str:
    """A sheet with a heading `a` and below it these cells' XML, `REF` in which stands for their place."""
    rows = "".join(f'<row r="{n}">{cell.replace("REF", f"A{n}")}</row>' for n, cell in enumerate(said, 2))
    return f'<row r="1">{text("A1", "a")}</row>{rows}'


def grid_of(*rows: str) -> str:
    """Rows of cells that each hold a letter, or are not there for a blank; the first is the heading `abc`."""
    made = [
        "".join(
            text(f"{place}{number}", each) for place, each in zip("ABC", row, strict=False) if each != " "
        )
        for number, row in enumerate(("abc", *rows), 1)
    ]
    return "".join(f'<row r="{number}">{row}</row>' for number, row in enumerate(made, 1))


def lie_about_sizes(file: bytes, part: str, size: int) -> bytes:
    """The archive with another unpacked size of a part in its directory."""
    place = file.rindex(part.encode()) - 46
    assert file[place : place + 4] == b"PK\1\2"
    return file[: place + 24] + struct.pack("<I", size) + file[place + 28 :]


def keep(folder: Path, file: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(file)
    return path


def relations_of(entries: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}/relationships">{entries}</Relationships>'


def _styles(formats: Mapping[int, str]) -> str:
    codes = "".join(
        f'<numFmt numFmtId="{n}" formatCode="{code.replace(chr(34), "&quot;")}"/>'
        for n, code in formats.items()
    )
    styles = "".join(f'<xf numFmtId="{n}"/>' for n in (0, 14, *formats))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>'
        f"{styles}</cellXfs></styleSheet>"
    )

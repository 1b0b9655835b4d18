"""Files made to do harm: each is refused by a process of its own, soon, and in little memory."""

import io
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from app.core.errors import FileTooLargeError, RosterError, UnreadableFileError, UnsupportedFileError
from app.spreadsheets.reading import frames
from app.spreadsheets.reading.child import Request
from app.spreadsheets.reading.tables import command, environment
from app.spreadsheets.reading.values import Choices, Limits
from models.export import Format
from tests.unit.spreadsheets.files import person, write
from tests.unit.spreadsheets.readers import (
    MAIN,
    OFFICE,
    TYPE,
    TYPES,
    archive,
    cells,
    complain,
    keep,
    lie_about_sizes,
    parts,
    read,
    relations_of,
    text,
    workbook,
)

LIMITS = Limits(seconds=5)
MOST_BYTES = 200 * 2**20
HEADING = f'<row r="1">{text("A1", "a")}</row>'
OPENS = f'<worksheet xmlns="{MAIN}"><sheetData>{HEADING}'.encode()
CLOSES = b"</sheetData></worksheet>"
SHEET = "xl/worksheets/sheet1.xml"
NOISE = os.urandom(5_000).hex().encode()
"""Text that no archive makes much smaller."""
LONG = [NOISE] * 10_000
TOO_DENSE = "A part of the workbook unpacks to more than 200 times its size"
LONG_TAG = (
    "The cell A1 holds more than 32,767 characters, or a tag or a comment of over 2,097,152 bytes follows it."
)

SAY_PEAK = """
import re
print(re.search(r"VmHWM:\\s+([0-9]+)", open("/proc/self/status").read())[1], file=sys.stderr)
"""


class Outcome(NamedTuple):
    error: RosterError | None
    rows: list[list[Any]]
    peak_bytes: int


def run(path: Path, limits: Limits = LIMITS) -> Outcome:
    """What the process says that reads the file, and how much memory it had at its peak."""
    *python, script, root, request = command(Request(str(path), limits, Choices()))
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*python, script + SAY_PEAK, root, request], stdin=pipe, stdout=pipe, stderr=pipe, env=environment()
    )
    assert process.stdout
    assert process.stderr
    with process, process.stdout as out:
        rows, error = receive(out)
        peak = int(process.stderr.read())
    return Outcome(error, rows, peak * 1024)


def receive(out: IO[bytes]) -> tuple[list[list[Any]], RosterError | None]:
    rows: list[list[Any]] = []
    while start := out.read(frames.LENGTH.size):
        try:
            frame = frames.read(out.read(*frames.LENGTH.unpack(start)))
        except RosterError as error:
            return rows, error
        rows += frame.get("rows", ())
    return rows, None


def zeros() -> list[bytes]:
    return [OPENS, *[b"\0" * 2**20] * 300, CLOSES]


def long_cell() -> list[bytes]:
    return [OPENS, b'<row r="2"><c r="A2" t="inlineStr"><is><t>', *LONG, b"</t></is></c></row>", CLOSES]


def long_tag() -> list[bytes]:
    return [OPENS, b'<row r="', *LONG, b'"/>', CLOSES]


def long_comment() -> list[bytes]:
    return [OPENS, b"<!--", *LONG, b"-->", CLOSES]


def empty_rows() -> list[bytes]:
    return [OPENS, "".join([f'<row r="{n}" spans="1:9"/>' for n in range(2, 1_000_002)]).encode(), CLOSES]


def far_cells() -> list[bytes]:
    blank = "".join([f'<row r="{n}"><c r="XFD{n}" s="0"/></row>' for n in range(2, 100_002)])
    return [OPENS, blank.encode(), f'<row r="1048576">{text("XFD1048576", "x")}</row>'.encode(), CLOSES]


@pytest.mark.parametrize(
    ("sheet", "error", "complaint"),
    [
        (zeros, FileTooLargeError, TOO_DENSE),
        (long_cell, UnreadableFileError, "The cell A2 holds more than 32,767 characters"),
        (long_tag, UnreadableFileError, LONG_TAG),
        (long_comment, UnreadableFileError, LONG_TAG),
        (far_cells, UnreadableFileError, "The cell XFD1048576 stands right of the last column"),
    ],
)
def test_a_sheet_that_would_fill_the_memory_is_refused_in_little(
    sheet: Callable[[], list[bytes]], error: type[RosterError], complaint: str, tmp_path: Path
) -> None:
    outcome = run(keep(tmp_path, workbook(sheet())))
    assert isinstance(outcome.error, error)
    assert outcome.error.detail.startswith(complaint)
    assert not outcome.rows
    assert outcome.peak_bytes < MOST_BYTES


def test_a_million_empty_rows_are_nothing(tmp_path: Path) -> None:
    outcome = run(keep(tmp_path, workbook(empty_rows())))
    assert (outcome.error, outcome.rows) == (None, [])
    assert outcome.peak_bytes < MOST_BYTES // 4


def test_a_bomb_is_refused_when_the_directory_lies_about_its_size(tmp_path: Path) -> None:
    outcome = run(keep(tmp_path, lie_about_sizes(workbook(zeros()), SHEET, 1000)))
    assert isinstance(outcome.error, UnreadableFileError)
    assert "damaged or incomplete" in outcome.error.detail
    assert outcome.peak_bytes < MOST_BYTES // 4


def test_shared_strings_are_read_no_further_than_they_are_asked_for() -> None:
    strings = "<si><t>a</t></si>" + f"<si><t>{NOISE.decode()}</t></si>" * 20 + "<si><t>z</si>"
    sheet = cells('<c r="REF" t="s"><v>0</v></c>')
    assert read(workbook(sheet, strings=strings)).column == ["a"]
    sheet = cells('<c r="REF" t="s"><v>21</v></c>')
    assert "xl/sharedStrings.xml is not sound XML" in complain(
        UnreadableFileError, workbook(sheet, strings=strings)
    )


@pytest.mark.parametrize("characters", [40_000, 3 * 2**20])
def test_a_shared_string_that_is_too_long_is_refused_by_its_number(characters: int) -> None:
    strings = f"<si><t>a</t></si><si><t>{'x' * characters}</t></si>"
    sheet = cells('<c r="REF" t="s"><v>1</v></c>')
    assert complain(UnreadableFileError, workbook(sheet, strings=strings)) == (
        "Shared string 2 holds more than 32,767 characters."
    )


def test_shared_strings_are_not_held_in_memory(tmp_path: Path) -> None:
    noise = NOISE[:400].decode()
    strings = "".join([f"<si><t>{n} {noise}</t></si>" for n in range(120_000)])
    asked = [0, 119_999, 60_000, 1]
    sheet = cells(*[f'<c r="REF" t="s"><v>{n}</v></c>' for n in asked])
    outcome = run(keep(tmp_path, workbook(sheet, strings=strings)), Limits())
    assert (outcome.error, outcome.rows) == (None, [[f"{n} {noise}"] for n in asked])
    assert outcome.peak_bytes < len(strings)


@pytest.mark.parametrize("start", [b"name\n", b'name\n"', b'name\n"x\n'])
def test_a_text_of_one_cell_that_would_fill_the_memory_is_refused_in_little(
    start: bytes, tmp_path: Path
) -> None:
    outcome = run(keep(tmp_path, start + b"x" * (100 * 2**20)))
    assert isinstance(outcome.error, UnreadableFileError)
    assert outcome.peak_bytes < MOST_BYTES


def test_a_wrong_byte_at_the_end_of_a_long_text_is_named_in_little_memory(tmp_path: Path) -> None:
    outcome = run(keep(tmp_path, "姓名\r\n".encode() * 8_000_000 + b"\xff\r\n"))
    assert isinstance(outcome.error, UnreadableFileError)
    assert outcome.error.detail.startswith("Line 8000001 holds a byte that is not UTF-8")
    assert outcome.peak_bytes < MOST_BYTES // 2


def test_what_asks_for_more_memory_than_there_is_is_refused_as_too_large(tmp_path: Path) -> None:
    outcome = run(keep(tmp_path, b"name\n" + b'"ab\n",' * 4_000_000), Limits())
    assert isinstance(outcome.error, FileTooLargeError)
    assert outcome.error.detail == "Reading the file takes more than 201,326,592 bytes of memory."


PARTS = (
    SHEET,
    *(f"xl/{name}.xml" for name in ("sharedStrings", "workbook", "styles")),
    "[Content_Types].xml",
)


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_declares_entities_is_refused(declared: str, part: str) -> None:
    made = parts(cells(text("REF", "x")), strings="<si><t>x</t></si>")
    detail = complain(UnreadableFileError, archive(made | {part: f"{declared}{made[part]}"}))
    assert detail == f"The workbook's part {part} declares a document type: no spreadsheet does."


def test_an_entity_that_nobody_declared_is_refused() -> None:
    assert "not sound XML" in complain(UnreadableFileError, workbook(cells(text("REF", "&b;"))))


MACROS = TYPES.replace(TYPE, "application/vnd.ms-excel.sheet.macroEnabled.main+xml")
MACRO_SHEET = TYPES.replace(
    "</Types>",
    '<Override PartName="/xl/worksheets/Sheet1.xml" ContentType="application/vnd.ms-excel.macrosheet+xml"/>'
    "</Types>",
)
MACRO_ENDING = TYPES.replace(
    "</Types>", '<Default Extension="XML" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
)
NOWHERE = TYPES.replace(
    "</Types>",
    '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
    '<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
)


@pytest.mark.parametrize(
    ("part", "content", "complaint"),
    [
        ("xl/vbaProject.bin", "x", "The workbook contains macros"),
        ("xl/sub/VBAPROJECT.BIN", "x", "The workbook contains macros"),
        ("[Content_Types].xml", MACROS, "The workbook contains macros"),
        ("[Content_Types].xml", MACRO_SHEET, "The workbook contains macros"),
        ("[Content_Types].xml", MACRO_ENDING, "The workbook contains macros"),
        ("_rels/.rels", relations_of(""), "The file is not a workbook"),
    ],
)
def test_what_is_no_plain_workbook_is_refused_by_what_it_is(part: str, content: str, complaint: str) -> None:
    detail = complain(UnsupportedFileError, archive(parts(cells(text("REF", "x"))) | {part: content}))
    assert detail.startswith(complaint)
    assert ".xlsx" in detail


def test_types_of_parts_that_are_not_there_say_nothing() -> None:
    """As SheetJS declares them in every workbook."""
    assert read(archive(parts(cells(text("REF", "x"))) | {"[Content_Types].xml": NOWHERE})).column == ["x"]


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ('"file:///etc/passwd" TargetMode="External"', "no sheet that is shown"),
        ('"../../../../etc/passwd"', "lacks its part etc/passwd"),
    ],
)
def test_links_out_of_the_workbook_lead_nowhere(target: str, complaint: str) -> None:
    link = f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target={target}/>'
    made = parts(cells(text("REF", "x"))) | {"xl/_rels/workbook.xml.rels": relations_of(link)}
    assert complaint in complain(UnreadableFileError, archive(made))


def test_an_encrypted_part_is_refused() -> None:
    file = bytearray(workbook(cells(text("REF", "x"))))
    file[file.rindex(SHEET.encode()) - 46 + 8] |= 1
    assert "is encrypted" in complain(UnsupportedFileError, bytes(file))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_part_that_is_packed_otherwise_is_refused(method: int) -> None:
    file = archive(parts(cells(text("REF", "x"))), method)
    assert "packed in a way that no spreadsheet does" in complain(UnsupportedFileError, file)


def test_two_parts_of_one_name_are_refused() -> None:
    made = parts(cells(text("REF", "x")))
    file = archive({**made, SHEET.upper(): made[SHEET]})
    assert "two parts with one name" in complain(UnreadableFileError, file)


def test_a_directory_of_too_many_parts_is_refused_before_it_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for n in range(10_001):
            made.writestr(str(n), "")
    assert "more than 10,000 parts" in complain(UnreadableFileError, out.getvalue())


def test_what_unpacks_to_more_than_is_allowed_is_refused() -> None:
    file = workbook(cells(text("REF", "x")))
    assert "unpacks to more than 1,000 bytes" in complain(
        FileTooLargeError, file, limits=Limits(inflated_bytes=1000)
    )


@pytest.mark.parametrize("part", [4, 30, 200, 1000, -30, -1])
def test_a_workbook_that_was_cut_off_is_refused(part: int) -> None:
    file = write("xlsx", [person()] * 50)[:part]
    with pytest.raises((UnreadableFileError, UnsupportedFileError)) as caught:
        read(file)
    assert ".xlsx" in caught.value.detail or "damaged or incomplete" in caught.value.detail


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_workbook_with_a_wrong_byte_anywhere_is_refused_or_read_right(form: Format) -> None:
    file = write(form, [person(name=f"name {n}") for n in range(20)], "name,version")
    right = read(file).rows
    for place in range(0, len(file), 7):
        spoiled = bytearray(file)
        spoiled[place] ^= 0x55
        try:
            rows = read(bytes(spoiled)).rows
        except (UnreadableFileError, UnsupportedFileError, FileTooLargeError):
            continue
        assert rows == right


def test_a_hash_that_does_not_fit_is_noticed_at_the_end() -> None:
    file = bytearray(archive(parts(cells(text("REF", "x"))), zipfile.ZIP_STORED))
    place = file.index(b"<t>x</t>") + 3
    file[place : place + 1] = b"y"
    assert "damaged or incomplete" in complain(UnreadableFileError, bytes(file))

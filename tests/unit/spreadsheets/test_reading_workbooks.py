import io
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading import archive
from app.spreadsheets.reading.cell_values import CellValues
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.scanner import Scanner
from app.spreadsheets.reading.values import ErrorValue, Formatted, Formula, Hidden, Limits
from app.spreadsheets.reading.workbook import Workbook, is_moment
from app.spreadsheets.writing import workbook_writer
from tests.unit.spreadsheets.files import NASTY, moment, open_with_calamine, open_with_openpyxl, person, write
from tests.unit.spreadsheets.readers import MAIN, cells, complain, read, text, workbook, wrap
from tests.unit.spreadsheets.readers import archive as pack
from tests.unit.spreadsheets.readers import parts as parts_of

STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c r="REF"><v>30</v></c>', 30),
        ('<c r="REF" t="n"><v>-30</v></c>', -30),
        ('<c r="REF"><v>1.0</v></c>', 1),
        ('<c r="REF"><v>1E+3</v></c>', 1000),
        ('<c r="REF"><v>30.5</v></c>', 30.5),
        ('<c r="REF"><v>9007199254740993</v></c>', 9007199254740992),
        ('<c r="REF"><v>12345678901234567890</v></c>', 1.2345678901234567e19),
        ('<c r="REF" t="b"><v>1</v></c>', True),
        ('<c r="REF" t="b"><v>0</v></c>', False),
        ('<c r="REF" t="e"><v>#N/A</v></c>', ErrorValue("#N/A")),
        ('<c r="REF" t="str"><v>a &amp; b_x0041_</v></c>', "a & bA"),
        ('<c r="REF" t="d"><v>2024-01-02T03:04:05.678</v></c>', MOMENT),
        ('<c r="REF" t="d"><v>2024-01-02T05:04:05.678+02:00</v></c>', MOMENT),
        ('<c r="REF" t="d"><v>soon</v></c>', "soon"),
        ('<c r="REF" s="1"><v>45293.12784349537</v></c>', MOMENT),
        ('<c r="REF" s="1"><v>-1</v></c>', -1),
        ('<c r="REF" s="1"><v>3000000</v></c>', 3000000),
        ('<c r="REF" s="1" t="str"><v>text</v></c>', "text"),
        ('<c r="REF" t="s"><v>0</v></c>', "shared"),
        ('<c r="REF" t="s"><v>1</v></c>', "two runs"),
        ('<c r="REF" t="s"><v>2</v></c>', "東京"),
        (
            '<c r="REF" t="inlineStr"><is><t xml:space="preserve"> &lt;b&gt;&#13;&quot; </t></is></c>',
            ' <b>\r" ',
        ),
        ('<c r="REF" t="inlineStr"><is><t>&#x41;&#66;</t></is></c>', "AB"),
        ('<c r="REF" t="inlineStr"><is><t><![CDATA[<a> & </row>]]></t></is></c>', "<a> & </row>"),
        ('<c r="REF" t="inlineStr"><is><r><t>_</t></r><r><t>x0041_</t></r></is></c>', "_x0041_"),
        ('<c r="REF" t="inlineStr"><is><t>_x005F_x0041_</t></is></c>', "_x0041_"),
        ('<c r="REF" t="inlineStr"><is><t>_x0001__xd83d__xde00_</t></is></c>', "\x01😀"),
        ('<c r="REF" t="inlineStr"><is><t>_xD83D_</t></is></c>', "_xD83D_"),
        ('<c r="REF" t="inlineStr"><is><t>日</t><rPh sb="0" eb="1"><t>に</t></rPh></is></c>', "日"),
        ('<c r="REF"><f>SUM(B1:B2)</f><v>30</v></c>', Formula("=SUM(B1:B2)")),
        ('<c r="REF" t="str"><f t="shared" si="0"/><v>x</v></c>', Formula("=")),
        ('<c r="REF" t="b"><f aca="false">TRUE()</f><v>1</v></c>', True),
        ('<c r="REF" t="b"><f>FALSE()</f></c>', False),
        ('<c r="REF"><f> true </f><v>1</v></c>', True),
        ('<c r="REF" t="b"><f t="array" ref="A3">FALSE()</f><v>0</v></c>', False),
        ('<c r="REF" t="b"><f>TRUE(1)</f><v>1</v></c>', Formula("=TRUE(1)")),
        ('<c r="REF" t="b"><f>NOT(TRUE())</f><v>0</v></c>', Formula("=NOT(TRUE())")),
        ("<c><v>30</v></c>", 30),
        ('<!-- </row> --><c r="REF"><v>30</v></c>', 30),
    ],
)
def test_a_cell_is_what_it_says(cell: str, value: object) -> None:
    strings = (
        "<si><t>shared</t></si><si><r><t>two </t></r><r><rPr><b/></rPr><t>runs</t></r></si>"
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si>'
    )
    file = read(workbook(cells("<c r='REF'><v>1</v></c>", cell, '<c r="REF"><v>2</v></c>'), strings=strings))
    assert (file.column, file.numbers) == ([1, value, 2], [2, 3, 4])
    assert type(file.column[1]) is type(value)


def test_a_constant_that_cells_share_is_one_in_each() -> None:
    file = workbook(
        cells(
            '<c r="REF" t="b"><f t="shared" ref="A2:A4" si="0">TRUE()</f><v>1</v></c>',
            '<c r="REF" t="b"><f t="shared" si="0"/><v>1</v></c>',
            '<c r="REF" t="b"><f t="shared" si="1"/><v>1</v></c>',
        )
    )
    assert read(file).column == [True, True, Formula("=")]


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ('<c r="REF"><v>1_000</v></c>', "The cell A3 is said to hold a number, and does not"),
        ('<c r="REF"><v>nan</v></c>', "The cell A3 is said to hold a number, and does not"),
        ('<c r="REF"><v>1e999</v></c>', "The cell A3 is said to hold a number, and does not"),
        ('<c r="REF" t="s"><v>0</v></c>', "The cell A3 names a shared string that is not there"),
        ('<c r="REF" t="s"><v>-1</v></c>', "The cell A3 names a shared string that is not there"),
        ('<c r="REF"/><c r="REF"/>', "The cell A3 occurs twice, or out of order"),
        ('<c r="B3"/><c r="A3"/>', "The cell A3 occurs twice, or out of order"),
        ('<c r="ZZZ3"/>', "A sheet has no cell ZZZ"),
        ('<c r="3"/>', "A sheet has no cell 3"),
        (
            '<c r="XFD1048576"><v>1</v></c>',
            "The cell XFD3 stands right of the last column that has a heading, A",
        ),
        ("<c><c/></c>", "A cell of the workbook stands where none can, near A3"),
        ('<row r="9"/>', "A row of the workbook stands where none can"),
        ("<c>", "The workbook's part xl/worksheets/sheet1.xml is not sound XML (line 1)"),
        (text("REF", "x" * 11), "The cell A3 holds more than 10 characters"),
        (text("REF", "😀" * 6), "The cell A3 holds more than 10 characters"),
        (text("REF", "x" * 100_000), "The cell A3 holds more than 10 characters"),
        (
            text("A3", "x" * 10) + text("B3", "x" * 10) + text("C3", "x" * 10),
            "Row 3 holds more than 25 characters",
        ),
    ],
)
def test_what_is_wrong_with_a_cell_is_said_with_its_place(cell: str, complaint: str) -> None:
    file = workbook(cells('<c r="REF"><v>1</v></c>', cell))
    limits = Limits(cell_characters=10, row_characters=25)
    assert complain(UnreadableFileError, file, limits=limits).startswith(complaint)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (f'<row r="5">{text("A5", "a")}</row><row r="5"/>', "The row 5 of the workbook stands after row 5"),
        (f'<row r="1048577">{text("A1", "a")}</row>', "The row 1048577 of the workbook stands after row 0"),
        (f'<row r="x">{text("A1", "a")}</row>', "The row x of the workbook stands after row 0"),
        (f"<row>{text('A1', 'a')}{text('B1', 'a')}</row>", "The columns A and B are both headed `a`"),
        (
            '<row><c r="A1"><f>1</f></c></row>',
            "The heading A1 cannot be read as a column's name. Contains a formula",
        ),
        (f"<row>{text('XFD1', 'a')}</row>", "The heading reaches to XFD1: a table has at most 500 columns"),
        (f"<row>{text('A1', 'x' * 256)}</row>", "The heading A1 has more than 255 characters"),
        ("", "The file is empty"),
        ('<row r="1"><c r="A1" s="1"/></row>', "The file is empty"),
        ("<row><c></row></c>", "The workbook's part xl/worksheets/sheet1.xml is not sound XML"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_said_with_its_place(rows: str, complaint: str) -> None:
    assert complain(UnreadableFileError, workbook(rows)).startswith(complaint)


def test_blank_rows_are_passed_over_wherever_they_stand_and_rows_keep_their_numbers() -> None:
    rows = (
        '<row r="2"/><row r="3"><c r="C3" s="1"/></row>'
        f'<row r="4">{text("B4", "b")}<c r="C4"><v>5</v></c></row>'
        f'<row r="9" spans="1:3" x="1"><c r="D9" s="1"/></row><row r="1000000">{text("C1000000", "c")}</row>'
    )
    file = read(workbook(rows))
    assert (file.heading, file.numbers, file.rows) == (["", "b", "5"], [1_000_000], [[None, None, "c"]])


def test_more_rows_than_are_allowed_are_refused() -> None:
    file = workbook(cells(*['<c r="REF"><v>1</v></c>'] * 4))
    assert "more than 3 rows" in complain(FileTooLargeError, file, limits=Limits(rows=3))


TWO_ROWS = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>'
BARE_ROWS = "<row><c><v>1</v></c></row><row><c><v>2</v></c></row>"
PREFIXED = BARE_ROWS.replace("</", "|").replace("<", "<x:").replace("|", "</x:")
SPACED = TWO_ROWS.replace("<", "\n  <")
FORMULA = "<conditionalFormatting><cfRule><formula>1</formula></cfRule></conditionalFormatting>"


@pytest.mark.parametrize(
    "sheet_xml",
    [
        f'<worksheet xmlns="{STRICT}"><sheetData>{BARE_ROWS}</sheetData></worksheet>',
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{PREFIXED}</x:sheetData></x:worksheet>',
        wrap(SPACED),
        '<?xml version="1.0" encoding="UTF-16"?>' + wrap(TWO_ROWS),
        '<?xml version="1.0" encoding="iso-8859-1"?>' + wrap(TWO_ROWS),
        f'<worksheet xmlns="{MAIN}"><!-- <sheetData> --><sheetData>{TWO_ROWS}</sheetData></worksheet>',
        f'<worksheet xmlns="{MAIN}"><sheetData>{TWO_ROWS}</sheetData>{FORMULA}</worksheet>',
        wrap(TWO_ROWS.replace("</row><row", "</row><!-- </row> --><row")),
        wrap(TWO_ROWS.replace("</c></row><row", "</c><!-- </row> --></row><row")),
    ],
)
def test_a_sheet_may_be_written_in_any_way_that_xml_allows(sheet_xml: str) -> None:
    encoded = sheet_xml.encode("utf-16" if "UTF-16" in sheet_xml else "utf-8")
    file = read(workbook([encoded]))
    assert (file.heading, file.column) == (["1"], [2])


SOUND = wrap(
    cells(
        '<c r="REF"><v>30</v></c>', text("REF", "a &amp; b"), '<c r="REF" s="1"><v>45293</v></c>',
        '<c r="REF" t="str"><v>x_x0041_</v></c><c r="B5" t="b"><v>1</v></c>', text("REF", "  x "),
    )
    + '<row r="20"/><row r="21" spans="1:3" ht="15"><c r="A21" s="1"/></row>'
)  # fmt: skip
SPLINTERS = st.sampled_from(
    [
        *("</row>", "<row>", '<row r="30"/>', "<!--", "-->", "<![CDATA[", "]]>", "&#13;", "&b;", "&", "<c>"),
        *(
            "</c>",
            "<t>",
            "</t>",
            "<v>",
            "</v>",
            "<f>",
            " ",
            "\n",
            "\r",
            "\x01",
            "é",
            "</sheetData>",
            ">",
            "1",
        ),
        *("<sheetData>", "<r><t>q</t></r>", "<rPh><t>w</t></rPh>", ' r="5"', ' s="1"', ' t="s"', "_x0042_"),
        *("\ufffe", '"'),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(SOUND)), st.integers(0, 8), SPLINTERS), min_size=1, max_size=3),
    st.sampled_from([7, 50, 10_000]),
)
def test_a_spoiled_sheet_is_read_or_refused_alike_wherever_its_blocks_end(
    splinters: list[tuple[int, int, str]], block: int
) -> None:
    xml = SOUND
    for place, cut, splinter in splinters:
        xml = xml[:place] + splinter + xml[place + cut :]
    part = xml.encode()
    blocks = [part[start : start + block] for start in range(0, len(part), block)]
    assert walk(blocks) == walk([part])


def walk(blocks: list[bytes]) -> list[Record] | str:
    """The rows of a sheet, or a word that it has been refused."""
    book = Workbook([], None, frozenset({1}), from_1904=False)
    scanner = Scanner("sheet", CellValues(book, None), Limits(), Hidden(is_read=False))
    try:
        return list(scanner.read(blocks))
    except UnreadableFileError:
        return "refused"


def test_characters_beyond_ascii_are_read_by_the_encoding_that_the_sheet_says() -> None:
    xml = f'<?xml version="1.0" encoding="iso-8859-1"?>{wrap(cells(text("REF", "Müller")))}'
    assert read(workbook([xml.encode("iso-8859-1")])).column == ["Müller"]
    wrong = wrap(cells(text("REF", "Müller"))).encode("iso-8859-1")
    assert "is not sound XML" in complain(UnreadableFileError, workbook([wrong]))


@pytest.mark.parametrize("encoding", ["x-none", "gb2312"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_a_part_in_an_encoding_that_no_spreadsheet_writes_is_refused(encoding: str, part: str) -> None:
    made = parts_of(cells('<c r="REF" t="s"><v>0</v></c>'), strings="<si><t>x</t></si>")
    made[part] = f'<?xml version="1.0" encoding="{encoding}"?>{made[part]}'
    assert f"{part} is not sound XML (line 1)" in complain(UnreadableFileError, pack(made))


@pytest.mark.parametrize("block", [1, 7, 50, 1000])
def test_it_does_not_matter_where_blocks_end(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BLOCK", block)
    names = ["Ana", "张伟😀", "<&>\r\n\x01", "_x0041_", "two\nlines"]
    file = read(write("xlsx", [person(name=name) for name in names], "name,version"))
    assert file.rows == [[name, 1] for name in names]


def test_the_first_sheet_that_is_shown_is_read_and_the_others_are_named() -> None:
    sheets = [cells(text("REF", name)) for name in "abc"]
    file = read(workbook(*sheets, names=["Old", "People", "More"], states={"Old": "hidden"}))
    assert (file.head["sheet"], file.head["other_sheets"], file.column) == ("People", ["Old", "More"], ["b"])


def test_the_sheets_in_which_an_export_goes_on_are_one_table() -> None:
    sheets = [cells(text("REF", "x")), cells(text("REF", "y")), cells(text("REF", "z"))]
    file = read(workbook(*sheets))
    assert (file.column, file.head["other_sheets"]) == (["x", "y", "z"], [])
    other = read(workbook(*sheets, names=["Users", "Users 3", "Users 2"]))
    assert (other.column, other.head["other_sheets"]) == (["x", "z"], ["Users 3"])
    assert read(workbook(*sheets, names=["Team", "Team 2", "x"])).head["other_sheets"] == ["Team 2", "x"]


def test_a_sheet_that_goes_on_with_other_columns_is_refused() -> None:
    other = f'<row r="1">{text("A1", "b")}</row>'
    file = workbook(cells(text("REF", "x")), other)
    assert "The sheet Users 2 goes on with other columns than Users" in complain(UnreadableFileError, file)


def test_a_workbook_without_a_sheet_that_is_shown_is_refused() -> None:
    file = workbook("", names=["Users"], states={"Users": "veryHidden"})
    assert "no sheet that is shown" in complain(UnreadableFileError, file)


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("General", False),
        ("0.00", False),
        ("#,##0;[Red]-#,##0", False),
        ('0.00" days"', False),
        (r"0\d", False),
        ("_-* #,##0.00_-", False),
        ("[h]:mm:ss", False),
        ("[$-409]d/m/yy h:mm AM/PM;@", True),
        ("yyyy\\-mm\\-dd", True),
        ("[$-F800]dddd, mmmm dd, yyyy", True),
        ("mm:ss.0", True),
        ("@", False),
        ("0.00E+00", False),
    ],
)
def test_a_number_is_a_moment_by_its_format(code: str, is_date: bool) -> None:  # noqa: FBT001
    assert is_moment(code) is is_date
    file = read(workbook(cells('<c r="REF" s="2"><v>45293</v></c>'), formats={170: code}))
    assert (file.column == [datetime(2024, 1, 2, tzinfo=UTC)]) is is_date
    assert isinstance(file.column[0], datetime) is is_date


def test_the_built_in_formats_of_all_languages_are_moments_or_none() -> None:
    styles = list(range(82))
    listed = "".join(f'<xf numFmtId="{number}"/>' for number in styles)
    sheet = cells(*[f'<c r="REF" s="{style}"><v>45293</v></c>' for style in styles])
    made = parts_of(sheet)
    made["xl/styles.xml"] = f'<styleSheet xmlns="{MAIN}"><cellXfs>{listed}</cellXfs></styleSheet>'
    kinds = [type(cell) for cell in read(pack(made)).column]
    moments = {*range(14, 23), *range(27, 37), 45, 47, *range(50, 59), *range(71, 82)}
    assert {place for place, kind in enumerate(kinds) if kind is datetime} == moments
    plain = {0, 1, 2, 49, 59, 60, *range(23, 27), *range(63, 67)}
    assert {place for place, kind in enumerate(kinds) if kind is Formatted} == {*styles} - moments - plain


@pytest.mark.parametrize("first", ["1899", "1904"])
def test_moments_are_those_that_openpyxl_writes_in_either_calendar(first: str) -> None:
    moments = [moment(said) for said in ("1904-01-02", "1999-12-31T23:59:59.999", "2024-02-29", "9999-12-31")]
    book = openpyxl.Workbook()
    if first == "1904":
        book.epoch = CALENDAR_MAC_1904
    for cell in ("when", *moments):
        book.worksheets[0].append([cell])
    assert read(save(book)).column == [when.replace(tzinfo=UTC) for when in moments]


def test_the_days_before_the_one_that_never_was_are_right() -> None:
    file = read(workbook(cells(*[f'<c r="REF" s="1"><v>{serial}</v></c>' for serial in (1, 59, 61)])))
    assert file.column == [
        datetime(1900, 1, 1, tzinfo=UTC),
        datetime(1900, 2, 28, tzinfo=UTC),
        datetime(1900, 3, 1, tzinfo=UTC),
    ]


def test_what_openpyxl_writes_is_read_as_openpyxl_and_calamine_read_it() -> None:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.append(["text", "number", "flag", "when", "none", "formula"])
    for n, name in enumerate(NASTY):
        page.append([None, n / 3, n % 2 == 0, moment("2024-01-02") + timedelta(hours=n), None])
        cell = page.cell(n + 2, 1, name)
        cell.data_type = "s"
    page["A2"] = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))
    page["F3"] = "=A1&B1"
    page["F4"] = "#DIV/0!"
    file = save(book)
    ours = read(file)
    theirs = [[cell.value for cell in row] for row in open_with_openpyxl(file).worksheets[0].iter_rows()][1:]
    assert [row[5] for row in ours.rows[:4]] == [None, Formula("=A1&B1"), "#DIV/0!", None]
    assert type(ours.rows[1][5]) is Formula
    assert [row[:5] for row in ours.rows] == [[_as_ours(value) for value in row[:5]] for row in theirs]
    calamine = open_with_calamine(file).get_sheet_by_index(0).to_python()[1:]
    assert [list(map(_trim, row[:3])) for row in ours.rows] == [list(map(_trim, row[:3])) for row in calamine]


def save(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _as_ours(value: Any) -> Any:
    if isinstance(value, str):
        return unescape(value)  # openpyxl knows no escapes, neither to write nor to read
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _trim(value: Any) -> Any:
    """Calamine drops a text that is nothing but white space."""
    return value.strip() if isinstance(value, str) else "" if value is None else value


CELLS = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
    st.text(st.sampled_from("_x0041D&<>\r\n\t \x01\ufffe😀'="), min_size=1, max_size=20),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    st.booleans(),
    st.datetimes(moment("1900-03-01"), moment("9999-12-31"), timezones=st.just(UTC)).map(
        lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000)
    ),
)  # fmt: skip


HEADINGS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=3, max_size=3, unique=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=10), HEADINGS)
def test_a_table_that_is_written_back_reads_the_same(rows: list[list[Any]], headings: list[str]) -> None:
    out = workbook_writer("xlsx", headings)
    pieces = [out.head()]
    pieces += [out.rows(rows[start : start + 4]) for start in range(0, len(rows), 4)]
    again = read(b"".join([*pieces, out.tail()]))
    there = [row for row in rows if row != [None] * 3]
    assert (again.heading, again.rows) == (headings, there)
    assert [list(map(type, row)) for row in again.rows] == [list(map(type, row)) for row in there]


def test_a_formula_is_written_back_as_a_text() -> None:
    out = workbook_writer("xlsx", ["a"])
    file = b"".join([out.head(), out.rows([[Formula("=1+1")], [None]]), out.tail()])
    (cell,) = read(file).column
    assert (cell, type(cell)) == ("=1+1", str)


def test_parts_are_found_by_their_relations_whatever_they_are_called() -> None:
    parts = parts_of(cells(text("REF", "x")))
    moved = {
        name.replace("xl/", "XL\\").replace("sheet1.xml", "Blatt.xml"): part.replace(
            "sheet1.xml", "Blatt.xml"
        )
        if isinstance(part, str)
        else part
        for name, part in parts.items()
    }
    assert read(pack(moved)).column == ["x"]


def test_a_style_or_a_string_table_that_is_missing_is_not_missed() -> None:
    parts = parts_of(cells(text("REF", "x")))
    del parts["xl/styles.xml"]
    assert read(pack(parts)).column == ["x"]
    del parts["xl/worksheets/sheet1.xml"]
    assert "lacks its part xl/worksheets/sheet1.xml" in complain(UnreadableFileError, pack(parts))


def test_times_of_day_and_dates_of_openpyxl_are_moments() -> None:
    book = openpyxl.Workbook()
    for cell in ("when", date(2024, 1, 2), time(6)):
        book.worksheets[0].append([cell])
    assert read(save(book)).column == [
        datetime(2024, 1, 2, tzinfo=UTC),
        datetime(1899, 12, 30, 6, tzinfo=UTC),
    ]

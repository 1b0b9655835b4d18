"""OpenDocument spreadsheets of others, and ones made to do harm."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.errors import FileTooLargeError, InvalidError, UnreadableFileError, UnsupportedFileError
from app.spreadsheets.reading.values import Covered, ErrorValue, Formatted, Formula, Limits
from tests.unit.spreadsheets.files import person, write
from tests.unit.spreadsheets.readers import archive, complain, read

OASIS = "urn:oasis:names:tc:opendocument:xmlns"
NAMES = "".join(
    f' xmlns:{prefix}="{OASIS}:{name}:1.0"'
    for prefix, name in {"o": "office", "t": "table", "x": "text", "s": "style", "d": "drawing"}.items()
)
CALC = ' xmlns:c="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
KIND = "application/vnd.oasis.opendocument.spreadsheet"


def text(said: str, more: str = "") -> str:
    return f'<t:table-cell o:value-type="string"{more}><x:p>{said}</x:p></t:table-cell>'


def row(*cells: str, more: str = "") -> str:
    return f"<t:table-row{more}>{''.join(cells)}</t:table-row>"


def sheet(*rows: str, name: str = "People", more: str = "") -> str:
    return f'<t:table t:name="{name}"{more}>{"".join(rows)}</t:table>'


def parts(*sheets: str, styles: str = "", before: str = "") -> dict[str, Any]:
    body = f"<o:body><o:spreadsheet>{''.join(sheets)}</o:spreadsheet></o:body>"
    document = f"<o:document-content{NAMES}{CALC}>{styles}{body}</o:document-content>"
    return {"mimetype": KIND, "content.xml": f"{before}{document}"}


def ods(*rows: str) -> bytes:
    return archive(parts(sheet(row(text("a"), text("b")), *rows)))


def cell(attributes: str, inner: str = "") -> str:
    return f"<t:table-cell {attributes}>{inner}</t:table-cell>"


def number(value: str, shown: str, kind: str = "float") -> str:
    return f'<t:table-cell o:value-type="{kind}" o:value="{value}"><x:p>{shown}</x:p></t:table-cell>'


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (number("30", "30"), 30),
        (number("30.5", "30,50"), 30.5),
        (number("1234", "1,234"), 1234),
        (number("1234", "01234"), "01234"),
        (number("0.5", "50%", "percentage"), Formatted("50%")),
        (number("5", "5 €", "currency"), Formatted("5 €")),
        (number("42", "E0042"), Formatted("E0042")),
        ('<t:table-cell o:value-type="boolean" o:boolean-value="true"/>', True),
        (cell('o:value-type="boolean" o:boolean-value="false"', "<x:p>FALSE</x:p>"), False),
        ('<t:table-cell t:formula="of:=TRUE()" o:value-type="boolean" o:boolean-value="true"/>', True),
        (cell('t:formula="of:=SUM([.B1])" o:value-type="float" o:value="3"'), Formula("=SUM([.B1])")),
        (
            '<t:table-cell o:value-type="date" o:date-value="2024-01-02"/>',
            datetime(2024, 1, 2, tzinfo=UTC),
        ),
        (
            '<t:table-cell o:value-type="date" o:date-value="2024-01-02T03:04:05.677999999"/>',
            datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
        ),
        (
            '<t:table-cell o:value-type="time" o:time-value="PT12H30M00S"/>',
            datetime(1899, 12, 30, 12, 30, tzinfo=UTC),
        ),
        ('<t:table-cell o:value-type="string" c:value-type="error"><x:p>#N/A</x:p></t:table-cell>',
         ErrorValue("#N/A")),
        (cell('o:value-type="string" o:string-value="a&#13;&#10;b"', "<x:p>a</x:p>"), "a\r\nb"),
        (text("one</x:p><x:p>two"), "one\ntwo"),
        (text("a<x:line-break/>b<x:tab/>c"), "a\nb\tc"),
        (text('<x:s x:c="2"/>a<x:s/> '), "  a  "),
        (text("\n   a  b\n c"), "a b c"),
        (text("a&#13;<x:line-break/>b"), "a\r\nb"),
        (text("a<x:span>b<x:a>c</x:a></x:span>d"), "abcd"),
        (text("a<x:note><x:p>no</x:p></x:note>b"), "ab"),
        (text("_x0041_"), "_x0041_"),
        (cell('o:value-type="string"', "<o:annotation><x:p>no</x:p></o:annotation><x:p>a</x:p>"), "a"),
        (cell("", "<d:frame><d:text-box><x:p>no</x:p></d:text-box></d:frame>"), None),
        ("<t:table-cell><x:p>a</x:p></t:table-cell>", "a"),
    ],
)  # fmt: skip
def test_a_cell_is_what_it_says(given: str, value: object) -> None:
    file = read(ods(row(given, text("end"))))
    assert file.rows == [[value, "end"]]
    assert type(file.column[0]) is type(value)


def test_repeated_cells_and_rows_stand_as_often_as_they_are_repeated() -> None:
    file = read(
        ods(
            row("<t:table-cell/>", more=' t:number-rows-repeated="3"'),
            row(
                text("x", ' t:number-columns-repeated="2"'),
                '<t:table-cell t:number-columns-repeated="16382"/>',
            ),
            row(text("y"), more=' t:number-rows-repeated="2"'),
            row(
                '<t:table-cell t:number-columns-repeated="16384"/>', more=' t:number-rows-repeated="1048000"'
            ),
        )
    )
    assert (file.numbers, file.rows) == ([5, 6, 7], [["x", "x"], ["y", None], ["y", None]])


def test_cells_under_a_merge_are_said_to_be_and_rows_of_nothing_else_are_blank() -> None:
    covered = "<t:covered-table-cell><x:p>hidden</x:p></t:covered-table-cell>"
    file = read(ods(row(text("x"), covered), row(covered, covered)))
    assert file.rows == [["x", Covered()]]
    assert type(file.rows[0][1]) is Covered


def test_groups_of_rows_are_rows_and_tables_elsewhere_are_none() -> None:
    changes = f"<t:tracked-changes>{row(text('no'))}</t:tracked-changes>"
    group = f"<t:table-row-group>{row(text('x'))}</t:table-row-group>"
    made = parts(changes, sheet(f"<t:table-header-rows>{row(text('a'))}</t:table-header-rows>", group))
    assert read(archive(made)).column == ["x"]


def test_the_first_shown_sheet_that_holds_something_is_read_and_any_by_its_name() -> None:
    styles = (
        '<o:automatic-styles><s:style s:name="h" s:family="table"><s:table-properties t:display="false"/>'
        "</s:style></o:automatic-styles>"
    )
    made = parts(
        sheet(row(text("hidden")), name="Hidden", more=' t:style-name="h"'),
        sheet(row("<t:table-cell/>"), name="Empty"),
        sheet(row(text("a")), row(text("x")), name="Full"),
        styles=styles,
    )
    file = read(archive(made))
    assert (file.head["form"], file.head["sheet"], file.head["other_sheets"]) == (
        "ods", "Full", ["Hidden", "Empty"]
    )  # fmt: skip
    assert read(archive(made), sheet="hidden").heading == ["hidden"]
    assert "has no sheet `x`" in _errors(archive(made), "x")


def _errors(file: bytes, asked: str) -> str:
    with pytest.raises(InvalidError) as caught:
        read(file, sheet=asked)
    return caught.value.errors[0].detail


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (number("nan", "x"), "The cell A2 is said to hold a number, and does not"),
        (number("1e999", "x"), "The cell A2 is said to hold a number, and does not"),
        (text("x", ' t:number-columns-repeated="0"'), "A cell or row is repeated 0 times"),
        (text("x", ' t:number-columns-repeated="-1"'), "A cell or row is repeated -1 times"),
        (text("x", ' t:number-columns-repeated="16385"'), "A cell or row is repeated 16385 times"),
        (cell('t:number-columns-repeated="16384"') * 2, "Row 2 has more than 16,384 cells"),
        (text("xxxxxxxxxxx"), "The cell A2 holds more than 10 characters"),
        (text("x" * 100_000), "The cell A2 holds more than 10 characters"),
        (text("x" * 10, ' t:number-columns-repeated="3"'), "Row 2 holds more than 25 characters"),
        (text('x<x:s x:c="9999"/>'), "The cell A2 holds more than 10 characters"),
    ],
)
def test_what_is_wrong_with_a_cell_is_said_with_its_place(given: str, complaint: str) -> None:
    limits = Limits(cell_characters=10, row_characters=25)
    assert complain(UnreadableFileError, ods(row(given)), limits=limits).startswith(complaint)


def test_a_cell_that_would_fill_the_memory_is_refused_before_its_end() -> None:
    file = ods(row(text("x" * 3 * 2**20)))
    assert complain(UnreadableFileError, file) == "The cell A2 holds more than 32,767 characters."


def test_rows_past_the_last_of_a_sheet_are_refused() -> None:
    file = ods(row(text("x"), more=' t:number-rows-repeated="1048576"'))
    assert "has more than 1,048,576 rows" in complain(UnreadableFileError, file)


def test_a_row_that_says_to_be_a_million_is_refused() -> None:
    file = ods(row(text("x"), more=' t:number-rows-repeated="1048000"'))
    assert "repeat others more than 10,000 times" in complain(FileTooLargeError, file)


@pytest.mark.parametrize(
    "before",
    ['<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>', '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">'],
)
def test_a_document_that_declares_entities_is_refused(before: str) -> None:
    file = archive(parts(sheet(row(text("a"))), before=before))
    assert "declares a document type" in complain(UnreadableFileError, file)


def test_an_encrypted_document_is_refused_by_what_it_is() -> None:
    made = parts(sheet(row(text("a"))))
    manifest = f'<m:manifest xmlns:m="{OASIS}:manifest:1.0"><m:encryption-data/></m:manifest>'
    assert "encrypted" in complain(UnsupportedFileError, archive(made | {"META-INF/manifest.xml": manifest}))


def test_the_kind_that_was_said_must_be_the_kind_that_it_is() -> None:
    assert "is declared as an .xlsx workbook, and it is an OpenDocument spreadsheet" in complain(
        UnsupportedFileError, ods(), form="xlsx"
    )
    assert "is declared as an OpenDocument spreadsheet, and it is an .xlsx workbook" in complain(
        UnsupportedFileError, write("xlsx", [person()]), form="ods"
    )


@pytest.mark.parametrize("how", ["collapse", "filter"])
def test_hidden_rows_and_columns_are_left_out_unless_they_are_asked_for(how: str) -> None:
    columns = (
        f'<t:table-column/><t:table-column-group><t:table-column t:visibility="{how}" '
        't:number-columns-repeated="2"/></t:table-column-group>'
    )
    unseen = f' t:visibility="{how}"'
    made = archive(
        parts(
            sheet(
                columns,
                row(text("a"), text("b")),
                row(text("x"), more=f'{unseen} t:number-rows-repeated="2"'),
                row("<t:table-cell/>", more=f'{unseen} t:number-rows-repeated="9"'),
                row(text("y"), more=' t:visibility="visible"'),
            )
        )
    )
    file = read(made)
    assert (file.column, file.numbers, file.hidden_rows) == (["y"], [13], 2)
    assert file.head["hidden_columns"] == [1]
    asked = read(made, hidden="read")
    assert (asked.column, asked.hidden_rows, asked.head["hidden_columns"]) == (["x", "x", "y"], 0, [])


def test_a_sheet_whose_rows_are_all_hidden_is_refused_by_what_would_read_it() -> None:
    file = archive(parts(sheet(row(text("a"), more=' t:visibility="filter"'))))
    assert "All rows of the sheet are hidden" in complain(UnreadableFileError, file)

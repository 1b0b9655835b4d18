import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import FileTooLargeError, UnreadableFileError, UnsupportedFileError
from app.spreadsheets.formulas import guard
from app.spreadsheets.reading import texts
from app.spreadsheets.reading.values import Limits, UncertainEncodingError
from tests.unit.spreadsheets.files import NASTY
from tests.unit.spreadsheets.readers import complain, read

SMALL = Limits(rows=3, columns=4, cell_characters=10, row_characters=25)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_are_read_as_excel_saves_them(encoding: str, delimiter: str) -> None:
    lines = ["姓名,城市,note", "张伟,北京,two lines", "李娜,上海,"]
    said = encoding if encoding == "gb18030" else None
    file = read("\r\n".join(line.replace(",", delimiter) for line in lines).encode(encoding), encoding=said)
    assert (file.head["form"], file.head["delimiter"]) == ("csv", delimiter)
    assert file.head["encoding"] == encoding.removesuffix("-sig").replace("utf-16", "utf-16-le")
    assert file.heading == ["姓名", "城市", "note"]
    assert file.rows == [["张伟", "北京", "two lines"], ["李娜", "上海", None]]
    assert file.numbers == [2, 3]


def test_utf_16_of_the_other_byte_order_is_known_by_its_mark() -> None:
    assert read(b"\xfe\xff" + "a\nÄ\n".encode("utf-16-be")).column == ["Ä"]


def test_the_delimiter_is_what_parts_the_heading_outside_of_quotes() -> None:
    file = read(b'"a,b,c";"d,e"\n1;2,3\n')
    assert file.heading == ["a,b,c", "d,e"]
    assert file.rows == [["1", "2,3"]]


@pytest.mark.parametrize("said", ["|", ":"])
def test_the_delimiter_can_be_said(said: str) -> None:
    assert read(f"a{said}b,c\n1{said}2\n".encode(), delimiter=said).heading == ["a", "b,c"]


def test_the_first_line_by_which_excel_says_the_delimiter_is_no_heading() -> None:
    file = read(b"sep=|\r\na|b,c,d\r\n1|2\r\n")
    assert (file.head["delimiter"], file.heading, file.numbers) == ("|", ["a", "b,c,d"], [3])


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_row_is_numbered_by_the_line_where_it_begins(end: str) -> None:
    lines = ["", "a,b", '"two', 'lines",1', "", ",", "x", "y,"]
    file = read(end.join(lines).encode())
    assert file.rows == [[f"two{end}lines", "1"], ["x", None], ["y", None]]
    assert file.numbers == [3, 7, 8]


def test_a_return_that_stands_in_a_cell_without_quotes_ends_no_row() -> None:
    file = read(b'a,b,c\n1,\r,x\n"2\r",3\r\r4,"5\r6"\n7,8,9\r10,11,12\r\n13,,\r')
    assert file.rows == [
        ["1", "\r", "x"],
        ["2\r", "3\r\r4", "5\r6"],
        ["7", "8", "9"],
        ["10", "11", "12"],
        ["13", None, None],
    ]
    assert file.numbers == [2, 4, 9, 10, 11]


def test_returns_without_end_are_no_row() -> None:
    assert "characters" in complain(UnreadableFileError, b"a,b\n1" + b"\r" * 100, limits=SMALL)


def test_a_heading_of_two_lines_is_a_heading() -> None:
    assert read(b'"first\nname";last\nAna;B\n').heading == ["first\nname", "last"]


def test_columns_without_a_heading_at_the_end_are_none() -> None:
    file = read(b"a,,b,,\n1,2,3,,\n")
    assert (file.heading, file.rows) == (["a", "", "b"], [["1", "2", "3"]])


def test_exactly_the_apostrophes_of_an_export_are_taken_off() -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["=name"], *([guard(text)] for text in NASTY)])
    assert read(out.getvalue().encode()).column == list(NASTY)
    assert read(b"'=a\n'b\n=c\n").heading == ["=a"]


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf", "The file is empty"),
        (b" \n,,\n", "The file is empty"),
        (b"a,b,a\n", "The columns A and C are both headed `a`"),
        (b"a,b\n1,2\n1,2,,4\n", "The cell D3 stands right of the last column that has a heading, B"),
        (b'a\n1\n"x\ny\n', "The row that begins in line 3 has a quote that is never closed"),
        (b'a\n"x"y\n', "Line 2 has characters after a closing quote"),
        (b"a\nb\nx\0\n", "Line 3 holds a NUL character"),
        (b"a,b\n1," + b"x" * 11, "The cell B2 holds more than 10 characters"),
        (b"a,b\n1," + b"x" * 13, "The row that begins in line 2 has a cell of more than 10 characters"),
        ("a,b\n1,😀😀😀😀😀😀".encode(), "The cell B2 holds more than 10 characters"),
        (b"a\nb,\n" + b"x," * 20, "Line 3 has more than 25 characters"),
        (b"a,b,c,d\n" + b'"xxxxxxx\n",' * 4, "Row 2 holds more than 25 characters"),
        (b"a,b,c,d,e\n", "The heading reaches to E1: a table has at most 4 columns"),
        (b"x" * 256 + b"\n", "The heading A1 has more than 255 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(file: bytes, complaint: str) -> None:
    limits = Limits() if file.startswith(b"xx") else SMALL
    assert complain(UnreadableFileError, file, limits=limits).startswith(complaint)


def test_more_rows_than_are_allowed_are_refused() -> None:
    assert read(b"a\n1\n\n2\n3\n", limits=SMALL).numbers == [2, 4, 5]
    assert complain(FileTooLargeError, b"a\n1\n2\n3\n4\n", limits=SMALL).startswith(
        "The file has more than 3 rows"
    )


def test_a_wrong_byte_far_down_is_named_and_turns_nothing_before_it_into_other_letters() -> None:
    lines = [f"Zoë Müller {n}\n".encode() for n in range(20_000)]
    lines[15_000] = b"M\xfcller\n"
    complaint = complain(UnreadableFileError, b"name\n" + b"".join(lines))
    assert complaint.startswith(
        "Line 15002 holds a byte that is not UTF-8, and the whole is none of UTF-8, UTF-16"
    )


def test_after_a_mark_the_encoding_is_certain_and_a_wrong_byte_is_named() -> None:
    assert complain(UnreadableFileError, b"\xef\xbb\xbfa\nb\nx\r\xff\xfe\n").startswith(
        "Line 4 holds a byte that is not UTF-8"
    )
    cut = "a\nb\n".encode("utf-16")[:-1]
    assert complain(UnreadableFileError, cut).startswith("Line 2 holds a byte that is not UTF-16-LE")


def test_western_bytes_are_refused_unless_they_are_said_to_be_such() -> None:
    file = "name;city\nJörg Müller;Köln\n".encode("windows-1252")
    with pytest.raises(UncertainEncodingError):
        read(file)
    assert read(file, encoding="windows-1252").rows == [["Jörg Müller", "Köln"]]
    assert complain(UnreadableFileError, file, encoding="utf-8").startswith(
        "Line 2 holds a byte that is not UTF-8"
    )


def test_gb18030_with_rare_characters_is_read() -> None:
    names = ["张伟", "王芳", "李娜", "刘洋", "陈静", "㐂", "𠮷", "你好"]
    assert read(("姓名\n" + "\n".join(names)).encode("gb18030"), encoding="gb18030").column == names


@pytest.mark.parametrize("block", [1, 2, 3, 5, 64])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_it_does_not_matter_where_blocks_end(
    block: int, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BLOCK", block)
    file = read('姓名,b\r\n"张\r\n伟😀",1\r\n\r\n李娜,2\r'.encode(encoding), encoding=encoding)
    assert (file.rows, file.numbers) == ([["张\r\n伟😀", "1"], ["李娜", "2"]], [2, 5])


@pytest.mark.parametrize("start", [b"a\0b\0", b"a\nM\xfc" + b"x" * 1000])
def test_what_is_no_text_is_refused(start: bytes) -> None:
    complaint = complain(UnsupportedFileError, start + b"\0" * 100)
    assert complaint.startswith("The file is not text: send CSV, NDJSON or an .xlsx workbook")


def test_a_file_that_is_said_to_be_another_kind_is_refused() -> None:
    assert "declared as an .xlsx workbook, and it is no workbook" in complain(
        UnsupportedFileError, b"a\n1", form="xlsx"
    )
    assert "declared as CSV, and it is a workbook" in complain(UnsupportedFileError, b"PK\3\4", form="csv")


def test_lines_of_json_are_told_by_their_first_character() -> None:
    file = read(b'\xef\xbb\xbf\n {"id": 1}\n\n{"name": "=\\u5f20", "tags": []}')
    assert (file.head["form"], file.heading, file.numbers) == ("ndjson", [], [2, 4])
    assert file.documents == [{"id": 1}, {"name": "=张", "tags": []}]


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (b"", "The file is empty: write one JSON object a line."),
        (b'{"a": 1}\n{"a": 1, "a": 2}', "Line 2 is not strict JSON."),
        (b"17\n", "Line 1 is not a JSON object"),
        (b"[1]\n", "Object 1 of the array is no object"),
        (b'{"a": NaN}', "Line 1 is not strict JSON."),
    ],
)
def test_what_is_wrong_with_a_line_of_json_is_said_with_its_number(file: bytes, complaint: str) -> None:
    assert complain(UnreadableFileError, file, form="ndjson").startswith(complaint)


def test_more_lines_of_json_than_are_allowed_are_refused() -> None:
    assert "more than 3 lines" in complain(FileTooLargeError, b"{}\n" * 4, limits=SMALL)


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=3, max_size=3)
    ),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["utf-8", "utf-16"]),
)
def test_any_table_that_the_standard_library_writes_is_read_back(
    rows: list[list[str]], end: str, encoding: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    file = read(out.getvalue().encode(encoding), encoding="utf-8")
    expected = [[(text and unguarded(text)) or None for text in row] for row in rows if any(row)]
    assert file.rows == expected


def unguarded(text: str) -> str:
    return text[1:] if guard(text[1:]) == text else text

"""Texts in each encoding that spreadsheet programs save: read whole when it is said, never guessed."""

import sys
import unicodedata
from functools import cache

import pytest

from app.core.errors import UnreadableFileError
from app.spreadsheets.reading import encodings, texts
from app.spreadsheets.reading.values import UncertainEncodingError
from models.encodings import NAMES, EncodingName, find_name
from tests.unit.spreadsheets.readers import complain, read

LETTERS_OF_A_CELL = 200


@cache
def letters() -> str:
    return "".join(char for char in map(chr, range(sys.maxunicode)) if unicodedata.category(char)[0] == "L")


def encodable(name: str) -> str:
    """All letters that the encoding has."""
    text = letters().encode(encodings.codec(name), "ignore").decode(encodings.codec(name))
    return "".join(dict.fromkeys(text))


def fits(file: bytes) -> list[list[str]]:
    with pytest.raises(UncertainEncodingError) as caught:
        read(file)
    return caught.value.fits


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_of_an_encoding_is_read_when_it_is_said(name: EncodingName) -> None:
    known = encodable(name)
    assert known
    cells = [known[start : start + LETTERS_OF_A_CELL] for start in range(0, len(known), LETTERS_OF_A_CELL)]
    file = "\r\n".join(["a;b", *(f"{cell};x" for cell in cells)]).encode(encodings.codec(name))
    found = read(file, encoding=name)
    assert found.rows == [[cell, "x"] for cell in cells]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("utf-")])
def test_the_encoding_of_a_file_is_always_among_those_that_fit(name: EncodingName) -> None:
    cell = [char for char in encodable(name) if not char.isascii()][:20]
    file = f"a,b\r\n{''.join(cell)},x\r\n".encode(encodings.codec(name))
    assert name in [each for group in fits(file) for each in group]


@pytest.mark.parametrize("block", [1, 2, 3, 64])
@pytest.mark.parametrize(
    ("name", "written", "text"),
    [
        ("gb18030", b"\x80 5,\xd5\xc5\x80", ["€ 5", "张€"]),
        ("gb18030", b"\x84\x31\x95\x33,\xa2\xe3", ["\ufeff", "€"]),
        ("cp950", b"\xfa\x40,\xfe\xfe\x8e\x40", ["\ue000", "\ue310\ue311"]),
        ("cp950", b"\xa0\xfe,\x81\x40\x8d\xfe", ["\ueeb7", "\ueeb8\uf6b0"]),
        ("cp950", b"\xa3\xe1,x", ["€", "x"]),
        ("cp949", b"\xc9\xa1\xc9\xfe,\xfe\xa1\xfe\xfe", ["\ue000\ue05d", "\ue05e\ue0bb"]),
        ("cp932", b"\xf0\x40\xf9\xfc,\x87\x8a", ["\ue000\ue757", "㈱"]),
    ],
)
def test_what_windows_writes_beyond_the_standard_is_read(
    block: int, name: str, written: bytes, text: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BLOCK", block)
    assert read(b"a,b\r\n" + written + b"\r\n", encoding=name).rows == [text]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("gb18030", b"\xff"),
        ("cp949", b"\xc9"),
        ("cp949", b"\xc9\x41"),
        ("cp950", b"\xfa"),
        ("cp950", b"\xfa\x20"),
    ],
)
def test_a_byte_that_is_no_character_of_the_encoding_is_named_by_line(name: str, written: bytes) -> None:
    complaint = complain(UnreadableFileError, b"a\r\nb\r\n" + written, encoding=name)
    assert complaint.startswith(f"Line 3 holds a byte that is not {name.upper()}")
    assert "encoding=" in complaint


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("said", [None, "utf-16", "named"])
@pytest.mark.parametrize("text", ["name,b\r\nZoë,1\r\n", "name,b\n" + "王小明,李\n" * 40, "a\rb\r"])
def test_utf_16_is_told_by_its_line_breaks_where_it_has_no_mark(
    name: str, said: str | None, text: str
) -> None:
    found = read(text.encode(name), encoding=name if said == "named" else said)
    assert found.head["encoding"] == name
    assert found.rows[0][0] == text.splitlines()[1].partition(",")[0]


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_lines_of_json_are_known_in_each_unicode(name: str) -> None:
    assert read('{"name": "Zoë"}\n'.encode(name)).documents == [{"name": "Zoë"}]


def test_encodings_that_give_the_same_text_stand_together_and_those_that_cannot_be_are_left_out() -> None:
    groups = fits("name\nMüller\n".encode("windows-1252"))
    assert [
        "windows-1252",
        "windows-1250",
        "windows-1254",
        "windows-1256",
        "windows-1257",
        "windows-1258",
    ] in [[name for name in group if name.startswith("windows")] for group in groups]
    names = {name for group in groups for name in group}
    assert not {"windows-1255", "windows-874", "cp932"} & names, "in which this byte is no character"
    chinese = fits("姓名\n张伟\n李娜\n".encode("gb18030"))
    assert ["gb18030"] in chinese
    assert ["cp949"] in chinese


def test_a_few_bytes_that_are_not_utf_8_in_a_text_that_is_are_damage_and_no_encoding() -> None:
    file = "name\n" + "Zoë\n" * 40
    assert complain(UnreadableFileError, file.encode() + b"M\xfcller\n").startswith("Line 42 holds a byte")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("cp1252", "windows-1252"), ("Windows-949", "cp949"), ("SHIFT_JIS", "cp932"), ("GBK", "gb18030"),
        ("Big5", "cp950"), ("ibm850", "cp850"), ("mac_roman", "mac-roman"), ("UTF8", "utf-8"),
        ("windows-936", "gb18030"), ("euc-kr", "cp949"), ("cp874", "windows-874"),
        ("utf-7", "utf-7"), ("cp", "cp"), (7, 7),
    ],
)  # fmt: skip
def test_an_encoding_is_known_by_its_other_names(written: object, name: object) -> None:
    assert find_name(written) == name

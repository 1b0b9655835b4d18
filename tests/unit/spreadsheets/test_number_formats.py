import pytest

from app.spreadsheets.reading.number_formats import NumberFormat
from app.spreadsheets.reading.values import Formatted, Unread
from tests.unit.spreadsheets.readers import read, text, workbook

PHONE = r"[<=9999999]###\-####;\(###\)\ ###\-####"


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000", 1234, "01234"),
        ("00000", 123456, 123456),
        ("000-0000", 1234567, "123-4567"),
        (r"000\-00\-0000", 12345678, "012-34-5678"),
        ('"E"0000', 17, "E0017"),
        ('"E""F"0', 17, "EF17"),
        ("+0", 49301234567, "+49301234567"),
        (PHONE, 5551234, "555-1234"),
        (PHONE, 2125551234, "(212) 555-1234"),
        ("[Blue]0", 7, 7),
        (r"[$€-407]\ 0", 7, "€ 7"),
        ("_-* 0_-", 7, 7),
        ("???", 7, 7),
        ("#,##0", 999, 999),
        ("0", 30.4, "30"),
        ("0", 30.5, "31"),
        ("0.00", 5, "5.00"),
        ("0.00", 2.1, "2.10"),
        ("0.0", 0.25, "0.3"),
        ("#.0", 0.25, ".3"),
        ("0.##", 5, 5),
        ("0.##", 5.25, 5.25),
        ('General" kg"', 7.5, "7.5 kg"),
        ('"E"@', 7, 7),
        ("0;-0;;@", 7, 7),
        ('0;-0;"none "0', 0, "none 0"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(code: str, number: float, shown: float | str) -> None:
    seen = NumberFormat(code).show_number(number)
    assert (seen, type(seen)) == (shown, type(shown))


@pytest.mark.parametrize(
    ("code", "number"),
    [
        *[
            (code, 0.5)
            for code in ("0%", "0.00E+00", "# ?/?", "0/4", "x0", '"a"', ";;;", "[h]:mm", "0" * 256)
        ],
        *[(code, 1234) for code in ("#,##0", "#,##0.00", "0,", "0.0,,", "[DBNum1]0", "[>5000]0")],
        ("0;-0;;@", 0),
        ("0.00", -1),
        ("00000", 10**15),
        (f"0.{'0' * 13}", 1),
        ("General0", 1),
        ('0"', 1),
    ],
)
def test_a_number_that_is_shown_in_a_way_of_some_language_or_not_at_all_is_not_read(
    code: str, number: float
) -> None:
    seen = NumberFormat(code).show_number(number)
    assert (seen, type(seen)) == (str(number), Formatted)


@pytest.mark.parametrize(
    ("code", "shown"),
    [('"+"@', "+49"), ('0;0;0;"+"@', "+49"), ("0;0;0", "49"), ("00000", "49"), ('"+"0', "49"), ("@", "49")],
)
def test_a_text_is_read_as_its_format_shows_it(code: str, shown: str) -> None:
    assert NumberFormat(code).show_text("49") == shown


@pytest.mark.parametrize("code", [";;;", '0;0;0;"hidden"'])
def test_a_text_that_is_not_shown_is_not_read(code: str) -> None:
    assert isinstance(NumberFormat(code).show_text("49"), Formatted)


def test_every_cell_of_a_workbook_is_read_by_the_format_of_its_style() -> None:
    row = (
        f'<row r="1">{"".join(text(f"{letter}1", letter) for letter in "ABCDE")}</row>'
        '<row r="2"><c r="A2" s="2"><v>1234</v></c><c r="B2" s="3"><v>0.5</v></c>'
        '<c r="C2" s="4" t="inlineStr"><is><t>49</t></is></c><c r="D2" s="4" t="s"><v>0</v></c>'
        '<c r="E2" s="2" t="e"><v>#REF!</v></c></row>'
    )
    file = read(workbook(row, strings="<si><t>1</t></si>", formats={170: "00000", 171: "0%", 172: '"+"@'}))
    assert file.rows == [["01234", "0.5", "+49", "+1", "#REF!"]]
    assert [cell.code for cell in file.rows[0] if isinstance(cell, Unread)] == [
        "number_format",
        "error_value",
    ]

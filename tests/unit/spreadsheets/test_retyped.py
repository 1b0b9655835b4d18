from datetime import UTC, datetime

import pytest

from app.spreadsheets.retyped import is_flattened, is_retyped, is_rewritten

DAY = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+4930123456", 4930123456),
        ("+4930123456", 4930123456.0),
        ("00042", 42),
        ("1e5", 100000),
        ("12345678901234567890", 12345678901234500000),
        ("12345678901234567890", 1.2345678901234567e19),
        ("TRUE", True),
        ("false", False),
        ("2026-01-31", DAY),
        ("31.01.2026", DAY),
        ("1/31/26", DAY),
        ("1-31", DAY),
        ("2026-01-31", 46053),
        ("NA", None),
        ("null", None),
        ("50%", 0.5),
        ("12.5%", 0.125),
        ("$5", 5),
        ("5 €", 5),
        ("(5)", -5),
        ("($1,234.50)", -1234.5),
        ("5-", -5),
        ("1,234", 1234),
        ("1.234,5", 1234.5),
        ("1 234", 1234),
        ("1,5", 1.5),
        ("1,5", 15),
        ("1 1/2", 1.5),
        ("0x1F", 31),
        (".5", 0.5),
        ("12:30", 0.5208333333333334),
        ("12:30", datetime(1899, 12, 30, 12, 30, tzinfo=UTC)),
        ("12:30", datetime(1904, 1, 1, 12, 30, tzinfo=UTC)),
        ("00:00", datetime(1899, 12, 30, tzinfo=UTC)),
        ("00:00", 0),
        ("25:00:00", datetime(1900, 1, 1, 1, tzinfo=UTC)),
        ("3:15.5", datetime(1899, 12, 30, 0, 3, 15, 500_000, tzinfo=UTC)),
        ("1:05 pm", datetime(1899, 12, 30, 13, 5, tzinfo=UTC)),
        ("2026-01-31 10:20", DAY.replace(hour=10, minute=20)),
        ("2026-01-31T10:20:30Z", DAY.replace(hour=10, minute=20, second=30)),
        ("31 Jan 2026", DAY),
        ("January 31, 2026", DAY),
        ("31-Jan", DAY),
        ("Jan 2026", DAY.replace(day=1)),
        ("5-", 37012),
        ("2026-01", DAY.replace(day=1)),
    ],
)
def test_a_program_took_the_text_for_this(text: str, cell: object) -> None:
    assert is_retyped(text, cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+4930123456", 4930123457),
        ("+4930123456", 30123456),
        ("42", True),
        ("TRUE", 1),
        ("TRUE", False),
        ("2026-01-31", DAY.replace(hour=1)),
        ("2026-02-01", DAY),
        ("2026-01-31", 46053.5),
        ("Ana", None),
        ("1", []),
        ("1_0", 10),
        ("1" * 65, 1),
        ("1e999", 10**400),
        ("1", 10**400),
        ("1e999", 1.0),
        ("1", -1),
        ("50%", 50),
        ("1.5", 15),
        ("5 5", 55),
        ("1/0", 2),
        ("(5", 6),
        ("12:30", 0.53),
        ("12:30", DAY.replace(hour=12, minute=30)),
        ("2026-01-31", DAY.replace(hour=12)),
        ("31 Mai 2026", DAY),
        ("Jan Ada", DAY),
        ("1" * 65 + ":00", 1),
    ],
)
def test_this_is_another_value(text: str, cell: object) -> None:
    assert not is_retyped(text, cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a\r\nb", "a\nb"),
        ("a\r\nb", "a\rb"),
        ("a\r\nb", "a_x000D_\nb"),
        ("_x000D_", "\r"),
        ("e\u0301", "\u00e9"),
        ("=1+1", "'=1+1"),
        ("'=1+1", "''=1+1"),
        ("+4930123456", "'+4930123456"),
        ("\r\n=1", "'\n=1"),
        (" x", "x"),
        ("a\tb", "a b"),
        ("a \t b", "a b"),
        ("a\tb", "ab"),
        ("a😀b", "a\ufffd\ufffdb"),
        ("😀中", "\ufffd\ufffd\ufffd"),
        ("😀" * 3, "😀\ufffd\ufffd\ufffd\ufffd😀"),
        ("\ufffd", "\ufffd"),
    ],
)
def test_a_program_wrote_the_text_another_way(text: str, cell: str) -> None:
    assert is_rewritten(text, cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("'=1+1", "=1+1"),
        ("Ana", "'Ana"),
        ("a b", "a\nb"),
        ("A", "a"),
        ("é", "e"),
        ("ab", "a\ufffd\ufffdb"),
        ("a😀b", "a\ufffd\ufffdc"),
        ("a", "\ufffd"),
        ("😀" * 65, "\ufffd" * 65),
    ],
)
def test_a_person_wrote_this_text(text: str, cell: str) -> None:
    assert not is_rewritten(text, cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+4912345000000", "4.912345e+12"),
        ("+4912345678901", "4.91235E+12"),
        ("+4912345678901", "4,91235E+12"),
        ("+4930123456", "4930123456.0"),
        ("007", "7"),
        ("007", "7.0"),
        ("2026-01-31", "31/01/2026"),
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31", "2026-01-31 00:00:00"),
        ("010-0019", "10/19/01"),
        ("50%", "0.5"),
        ("50%", "50.00%"),
        ("$5", "$5.00"),
        ("1,234", "1234"),
        ("1234567", "1,234,567"),
        ("00:00", "12:00:00 AM"),
        ("12:30", "12:30:00 PM"),
        ("12:30:15.5", "12:30:15"),
        ("2026-01-31 10:20", "01/31/26 10:20 AM"),
        ("31 Jan 2026", "2026-01-31"),
        ("1.04.2026", "4/1/26"),
        ("25:00:00", "1.04166666666667"),
        ("2026-01-31 10:20", "1/31/26"),
        ("5-", "5/1/01"),
        ("'=1+1", "=1+1"),
        ("_x000D_", '{"richText":[{"text":"_"},{"text":"x000D_"}]}'),
    ],
)
def test_a_program_took_the_text_for_something_and_wrote_that_as_csv(text: str, cell: str) -> None:
    assert is_flattened(text, cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("1234", "01234"),
        ("1234", "+1234"),
        ("+4912345678901", "4.91245E+12"),
        ("7", "7.5"),
        ("Ana", "7"),
        ("7", "1" * 65),
        ("2026-01-31", "2026-01-30"),
        ("12:30", "12:31"),
        ("12:30", "12:30 AM"),
        ("12:30", "2026-01-31 12:30"),
        ("50%", "60%"),
        ("2026-01-31 10:20", "1/31/26 10:21"),
        ("2026-01-31 10:20", "10:20"),
        ("25:00:00", "1.5"),
        ("x", '{"richText":[{"text":1}]}'),
        ("x", '{"richText":3}'),
        ("x", '{"richText":'),
        ("x", '{"richText":[{"text":"\ud800"}]}'),
    ],
)
def test_a_person_wrote_this_into_csv(text: str, cell: str) -> None:
    assert not is_flattened(text, cell)

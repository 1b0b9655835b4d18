"""Cells: forgiving where a spreadsheet changed what was typed, strict otherwise."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.imports.conversion import BadCellError, converter, pointer

MOMENT = datetime(2026, 1, 31, tzinfo=UTC)


def convert(field: str, cell: Any) -> Any:
    found = converter(field)
    assert found is not None
    return found(cell)


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("name", "Ana", "Ana"),
        ("name", " Ana ", " Ana "),
        ("name", "", None),
        ("name", None, None),
        ("name", 7, "7"),
        ("name", 7.0, "7"),
        ("name", 7.25, "7.25"),
        ("name", True, "TRUE"),
        ("address1_zipcode", 1234, "1234"),
        ("phone", "'+4930901820", "+4930901820"),
        ("email", " ana@example.com\u00a0", "ana@example.com"),
        ("username", " ", None),
        ("age", "31", 31),
        ("age", " 31 ", 31),
        ("age", "31.0", 31),
        ("age", "31,00", 31),
        ("age", "030", 30),
        ("age", "0,000", 0),
        ("version", "1,234", 1234),
        ("version", "1.234", 1234),
        ("version", "1\u202f234", 1234),
        ("version", "1\u2019234", 1234),
        ("version", "1,234.00", 1234),
        ("version", "1.234,000", 1234),
        ("version", "1.234.000", 1234000),
        ("age", 31.0, 31),
        ("age", -1, -1),
        ("age", "", None),
        ("is_active", True, True),
        ("is_active", "TRUE", True),
        ("is_active", "yes", True),
        ("is_active", "1", True),
        ("is_active", 1, True),
        ("is_active", 1.0, True),
        ("is_active", "WAHR", True),
        ("is_active", "是", True),
        ("is_active", "no", False),
        ("is_active", 0, False),
        ("is_active", "FALSCH", False),
        ("is_active", " ", None),
        ("delete", "x", True),
        ("tags", "a, b;c,,", ["a", "b", "c"]),
        ("tags", None, []),
        ("tags", "a\nb", ["a", "b"]),
        ("scopes", '["me", "users:read"]', ["me", "users:read"]),
        ("tags", 2024, ["2024"]),
        ("tags", ["a", 1], ["a", 1]),
        ("scopes", "me;users:read", ["me", "users:read"]),
        ("addresses_more", '[{"city":"x"}]', [{"city": "x"}]),
        ("addresses_more", " ", None),
        ("addresses_more", [{}], [{}]),
        ("profile", '{"age":3}', {"age": 3}),
        ("id", " 6742F0C1A5D3B8E9F0123456 ", "6742f0c1a5d3b8e9f0123456"),
        ("id", "", None),
        ("version", "3", 3),
        ("version", None, None),
        ("password_hash", " $2b$ ", "$2b$"),
        ("name", {"a": 1}, {"a": 1}),
    ],
)
def test_cells_are_read(field: str, cell: Any, value: Any) -> None:
    found = convert(field, cell)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("field", "cell", "said"),
    [
        ("name", MOMENT, "Must be text, but the spreadsheet made a date of it"),
        ("address1_zipcode", 1e15, "Must be text: as a number of more than 15 digits"),
        ("name", float("inf"), "Must be text: as a number of more than 15 digits"),
        ("phone", 4_930_901_820, "Must be an international number as text: the spreadsheet made it a number"),
        ("phone", "4.93E+09", "Must be an international number as text: the spreadsheet made it a number"),
        (
            "phone",
            "4930901820.0",
            "Must be an international number as text: the spreadsheet made it a number",
        ),
        ("phone", 12_345_678_901_234_567_890, "Must be text: as a number of more than 15 digits"),
        ("age", "thirty", "Must be a whole number."),
        ("age", "3.5", "Must be a whole number."),
        ("age", "1,234,00", "Must be a whole number."),
        ("age", "1.23.456", "Must be a whole number."),
        ("age", "12.000", "Must be a whole number without separators: .000 could be decimals or thousands."),
        ("age", "12,000", "Must be a whole number without separators: .000 could be decimals or thousands."),
        ("age", 3.5, "Must be a whole number."),
        ("age", float("nan"), "Must be a whole number."),
        ("age", True, "Must be a whole number."),
        ("age", MOMENT, "Must be a whole number."),
        ("age", "9" * 19, "Must be a whole number."),
        ("is_active", "perhaps", "Must be TRUE or FALSE."),
        ("is_active", 2, "Must be TRUE or FALSE."),
        ("is_active", [True], "Must be TRUE or FALSE."),
        ("delete", MOMENT, "Must be TRUE or FALSE."),
        ("tags", MOMENT, "Must be text"),
        ("tags", '["mobile"', "Must be texts separated by commas, or a JSON array"),
        ("addresses_more", "Berlin", "Must be JSON, as the export writes it."),
        ("addresses_more", '[{"a":1,"a":2}]', "Must be JSON, as the export writes it."),
        ("id", "7", "Must be the id of a user"),
        ("id", 7, "Must be the id of a user"),
        ("id", ["x"], "Must be the id of a user"),
        ("version", "0", "Must be the version"),
        ("version", "x", "Must be a whole number."),
        ("version", [1], "Must be the version"),
        ("password_hash", ["x"], "Must be text."),
    ],
)
def test_what_would_be_right_is_said(field: str, cell: Any, said: str) -> None:
    with pytest.raises(BadCellError) as refused:
        convert(field, cell)
    assert str(refused.value).startswith(said)


def test_a_national_number_is_read_where_it_is_one_alone() -> None:
    read = converter("phone", region="DE")
    assert read is not None
    assert read(1_701_234_567) == "+491701234567"
    with pytest.raises(BadCellError, match="the \\+ is lost"):
        read(4_930_901_820)


@pytest.mark.parametrize(
    "field",
    ["email_verified", "created_at", "updated_at", "last_login_at", "last_login_ip", "status", "error", "x"],
)
def test_what_is_only_shown_is_not_read(field: str) -> None:
    assert converter(field) is None


def test_a_lone_surrogate_ends_no_plan() -> None:
    assert convert("addresses_more", '["\ud800"]') == ["?"]


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("email", "/email"),
        ("bio", "/profile/bio"),
        ("address2_city", "/profile/addresses/1/city"),
        ("address10_label", "/profile/addresses/9/label"),
        ("addresses_more", "/profile/addresses"),
        ("password_hash", "/password_hash"),
    ],
)
def test_each_column_has_its_place_in_a_user(field: str, place: str) -> None:
    assert pointer(field) == place

import pytest
from bson import Int64
from hypothesis import given
from hypothesis import strategies as st

from app.spreadsheets.columns import catalogue, choose
from app.spreadsheets.formulas import unguard
from app.spreadsheets.writing import writer
from tests.unit.spreadsheets.files import NASTY, moment, person, read_csv, write

ADDRESSES = [{"city": f"城 {n}", "street": "Allee, 1"} for n in range(5)]


def read_column(name: str, *values: object) -> list[str]:
    rows = [person(**{name: value}) for value in values]
    return [cell for (cell,) in read_csv(write("csv", rows, name))[1:]]


def test_the_file_starts_with_the_mark_that_excel_needs_and_ends_each_line_with_crlf() -> None:
    assert write("csv", [person()], "name,email") == b"\xef\xbb\xbfname,email\r\nAna,ana@example.com\r\n"


def test_a_whole_user_fills_every_column() -> None:
    ana = person(
        username="ana",
        phone="+4930123",
        avatar_url="https://example.com/a.png",
        locale="de-DE",
        tags=["staff", "vip"],
        profile={"bio": "Hi", "age": 30, "title": "Dr", "department": "R&D", "addresses": ADDRESSES},
        last_login_at=moment("2024-02-03T00:00:00"),
        last_login_ip="::1",
        version=Int64(7),
    )
    header, record = read_csv(write("csv", [ana], None))
    assert header == [column.name for column in catalogue()]
    cells = dict(zip(header, record, strict=True))
    assert cells["id"] == "65a000000000000000000001"
    assert cells["phone"] == "'+4930123"
    assert (cells["tags"], cells["scopes"]) == ("staff,vip", "me,users:read")
    assert (cells["is_active"], cells["age"], cells["version"]) == ("TRUE", "30", "7")
    assert (cells["address1_city"], cells["address3_street"]) == ("城 0", "Allee, 1")
    assert cells["addresses_more"] == (
        '[{"city":"城 3","street":"Allee, 1"},{"city":"城 4","street":"Allee, 1"}]'
    )
    assert cells["created_at"] == "2024-01-02T03:04:05.000000Z"
    assert cells["updated_at"] == "2024-01-02T03:04:05.678000Z"
    assert cells["last_login_at"] == "2024-02-03T00:00:00.000000Z"


def test_a_user_without_the_optional_fields_leaves_empty_cells() -> None:
    header, record = read_csv(write("csv", [person(profile=None, tags=[], phone=None)], None))
    filled = {name for name, cell in zip(header, record, strict=True) if cell}
    assert filled == {
        "id",
        "email",
        "name",
        "scopes",
        "is_active",
        "email_verified",
        "created_at",
        "updated_at",
        "version",
    }


def test_nasty_names_are_defused_and_read_back_equal() -> None:
    cells = read_column("name", *NASTY)
    assert [unguard(cell) for cell in cells] == list(NASTY)
    assert not any(cell.strip()[:1] in {*"=+-@＝＋－＠"} for cell in cells)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_any_text_reads_back_equal(names: list[str]) -> None:
    assert [unguard(cell) for cell in read_column("name", *names)] == names


def test_labels_are_defused_as_well() -> None:
    assert read_csv(write("csv", [], "name:=1+1")) == [["'=1+1"]]


def test_numbers_stay_numbers_even_when_they_are_negative() -> None:
    rows = [person(profile={"age": age}) for age in (-5, Int64(2**53 + 1), 30.5)]
    assert read_csv(write("csv", rows, "age"))[1:] == [["-5"], ["9007199254740993"], ["30.5"]]


@pytest.mark.parametrize(
    ("column", "poison", "cell"),
    [
        ("name", 5, "5"),
        ("name", -5, "'-5"),
        ("name", float("nan"), ""),
        ("name", ["a"], '["a"]'),
        ("name", b"\xff", "b'\\xff'"),
        ("name", "lone \ud800", "lone ?"),
        ("name", moment("0001-01-01T00:00:00"), "0001-01-01T00:00:00.000000Z"),
        ("version", "=1", "'=1"),
        ("version", True, "True"),
        ("version", float("-inf"), ""),
        ("is_active", 1, "1"),
        ("is_active", "no", "no"),
        ("tags", "=x", "'=x"),
        ("tags", ["a", 1, None], "a,1,None"),
        ("created_at", "yesterday", "yesterday"),
        ("created_at", 0, "0"),
        ("created_at", moment("0001-01-01T00:00:00"), "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_a_poisoned_value_becomes_text_and_leaves_its_neighbours_alone(
    column: str, poison: object, cell: str
) -> None:
    good = person()[column]
    before, poisoned, after = read_column(column, good, poison, good)
    assert poisoned == cell
    assert before == after == read_column(column, good)[0]


def test_a_batch_of_no_rows_adds_nothing() -> None:
    out = writer("csv", choose("name"))
    assert out.head() == b"\xef\xbb\xbfname\r\n"
    assert out.rows([]) == out.tail() == b""

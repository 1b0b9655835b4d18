"""What the writers write reads back as what was stored, in every format, for whatever a user can hold."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from bson import ObjectId
from hypothesis import given, settings
from hypothesis import strategies as st

from app.spreadsheets import cells, lists
from app.spreadsheets.assembly import merge_addresses
from app.spreadsheets.column import Kind
from app.spreadsheets.columns import MOST_ADDRESSES, catalogue, choose
from models.export import Format
from tests.support.users import BLANK
from tests.unit.spreadsheets.files import FORBIDDEN, NASTY, moment, person, write
from tests.unit.spreadsheets.readers import read

COLUMNS = {column.name: column for column in catalogue(MOST_ADDRESSES)}
PARTS = ("label", "street", "city", "region", "zipcode", "country")
SPECIAL = "'=+-@＝\t\r\n \N{NO-BREAK SPACE}\ufeff\",;_x0041D\x01\x1f\ufffe😀&<>"
TEXT = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8),
    st.text(st.sampled_from(SPECIAL), min_size=1, max_size=12),
    st.sampled_from([text for text in NASTY if len(text) < 100]),
    st.sampled_from(["00123", "12345678901234567890", "1e5", "TRUE", "2024-01-02", "#N/A", "''", "sep=;"]),
)
SOMETIMES = st.none() | TEXT
EMPTY: dict[str, str | None] = dict.fromkeys(PARTS)
ADDRESS = st.just(EMPTY) | st.dictionaries(st.sampled_from(PARTS), TEXT, max_size=2).map(EMPTY.__or__)
ADDRESSES = st.lists(ADDRESS, max_size=10)
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters=",;")
TAGS = st.lists(st.text(LETTERS, min_size=1, max_size=8).map(str.strip).filter(bool), max_size=3)
MOMENTS = st.datetimes(moment("1900-01-01"), moment("9999-12-31")).map(
    lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000)
)
USERS = st.fixed_dictionaries(
    {
        "_id": st.binary(min_size=12, max_size=12).map(ObjectId),
        "username": SOMETIMES,
        "email": TEXT,
        "name": TEXT,
        "phone": st.none() | st.integers(10**7, 10**14).map("+{}".format),
        "avatar_url": SOMETIMES,
        "locale": SOMETIMES,
        "tags": TAGS,
        "scopes": st.lists(st.sampled_from(["me", "users:read"]), unique=True),
        "is_active": st.booleans(),
        "profile": st.fixed_dictionaries(
            {
                "bio": SOMETIMES,
                "age": st.none() | st.integers(0, 150),
                "title": SOMETIMES,
                "department": SOMETIMES,
                "addresses": ADDRESSES,
            }
        ),
        "email_verified": st.booleans(),
        "created_at": MOMENTS,
        "updated_at": MOMENTS,
        "last_login_at": st.none() | MOMENTS,
        "last_login_ip": st.none() | st.just("::1"),
        "version": st.integers(1, 2**53),
    }
).map(lambda user: BLANK | user | {"profile": BLANK["profile"] | user["profile"]})


def assemble(values: Mapping[str, Any], addresses: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """
    The values by column name as the fields of a user, nested; what has no column is left out.

    `addresses` are those that the user has: whatever the columns do not say of them stays. Every column of
    addresses that the file has must be among the values; that of the rest holds a list, or None.
    """
    user: dict[str, Any] = {}
    for name, value in values.items():
        match COLUMNS[name].path:
            case ("profile", "addresses", *_):
                user.setdefault("profile", {})["addresses"] = []
            case ("profile", str(key)):
                user.setdefault("profile", {})[key] = value
            case (str(key), *_):
                user[key] = value
    if "addresses" in user.get("profile", {}):
        user["profile"]["addresses"] = merge_addresses(values, addresses)
    return user


def without_forbidden(value: Any) -> Any:
    """With an x in place of each character that OpenDocument cannot say, however deep."""
    match value:
        case str():
            return FORBIDDEN.sub("x", value)
        case dict():
            return {key: without_forbidden(each) for key, each in value.items()}
        case list():
            return [without_forbidden(each) for each in value]
        case _:
            return value


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
@settings(max_examples=30, deadline=None)
@given(st.lists(USERS, min_size=1, max_size=3), st.integers(0, 10))
def test_every_user_comes_back_from_a_spreadsheet(
    form: Format, users: list[dict[str, Any]], addresses: int
) -> None:
    if form == "ods":
        users = without_forbidden(users)
    file = read(write(form, users, None, addresses))
    kinds = {column.name: column.kind for column in catalogue(addresses)}
    rows = [
        {name: CONVERT[kinds[name]](cell) for name, cell in zip(file.heading, row, strict=True)}
        for row in file.rows
    ]
    again = [assemble(row) for row in rows]
    assert [user | {"_id": ObjectId(user["_id"])} for user in again] == users


@settings(max_examples=30, deadline=None)
@given(st.lists(USERS, min_size=1, max_size=3))
def test_every_user_comes_back_from_lines_of_json(users: list[dict[str, Any]]) -> None:
    file = read(write("ndjson", [{"_id": user["_id"], **user} for user in users]))  # as MongoDB answers
    assert [{**line, "id": ObjectId(line["id"])} for line in file.documents] == [
        {"id": user.pop("_id"), **orjson.loads(cells.write_json(user))} for user in users
    ]


def as_boolean(cell: Any) -> Any:
    return {"TRUE": True, "FALSE": False}[cell] if isinstance(cell, str) else cell


def as_moment(cell: Any) -> Any:
    said = datetime.fromisoformat(cell) if isinstance(cell, str) else cell
    return said and said.astimezone(UTC).replace(tzinfo=None)


CONVERT: dict[Kind, Callable[[Any], Any]] = {
    "text": lambda cell: cell,
    "integer": lambda cell: cell and int(cell),
    "boolean": as_boolean,
    "datetime": as_moment,
    "list": lambda cell: lists.split(cell or ""),
    "json": lambda cell: cell and orjson.loads(cell),
}


LONG = ["x" * 32_767, "=" + "x" * 32_766, "😀" * 16_383, "\x01" * 32_767, "_x0041_" * 4_681]


@pytest.mark.parametrize("text", LONG, ids=["x", "=", "pairs", "escapes", "lookalikes"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_the_longest_texts_that_a_user_holds_come_back(form: Format, text: str) -> None:
    if form == "ods":  # which cannot say what XML forbids
        text = FORBIDDEN.sub("", text) or "x"
    assert read(write(form, [person(name=text)], "name")).column == [text]


def test_ten_of_the_longest_addresses_fit_into_one_cell() -> None:
    address = {part: "😀" * (256 if part == "street" else 128) for part in PARTS}
    quoted = {part: '"\n' * (128 if part == "street" else 64) for part in PARTS}
    for addresses in ([address] * 10, [quoted] * 10):
        for form in FORMS:
            file = read(write(form, [person(profile={"addresses": addresses})], "addresses_more"))
            assert orjson.loads(str(file.column[0])) == addresses


FORMS: tuple[Format, ...] = ("csv", "xlsx", "ods")


def whole(addresses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With every part, as a user has them once they have been checked."""
    return [EMPTY | address for address in addresses]


NAMES = [column.name for column in catalogue(10) if column.name.startswith("address")]


@settings(max_examples=50, deadline=None)
@given(ADDRESSES, st.sets(st.sampled_from(NAMES)))
def test_any_choice_of_columns_leaves_the_addresses_as_they_are(
    addresses: list[dict[str, str | None]], names: set[str]
) -> None:
    columns = choose(",".join(sorted(names)) or "name", addresses=10)
    row = person(profile={"addresses": addresses})
    values = {column.name: column.read(row) for column in columns if column.name in names}
    assert whole(merge_addresses(values, addresses)) == addresses


@settings(max_examples=50, deadline=None)
@given(ADDRESSES, ADDRESSES, st.sets(st.sampled_from(NAMES)))
def test_the_same_row_once_more_changes_no_address(
    said: list[dict[str, str | None]], addresses: list[dict[str, str | None]], names: set[str]
) -> None:
    row = person(profile={"addresses": said})
    columns = choose(",".join(sorted(names)) or "name", addresses=10)
    values = {column.name: column.read(row) for column in columns if column.name in names}
    once = merge_addresses(values, addresses)
    assert whole(merge_addresses(values, once)) == whole(once)


@settings(max_examples=50, deadline=None)
@given(ADDRESSES, ADDRESSES)
def test_all_the_columns_say_all_of_the_addresses_whatever_there_was(
    addresses: list[dict[str, str | None]], others: list[dict[str, str | None]]
) -> None:
    for count in (0, 3, 10):
        columns = [column for column in catalogue(count) if column.name.startswith("address")]
        row = person(profile={"addresses": addresses})
        values = {column.name: column.read(row) for column in columns}
        assert whole(merge_addresses(values, others)) == addresses


@pytest.mark.parametrize(
    ("values", "addresses"),
    [
        ({"address1_city": "Bonn"}, [{"city": "Bonn", "zipcode": "1"}, {"city": "B"}]),
        ({"address1_city": None, "address1_zipcode": None}, [{"city": None, "zipcode": None}, {"city": "B"}]),
        ({"address2_city": None}, [{"city": "A", "zipcode": "1"}, {"city": None}]),
        ({"address1_city": "A", "address2_city": None}, [{"city": "A", "zipcode": "1"}]),
        ({"address1_city": "A", "addresses_more": None}, [{"city": "A", "zipcode": "1"}]),
        ({"addresses_more": [{"city": "X"}]}, [{"city": "X"}]),
        ({"address4_city": "D"}, [{"city": "A", "zipcode": "1"}, {"city": "B"}, {}, {"city": "D"}]),
        ({"address4_city": None}, [{"city": "A", "zipcode": "1"}, {"city": "B"}]),
    ],
)
def test_columns_change_what_they_say_of_addresses_and_nothing_else(
    values: dict[str, Any], addresses: list[dict[str, Any]]
) -> None:
    assert merge_addresses(values, [{"city": "A", "zipcode": "1"}, {"city": "B"}]) == addresses


def test_fields_without_a_column_are_left_out() -> None:
    values: dict[str, Any] = {"name": "Ana", "age": None, "tags": []}
    assert assemble(values) == {"name": "Ana", "profile": {"age": None}, "tags": []}
    address = {"zipcode": "1", "city": "B"}
    assert assemble({"address1_city": "B"}, [{"zipcode": "1"}]) == {"profile": {"addresses": [address]}}


def test_a_list_in_a_cell_is_parted_as_people_part_it() -> None:
    assert lists.split(" staff, vip;;x ,") == ["staff", "vip", "x"]

"""Malformed rows: completed, or left out and reported; never a crash, never a wrong type."""

import json
import math
from copy import deepcopy
from datetime import datetime
from typing import Any

import bson
import orjson
import pytest
from bson import DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.core.errors import InvalidError
from app.core.mongo import BSON
from app.users.rows import UNREADABLE, RowReader
from app.users.selections import ALLOWED, choose
from models.user import FIELDS, ProfileInput, UserOutput
from tests.support.users import put

ID = ObjectId("6742f0c1a5d3b8e9f0123456")
MOMENT = datetime(2026, 1, 31, 12, 30, 15, 123000)  # noqa: DTZ001 - rows are decoded naive, in UTC
ADDRESS = dict.fromkeys(("label", "street", "city", "region", "zipcode", "country"), "x")
ROW: dict[str, Any] = {
    "_id": ID,
    "username": "ana",
    "email": "ana@example.com",
    "name": "Ana",
    "phone": "+34600000000",
    "avatar_url": "https://example.com/a.png",
    "locale": "es",
    "tags": ["a", "b"],
    "scopes": ["me"],
    "is_active": True,
    "profile": {
        "bio": "b",
        "age": 30,
        "title": "t",
        "department": "d",
        "addresses": [dict(ADDRESS), dict(ADDRESS)],
    },
    "email_verified": True,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "last_login_at": MOMENT,
    "last_login_ip": "192.0.2.1",
    "version": 1,
}
for _each in FIELDS:  # a user has nothing of a field that is not here
    if _each.name != "id":
        (ROW if len(_each.path) == 1 else ROW["profile"]).setdefault(_each.name, _each.info.default)
TEXTS = ["username", "email", "name", "phone", "avatar_url", "locale", "last_login_ip"]
NESTED_TEXTS = ["profile.bio", "profile.title", "profile.department"]
ADDRESS_TEXTS = [f"profile.addresses.1.{name}" for name in ADDRESS]
DATES = ["created_at", "updated_at", "last_login_at"]
NUMBERS = ["version", "profile.age"]
LISTS = ["tags", "scopes", "profile.addresses"]
OBJECTS = ["profile", "profile.addresses.0"]
REQUIRED = ["email", "name", "is_active", "created_at", "updated_at", "version"]
EVERYTHING: list[Any] = [
    "text", True, 1, Int64(7), 1.5, math.nan, math.inf, Decimal128("1"), b"bytes", {}, {"a": 1}, [], [1],
    ["x"], [["x"]], [None], [{}], MOMENT, datetime(1, 1, 1), DatetimeMS(2**60), DatetimeMS(-(2**60)),  # noqa: DTZ001
    ID, MinKey(), MaxKey(), Regex("x"), Timestamp(1, 1), DBRef("users", ID),
]  # fmt: skip
JSON = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
OUTPUT = TypeAdapter(UserOutput)


def changed(path: str, *value: Any) -> dict[str, Any]:
    """ROW with `value` at `path`, or without what is there."""
    row = deepcopy(ROW)
    put(row, path, *value)
    return row


def fields_named(log: str) -> list[str]:
    return [json.loads(line)["field"] for line in log.splitlines()]


def kinds(path: str) -> tuple[type, ...]:
    if path in LISTS:
        return (list,)
    if path in OBJECTS:
        return (dict,)
    if path in DATES:
        return (datetime,)
    if path in NUMBERS:
        return (int,)
    return (bool,) if path == "is_active" else (str,)


def is_right(path: str, value: Any) -> bool:
    if type(value) is Int64:
        return path in NUMBERS
    if path in DATES and isinstance(value, datetime):
        return value.year >= 1900
    if path in LISTS:
        inner = dict if path == "profile.addresses" else str
        return isinstance(value, list) and all(type(item) is inner for item in value)
    return type(value) in kinds(path)


def every_leaf() -> list[str]:
    return [*TEXTS, *NESTED_TEXTS, *ADDRESS_TEXTS, *DATES, *NUMBERS, *LISTS, *OBJECTS, "is_active"]


def test_a_right_row_leaves_as_it_is() -> None:
    rows = [ROW, changed("profile.addresses", []), changed("tags", [])]
    found = RowReader().sound(rows)
    assert found is rows


def test_no_rows_are_no_rows() -> None:
    assert RowReader().sound([]) == []


@pytest.mark.parametrize("path", every_leaf())
def test_a_reply_has_the_published_types_or_leaves_the_user_out(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in EVERYTHING:
        row = changed(path, value)
        found = RowReader().sound([row, ROW])
        log = capsys.readouterr().err
        assert found[-1] == ROW
        if is_right(path, value):
            assert len(found) == 2, (path, value)
            OUTPUT.validate_json(
                orjson.dumps({**found[0], "id": str(found[0]["_id"])}, default=str, option=JSON)
            )
            assert log == ""
        else:
            assert found == [ROW], (path, value)
            (field,) = fields_named(log)
            assert field.startswith(path)


@pytest.mark.parametrize("path", [path for path in every_leaf() if path.rpartition(".")[2] != "0"])
def test_what_is_missing_is_mended_if_it_may_be_missing(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for row in (changed(path), changed(path, None)):
        found = RowReader().sound([row])
        if path in REQUIRED:
            assert found == []
            assert fields_named(capsys.readouterr().err) == [path]
        else:
            empty: Any = [] if path in LISTS else None
            if path == "profile":
                empty = ProfileInput().model_dump()
            assert found == [changed(path, empty)]


def test_an_address_that_is_null_is_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert RowReader().sound([changed("profile.addresses.0", None)]) == []
    assert fields_named(capsys.readouterr().err) == ["profile.addresses.0"]


@pytest.mark.parametrize("extra", ["password_hash", "keys", "facets", "$where", "_class"])
def test_a_field_that_we_do_not_know_stays_behind(extra: str) -> None:
    row = deepcopy(ROW) | {extra: "secret"}
    row["profile"][extra] = "secret"
    row["profile"]["addresses"][0][extra] = "secret"
    assert RowReader().sound([row]) == [ROW]


@pytest.mark.parametrize("value", ["ana", 7, None, {"a": 1}, True])
def test_an_id_of_another_kind_is_left_out(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert RowReader().sound([ROW | {"_id": value}]) == []
    assert fields_named(capsys.readouterr().err) == ["_id"]


def test_the_log_names_the_row_and_the_field_but_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    before = UNREADABLE._value.get()
    RowReader().sound([changed("phone", {"secret": "+34611111111"}), ROW, changed("name", 4711)])
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["id"], line["field"]) for line in lines] == [
        ("unreadable_row", str(ID), "phone"),
        ("unreadable_row", str(ID), "name"),
    ]
    assert "611111111" not in str(lines)
    assert "4711" not in str(lines)
    assert UNREADABLE._value.get() == before + 2


def test_sixty_four_bit_integers_become_plain_ones() -> None:
    (row,) = RowReader().sound([ROW | {"version": Int64(2**40)}])
    assert type(row["version"]) is int
    assert row["version"] == 2**40


def test_order_of_rows_is_kept_around_those_left_out() -> None:
    rows = [{**ROW, "name": name} for name in ("a", "b", "c")]
    found = RowReader().sound([rows[0], changed("name", 1), rows[1], changed("name"), rows[2]])
    assert [row["name"] for row in found] == ["a", "b", "c"]


def _selected(fields: str) -> dict[str, Any]:
    """What MongoDB would project, from the tree that the projection itself spells."""
    projection, _ = choose(fields)
    selected: dict[str, Any] = _project(ROW, [path.split(".") for path in projection])
    return selected


def _project(value: Any, paths: list[list[str]]) -> Any:
    if any(not path for path in paths):
        return value
    if not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [_project(item, paths) for item in value]
    found = {}
    for key, inner in value.items():
        below = [path[1:] for path in paths if path[0] == key]
        if below:
            found[key] = _project(inner, below)
    return found


SELECTIONS = [
    *ALLOWED,
    "name,email",
    "email,name,name",
    "profile,profile.age",
    "profile.addresses.city",
    "profile.addresses.city,profile.addresses.zipcode,profile.bio",
    "profile.addresses,profile.addresses.city,tags",
    "id,version",
]


@pytest.mark.parametrize("fields", SELECTIONS)
def test_each_selection_of_fields_passes_right_rows_untouched(fields: str) -> None:
    _, reader = choose(fields)
    rows = [_selected(fields)]
    assert reader.sound(rows) is rows


@pytest.mark.parametrize("fields", SELECTIONS)
def test_each_selection_checks_what_it_selects_and_only_that(
    fields: str, capsys: pytest.CaptureFixture[str]
) -> None:
    projection, reader = choose(fields)
    for path in every_leaf():
        wrong = _project(changed(path, b"\xff"), [part.split(".") for part in projection])
        plain = ".".join(step for step in path.split(".") if not step.isdigit())
        chosen = any(
            plain == part or plain.startswith(f"{part}.") or part.startswith(f"{plain}.")
            for part in projection
        )
        assert bool(reader.sound([wrong])) is (not chosen), (fields, path)
        capsys.readouterr()


def test_a_selection_of_nested_fields_mends_an_empty_profile() -> None:
    _, reader = choose("profile.addresses.city")
    assert (
        reader.sound([{"_id": ID}, {"_id": ID, "profile": {}}, {"_id": ID, "profile": {"addresses": []}}])
        == [{"_id": ID, "profile": {"addresses": []}}] * 3
    )
    assert reader.sound([{"_id": ID, "profile": {"addresses": [{}, {"city": "x"}]}}]) == [
        {"_id": ID, "profile": {"addresses": [{"city": None}, {"city": "x"}]}}
    ]


@pytest.mark.parametrize(
    "fields",
    [
        "keys", "keys.email", "facets", "password_hash", "_id", "$where", "", ",", "name,", "profile.",
        "tags.0", "profile.addresses.0.city",
    ],
)  # fmt: skip
def test_hidden_and_unknown_fields_cannot_be_selected(fields: str) -> None:
    with pytest.raises(InvalidError) as refused:
        choose(fields)
    assert refused.value.errors[0].parameter == "fields"


def test_invalid_utf8_is_read_with_replacement_characters() -> None:
    stored = bson.encode(ROW).replace(b"Ana\0", b"A\xffa\0")
    (row,) = RowReader().sound([bson.decode(stored, BSON)])
    assert row["name"] == "A\ufffda"


def test_dates_past_pythons_years_do_not_break_the_reader(capsys: pytest.CaptureFixture[str]) -> None:
    far = bson.decode(bson.encode(ROW | {"last_login_at": DatetimeMS(3_093_527_980_799_000)}), BSON)
    assert RowReader().sound([far]) == []
    assert fields_named(capsys.readouterr().err) == ["last_login_at"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.binary(max_size=3)
    | st.just(MOMENT),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ADDRESS, "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([*ROW, "keys", "x"]), VALUES, max_size=6),
    st.dictionaries(st.sampled_from([*ROW["profile"], "x"]), VALUES, max_size=4),
)
def test_any_row_at_all_is_either_answered_as_published_or_left_out(
    top: dict[str, Any], profile: dict[str, Any]
) -> None:
    row = deepcopy(ROW) | {"profile": ROW["profile"] | profile} | top
    for found in RowReader().sound([row]):
        body = orjson.dumps({**found, "id": str(found["_id"])}, default=_no_other_types, option=JSON)
        OUTPUT.validate_json(body, strict=False)
        assert set(found) == set(ROW)


def _no_other_types(value: object) -> str:
    assert isinstance(value, ObjectId), value
    return str(value)

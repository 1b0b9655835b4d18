"""Filters, orders and fields as MongoDB gets them: pure functions, no database."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import DatetimeMS, ObjectId

from app.core.cursors import CursorSealer, Position
from app.core.errors import ExpiredCursorError, InvalidCursorError, InvalidError
from app.listing.conditions import BOUNDS
from app.listing.orders import MISSING, ORDERS, PRESENT, Order
from app.listing.pages import too_expensive
from app.listing.queries import Query, build
from app.users.selections import ALLOWED, choose
from models.listing import Filter, ListQuery, OrderedQuery
from models.user import FACETS, UNIQUE, User, UserOutput

ID = ObjectId("6742f0c1a5d3b8e9f0123456")
FIRST_ID = {"$gte": ObjectId("0" * 24)}
NO_LIST = {"$not": {"$type": "array"}}


def _build(**asked: Any) -> Query:
    return build(OrderedQuery.model_validate(asked))


def _filter(asked: dict[str, Any]) -> dict[str, Any]:
    return _build(**asked).matching


@pytest.mark.parametrize(
    ("asked", "matching"),
    [
        ({}, {}),
        ({"city": ["Berlin"]}, {"facets": {"$eq": "city:berlin"}}),
        ({"city": ["BERLIN", "berlin", "Ｂerlin"]}, {"facets": {"$eq": "city:berlin"}}),
        ({"tag": ["b", "A"]}, {"facets": {"$in": ["tag:a", "tag:b"]}}),
        ({"is_active": ["false"]}, {"facets": {"$eq": "is_active:false"}}),
        (
            {"tag": ["a"], "scope": ["me"]},
            {"facets": {"$eq": "tag:a"}, "$and": [{"facets": {"$eq": "scope:me"}}]},
        ),
        ({"id": [str(ID)]}, {"_id": {"$eq": ID}}),
        ({"id": [str(ID), str(ID).upper()]}, {"_id": {"$eq": ID}}),
        ({"id": [str(ID), "0" * 24]}, {"_id": {"$in": [ID, ObjectId("0" * 24)]}}),
        ({"email": ["ANA@Example.com "]}, {"keys.email": {"$eq": "ana@example.com", "$type": "string"}}),
        ({"email": ["a@é.com"]}, {"keys.email": {"$eq": "a@xn--9ca.com", "$type": "string"}}),
        ({"email": ["a@-é-.com"]}, {"keys.email": {"$eq": "a@-é-.com", "$type": "string"}}),
        ({"username": ["ＡＮＡ"]}, {"keys.username": {"$eq": "ana", "$type": "string"}}),
        ({"phone": ["+49 (151) 123"]}, {"phone": {"$eq": "+49151123", "$type": "string"}}),
        ({"phone": ["0049"]}, {"phone": {"$eq": "+0049", "$type": "string"}}),
        ({"age_min": 0}, {"profile.age": {"$gte": 0}}),
        ({"age_min": 1, "age_max": 2}, {"profile.age": {"$gte": 1, "$lte": 2}}),
        ({"updated_from": "2026-01-02"}, {"updated_at": {"$gte": datetime(2026, 1, 2, tzinfo=UTC)}}),
        (
            {"last_login_to": "2026-01-02"},
            {"last_login_at": {"$lte": datetime(2026, 1, 2, 23, 59, 59, 999_000, tzinfo=UTC)}},
        ),
        (
            {"created_to": "2026-01-02T03:04:05.006+01:00"},
            {"created_at": {"$lte": datetime(2026, 1, 2, 2, 4, 5, 6_000, tzinfo=UTC)}},
        ),
    ],
)
def test_filters_become_a_mongodb_filter(asked: dict[str, Any], matching: dict[str, Any]) -> None:
    assert _filter(asked) == matching


def test_every_filter_is_a_facet_a_range_or_unique() -> None:
    ranges = {name for names in BOUNDS.values() for name in names}
    values = {field.called for field in (*FACETS, *UNIQUE)}
    assert set(Filter.model_fields) == {*values, *ranges, "id", "missing", "filter"}


@pytest.mark.parametrize(
    ("asked", "matching", "sort"),
    [
        ({"missing": ["phone"]}, {"phone": {"$eq": None}}, "created_at"),
        ({"missing": ["tag,tag", "tag"]}, {"tags": {"$eq": []}}, "created_at"),
        ({"missing": ["age"]}, {"profile.age": {"$eq": None}}, "age"),
        ({"missing": ["age"], "sort": "-name"}, {"profile.age": {"$eq": None}}, "-name"),
        (
            {"missing": ["phone,last_login_at"]},
            {"phone": {"$eq": None}, "last_login_at": {"$eq": None}},
            "last_login_at",
        ),
        (
            {"missing": ["username"], "tag": ["a"]},
            {"facets": {"$eq": "tag:a"}, "keys.username": {"$eq": None}},
            "created_at",
        ),
    ],
)
def test_what_is_missing_is_a_filter_in_an_order_that_finds_it(
    asked: dict[str, Any], matching: dict[str, Any], sort: str
) -> None:
    query = _build(**asked)
    assert (query.matching, query.sort) == (matching, sort)


@pytest.mark.parametrize(
    "asked",
    [
        {"missing": ["phone"], "phone": ["+34600000000"]},
        {"missing": ["age"], "age_max": 3},
        {"missing": ["last_login_at"], "last_login_from": "2026-01-01"},
        {"missing": ["city", "tag"], "tag": ["a"]},
    ],
)
def test_a_value_that_is_wanted_and_missing_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as refused:
        _build(**asked)
    assert [bad.parameter for bad in refused.value.errors] == ["missing"]


def test_only_values_reach_a_filter_never_operators() -> None:
    attack = '{"$ne": null}'
    for name in ("email", "username", "phone", "tag", "department", "city", "country"):
        found = _filter({name: [attack]})
        [condition] = found.values()
        assert isinstance(condition["$eq"], str)


@pytest.mark.parametrize(
    ("asked", "sort"),
    [
        ({}, "created_at"),
        ({"age_min": 3}, "age"),
        ({"age_min": 3, "age_max": 4}, "age"),
        ({"updated_from": "2026-01-01"}, "updated_at"),
        ({"last_login_to": "2026-01-01"}, "last_login_at"),
        ({"created_to": "2026-01-01"}, "created_at"),
        ({"age_min": 3, "updated_from": "2026-01-01"}, "created_at"),
        ({"age_min": 3, "city": ["x"]}, "created_at"),
        ({"age_min": 3, "sort": "-name"}, "-name"),
    ],
)
def test_the_only_range_gives_the_default_order(asked: dict[str, Any], sort: str) -> None:
    assert _build(**asked).sort == sort


def test_an_order_in_each_direction_goes_from_each_position_both_ways() -> None:
    position = Position(PRESENT, 7, ID)
    for sort, backward, past in (
        ("age", False, "$gt"), ("age", True, "$lt"), ("-age", False, "$lt"), ("-age", True, "$gt"),
    ):  # fmt: skip
        same, beyond = Order(sort).ways(PRESENT, position, backward=backward)
        assert same["profile.age"] == {"$eq": 7} | NO_LIST
        assert same["_id"] == {past: ID}
        lowest = {"$gte": float("-inf")} if past == "$lt" else {}
        assert beyond["profile.age"] == {past: 7} | lowest | NO_LIST
        assert beyond["_id"] == FIRST_ID
        assert same["profile"] == beyond["profile"] == NO_LIST


def test_a_position_inside_a_range_keeps_the_other_bound() -> None:
    position = Position(PRESENT, 7, ID)
    bounds = {"$gte": 3, "$lte": 9}
    assert Order("age", bounds).ways(PRESENT, position)[1]["profile.age"] == {"$gt": 7, "$lte": 9} | NO_LIST
    assert Order("-age", bounds).ways(PRESENT, position)[1]["profile.age"] == {"$lt": 7, "$gte": 3} | NO_LIST


def test_a_unique_order_needs_no_tie_break() -> None:
    for sort in ("email", "-email", "username", "-username"):
        order = Order(sort)
        [way] = order.ways(PRESENT, Position(PRESENT, "x", ID))
        assert way[order.path].keys() >= {"$lt" if sort.startswith("-") else "$gt", "$type"}
        assert [path for path, _ in order.sort(PRESENT)] == [order.path]


def test_an_inclusive_position_begins_with_its_row() -> None:
    same, beyond = Order("age").ways(PRESENT, Position(PRESENT, 7, ID, inclusive=True))
    assert same["_id"] == {"$gte": ID}
    assert beyond["profile.age"] == {"$gt": 7} | NO_LIST
    [way] = Order("email").ways(PRESENT, Position(PRESENT, "x", ID, inclusive=True))
    assert way["keys.email"]["$gte"] == "x"
    [way] = Order("age").ways(MISSING, Position(MISSING, None, ID, inclusive=True))
    assert way == {"profile.age": {"$eq": None}, "_id": {"$gte": ID}}


def test_a_segment_that_the_position_is_not_in_is_whole() -> None:
    position = Position(MISSING, None, ID, backward=True)
    assert Order("age").ways(PRESENT, position, backward=True) == Order("age").ways(PRESENT)
    assert Order("age").ways(MISSING, position, backward=True) == [
        {"profile.age": {"$eq": None}, "_id": FIRST_ID | {"$lt": ID}}
    ]


def test_a_range_of_the_order_leaves_no_one_who_misses_the_value() -> None:
    assert Order("age").segments == (PRESENT, MISSING)
    assert Order("age", {"$gte": 1}).segments == (PRESENT,)


def test_every_order_has_its_index() -> None:
    declared = {index.document["name"]: index.document for index in User.Settings.indexes}
    for name, kind in ORDERS.items():
        for sort in (name, f"-{name}"):
            order = Order(sort)
            present = declared[order.index(PRESENT)]
            assert [path for path, _ in order.sort(PRESENT)] == list(present["key"])
            assert bool(present.get("unique")) == kind.unique
            missing = declared[order.index(MISSING)]
            assert list(missing["key"]) == [order.path, "_id"]


@pytest.mark.parametrize("values", [["x"], ["x", "y", "z"]])
def test_past_a_position_each_value_of_the_only_facet_is_a_branch_of_its_own(values: list[str]) -> None:
    query = _build(city=values)
    assert query.by_facet
    assert "$or" not in query.find(PRESENT)["filter"]
    past = query.find(PRESENT, Position(PRESENT, datetime(2026, 1, 1, tzinfo=UTC), ID))
    assert len(past["filter"]["$or"]) == 2 * len(values)
    assert all(branch["facets"].keys() == {"$eq"} for branch in past["filter"]["$or"])
    assert past["hint"] == "facets"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({}, "created_at"),
        ({"sort": "-name"}, "name"),
        ({"age_max": 3}, "age"),
        ({"city": ["x"], "sort": "-created_at"}, "facets"),
        ({"city": ["x"], "created_from": "2026-01-01"}, "facets"),
        ({"city": ["x"], "sort": "name"}, None),
        ({"city": ["x"], "tag": ["y"]}, None),
        ({"city": ["x"], "age_min": 3}, None),
        ({"age_min": 3, "sort": "created_at"}, None),
        ({"email": ["a@x.com", "b@x.com"]}, None),
    ],
)
def test_where_one_index_holds_just_the_users_asked_for_it_is_named(
    asked: dict[str, Any], hint: str | None
) -> None:
    assert _build(**asked).find(PRESENT)["hint"] == hint


def test_clauses_on_one_path_all_hold() -> None:
    query = _build(id=[str(ID), "0" * 24], email=["a@x.com", "b@x.com"], sort="email")
    found = query.find(PRESENT)["filter"]
    assert found["_id"] == {"$in": [ID, ObjectId("0" * 24)]}
    assert [set(clause) for clause in found["$and"]] == [{"keys", "keys.email", "_id"}]


@pytest.mark.parametrize(
    ("asked", "single"),
    [
        ({"email": ["a@x.com"]}, True),
        ({"email": ["a@x.com", "A@X.com"]}, True),
        ({"email": ["a@x.com", "b@x.com"]}, False),
        ({"email": ["a@x.com", "b@x.com"], "phone": ["+491"]}, True),
        ({"id": [str(ID)], "city": ["x"]}, True),
        ({"city": ["x"]}, False),
        ({}, False),
    ],
)
def test_one_value_of_a_unique_field_finds_at_most_one(asked: dict[str, Any], single: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert _build(**asked).single == single


def test_a_fingerprint_stands_for_filter_and_sort_and_nothing_else() -> None:
    def fingerprint(**asked: Any) -> bytes:
        return build(ListQuery.model_validate(asked)).fingerprint

    assert fingerprint(city=["a", "b"]) == fingerprint(city=["b", "a"], limit=7, fields="name", count="exact")
    assert fingerprint() == fingerprint(sort="created_at")
    different: list[dict[str, Any]] = [
        {}, {"city": ["a"]}, {"city": ["b"]}, {"country": ["a"]}, {"sort": "-created_at"}, {"age_min": 0},
        {"age_min": 1}, {"age_max": 0}, {"created_from": "2026-01-01"}, {"created_to": "2026-01-01"},
        {"tag": ["a", "b"]}, {"tag": ["a,b"]}, {"tag": ["a"], "city": ["b"]},
    ]  # fmt: skip
    assert len({fingerprint(**asked) for asked in different}) == len(different)


def test_advice_names_what_would_help() -> None:
    assert too_expensive(_build(sort="age")).detail == (
        "Finding these users in the order of age takes longer than a page may. "
        "Add a filter on city, department or tag, or age_min and age_max, or leave out `sort`."
    )


# Fields


@pytest.mark.parametrize(
    ("fields", "projection"),
    [
        ("id", {"_id": 1}),
        ("name", {"_id": 1, "name": 1}),
        ("name, name,email", {"_id": 1, "name": 1, "email": 1}),
        ("profile.age,profile", {"_id": 1, "profile": 1}),
        (
            "profile.addresses.city,profile.bio",
            {"_id": 1, "profile.addresses.city": 1, "profile.bio": 1},
        ),
        ("profile.addresses.city,profile.addresses", {"_id": 1, "profile.addresses": 1}),
    ],
)
def test_fields_become_a_projection_without_overlaps(fields: str, projection: dict[str, int]) -> None:
    assert choose(fields)[0] == projection


def test_all_fields_are_chosen_by_default_and_none_is_hidden() -> None:
    projection, _ = choose(None)
    assert set(projection) == (set(UserOutput.model_fields) - {"id"}) | {"_id"}
    assert not {path.partition(".")[0] for path in ALLOWED} & {"keys", "facets", "password_hash", "_id"}


def test_rows_hold_what_was_chosen_and_nothing_else() -> None:
    row = {"_id": ID, "name": "Ana", "profile": {"age": 3, "bio": None}, "keys": {"name": "ana"}}
    assert choose("name,profile.bio")[1].sound([row]) == [
        {"_id": ID, "name": "Ana", "profile": {"bio": None}}
    ]
    assert choose("id")[1].sound([{"_id": ID}]) == [{"_id": ID}]


@pytest.mark.parametrize(
    "fields", ["", ",", "name,", "Name", "profile.", "profile.addresses.0", "keys", "*", "$a"]
)
def test_an_unknown_field_is_refused(fields: str) -> None:
    with pytest.raises(InvalidError) as refused:
        choose(fields)
    assert all(error.parameter == "fields" for error in refused.value.errors)


def test_at_most_ten_unknown_fields_are_named_and_long_ones_are_cut() -> None:
    with pytest.raises(InvalidError) as refused:
        choose(",".join(f"{'x' * 90}{number}" for number in range(10)) + ",y,z")
    assert len(refused.value.errors) == 10
    assert all(len(error.detail) < 600 for error in refused.value.errors)


# Cursors


@pytest.mark.parametrize(
    "value",
    [None, "张伟", 7, 1.5, float("inf"), datetime(2026, 1, 1), DatetimeMS(2**60), 2**62],  # noqa: DTZ001
)
@pytest.mark.parametrize("row_id", [ID, "abc", 5])
def test_a_position_comes_out_of_its_cursor_as_it_went_in(value: Any, row_id: Any) -> None:
    sealer = CursorSealer("k" * 32, ttl_s=60)
    for backward, inclusive in ((False, False), (True, False), (False, True), (True, True)):
        position = Position(PRESENT, value, row_id, backward, inclusive)
        assert sealer.open(sealer.seal(position, b"query"), b"query") == position


def test_a_cursor_opens_only_with_its_key_and_its_query() -> None:
    cursor = CursorSealer("k" * 32, ttl_s=60).seal(Position(PRESENT, 1, ID), b"query")
    for sealer, fingerprint in (
        (CursorSealer("k" * 32, ttl_s=60), b"other"),
        (CursorSealer("K" * 32, ttl_s=60), b"query"),
    ):
        with pytest.raises(InvalidCursorError):
            sealer.open(cursor, fingerprint)


def test_a_cursor_is_good_until_its_time_is_up() -> None:
    clock = [1000.5]
    sealer = CursorSealer("k" * 32, ttl_s=60, now=lambda: clock[0])
    cursor = sealer.seal(Position(PRESENT, 1, ID), b"")
    clock[0] = 1060.0
    assert sealer.open(cursor, b"").id == ID
    clock[0] = 1060.1
    with pytest.raises(ExpiredCursorError):
        sealer.open(cursor, b"")

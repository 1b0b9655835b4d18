"""A user after a row: what has no column stays, what is empty goes, and the same row again does nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.merging import BLANK, PARTS, merge

EMPTY: dict[str, Any] = dict.fromkeys(PARTS)


def city(name: str | None) -> dict[str, Any]:
    return EMPTY | {"city": name}


def stored(*addresses: dict[str, Any]) -> dict[str, Any]:
    user: dict[str, Any] = {**BLANK} | {"name": "Ana", "email": "ana@example.com", "tags": ["a"]}
    user["profile"] = user["profile"] | {"bio": "b", "age": 3, "addresses": list(addresses)}
    return user


def addresses(user: dict[str, Any]) -> list[Any]:
    found: list[Any] = user["profile"]["addresses"]
    return found


def test_what_has_no_column_stays_and_an_empty_cell_removes() -> None:
    user = stored(city("Bonn"))
    changed = merge(user, {"name": "Bo", "bio": None, "tags": []})
    assert changed == user | {"name": "Bo", "tags": [], "profile": user["profile"] | {"bio": None}}
    assert merge(user, {}) == user


def test_activation_is_no_field_that_an_empty_cell_removes() -> None:
    user = stored() | {"is_active": False}
    assert merge(user, {"is_active": None})["is_active"] is False
    assert merge(user, {"is_active": True})["is_active"] is True


def test_a_nested_profile_is_merged_and_null_empties_it() -> None:
    user = stored(city("Bonn"))
    assert merge(user, {"profile": {"age": 4}})["profile"] == user["profile"] | {"age": 4}
    assert merge(user, {"profile": None})["profile"] == BLANK["profile"]
    assert addresses(merge(user, {"profile": {"addresses": None}})) == []
    assert merge(user, {"profile": "x"})["profile"] == "x"
    assert merge(user, {"addresses_more": "x"})["profile"]["addresses"] == "x"


@pytest.mark.parametrize(
    ("before", "values", "after"),
    [
        ([], {"address1_city": None, "address2_city": None}, []),
        ([], {"address2_city": "x"}, [EMPTY, city("x")]),
        ([city("a")], {"address1_city": "b"}, [city("b")]),
        ([city("a")], {"address1_city": None}, []),
        ([city("a"), city("b")], {"address1_city": "a", "address2_city": None}, [city("a")]),
        ([city("a"), EMPTY], {"address1_city": "a", "address2_city": None}, [city("a"), EMPTY]),
        (
            [city("a"), city("b"), city("c")],
            {"address1_city": "a", "address2_city": None},
            [city("a"), EMPTY, city("c")],
        ),
        ([EMPTY | {"street": "s"}], {"address1_city": "x"}, [{**city("x"), "street": "s"}]),
        ([city("a"), city("b")], {"addresses_more": None}, []),
        ([city("a")], {"address1_city": "a", "addresses_more": [{"city": "b"}]}, [city("a"), city("b")]),
        ([city("a"), EMPTY], {"address1_city": "a", "address2_city": None, "addresses_more": [EMPTY]},
         [city("a"), EMPTY]),
    ],
)  # fmt: skip
def test_addresses_keep_their_places(
    before: list[dict[str, Any]], values: dict[str, Any], after: list[dict[str, Any]]
) -> None:
    once = merge(stored(*before), values)
    assert addresses(once) == after
    assert merge(once, values) == once


_cells = st.one_of(st.none(), st.sampled_from(["x", "y"]))
_addresses = st.lists(st.fixed_dictionaries(dict.fromkeys(PARTS, _cells)), max_size=6)
_columns = st.dictionaries(
    st.tuples(st.integers(1, 6), st.sampled_from(PARTS)).map(lambda place: f"address{place[0]}_{place[1]}"),
    _cells,
    max_size=12,
)


@given(before=_addresses, values=_columns, rest=st.one_of(st.just(None), _addresses))
def test_the_same_row_again_changes_nothing(
    before: list[dict[str, Any]], values: dict[str, Any], rest: list[dict[str, Any]] | None
) -> None:
    said = values if rest is None else values | {"addresses_more": rest}
    once = merge(stored(*before), said)
    assert merge(once, said) == once

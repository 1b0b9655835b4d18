"""What a bulk change does to one user."""

from typing import Any

import pytest
from bson import ObjectId

from app.bulk.decisions import Decider
from app.bulk.planning import build
from models.bulk import BulkBody, Change
from models.user import UserInput
from models.values import ALL_SCOPES
from tests.support.users import person


def stored(**more: Any) -> dict[str, Any]:
    return {"_id": ObjectId(), "version": 3} | UserInput.model_validate(person(**more)).model_dump()


def change(action: str, **words: Any) -> Change:
    return BulkBody.model_validate({"filter": {}, "change": {"action": action} | words}).change


def decide(
    asked: Change, *users: dict[str, Any], by: str | None = None, administrators: tuple[int, ...] = ()
) -> tuple[Decider, list[dict[str, Any]]]:
    """The decider and the rows; `administrators` are the places of those who can sign in."""
    those = {users[place]["_id"] for place in administrators}
    decider = Decider(asked, by=by, scopes=frozenset(ALL_SCOPES), administrators=those)
    return decider, [decider.decide(user["_id"], user, is_stored=True) for user in users]


@pytest.mark.parametrize(
    ("asked", "more", "told"),
    [
        (change("deactivate"), {}, ("/is_active", True, False)),
        (change("activate"), {"is_active": False}, ("/is_active", False, True)),
        (change("add_tags", tags=["b", "A"]), {"tags": ["a"]}, ("/tags", ["a"], ["a", "b"])),
        (change("remove_tags", tags=["A"]), {"tags": ["a", "b"]}, ("/tags", ["a", "b"], ["b"])),
        (change("add_scopes", scopes=["users:read"]), {}, ("/scopes", ["me"], ["me", "users:read"])),
        (change("remove_scopes", scopes=["me"]), {}, ("/scopes", ["me"], [])),
    ],
)
def test_a_row_has_the_whole_user_as_they_will_be_and_what_differs(
    asked: Change, more: dict[str, Any], told: tuple[str, Any, Any]
) -> None:
    user = stored(**more)
    _, [row] = decide(asked, user)
    pointer, before, after = told
    assert (row["status"], row["version"]) == ("update", 3)
    assert row["differences"] == [{"pointer": pointer, "from": before, "to": after}]
    said = {name: user[name] for name in UserInput.model_fields} | {pointer[1:]: after}
    assert row["said"] == said


@pytest.mark.parametrize(
    ("asked", "ended"),
    [
        (change("deactivate"), 1),
        (change("remove_scopes", scopes=["me"]), 1),
        (change("end_sessions"), 1),
        (change("add_scopes", scopes=["users:read"]), 0),
        (change("add_tags", tags=["a"]), 0),
    ],
)
def test_sessions_that_end_are_counted(asked: Change, ended: int) -> None:
    decider, _ = decide(asked, stored())
    assert decider.ended == ended


@pytest.mark.parametrize("action", ["deactivate", "delete"])
def test_of_all_administrators_the_last_one_stays(action: str) -> None:
    people = [stored(scopes=["users:admin"]) for _ in range(3)]
    decider, rows = decide(change(action), *people, administrators=(0, 1))
    assert [row["status"] == "error" for row in rows] == [False, True, False]  # the third has no password
    assert decider.refused == {"last_administrator": 1}


def test_a_scope_less_that_is_not_the_administrators_takes_none_away() -> None:
    boss = stored(scopes=["users:admin", "me"])
    _, [row] = decide(change("remove_scopes", scopes=["me"]), boss, administrators=(0,))
    assert row["status"] == "update"


def test_ones_own_account_is_left_alone_where_nothing_would_change() -> None:
    user = stored(is_active=False)
    decider, [row] = decide(change("deactivate"), user, by=str(user["_id"]))
    assert (row["status"], decider.refused) == ("unchanged", {})


def test_a_search_has_no_order_and_a_filter_that_of_creation() -> None:
    assert [build(filters)[0].sort for filters in ({"q": "ana"}, {"tag": ["x"]})] == [None, "created_at"]

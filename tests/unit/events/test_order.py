"""Events of a user are put in the order of versions; all others stay where they are."""

from typing import Any

from app.events.order import sort


def _row(name: str, user: str | None, version: int | None) -> dict[str, Any]:
    return {"event": name, "user": user, "version": version}


def test_versions_of_a_user_change_places_among_themselves() -> None:
    rows = [
        _row("a3", "ana", 3), _row("b1", "ben", 1), _row("a-", "ana", None), _row("a2", "ana", 2),
        _row("s", None, None), _row("a4", "ana", 4),
    ]  # fmt: skip
    assert [row["event"] for row in sort(rows)] == ["a2", "b1", "a-", "a3", "s", "a4"]


def test_nothing_is_put_in_order_of_nothing() -> None:
    assert sort([]) == []

"""Lanes: of each user only the first delivery is ever tried."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.webhooks.lanes import Lanes

_NOW = datetime(2026, 1, 31, tzinfo=UTC)


def _delivery(place: int, key: str, *, due_s: int = 0) -> dict[str, Any]:
    return {"_id": place, "position": place, "key": key, "due_at": _NOW + timedelta(seconds=due_s)}


def _take_all(lanes: Lanes, moment: datetime = _NOW) -> list[int]:
    taken = []
    while (delivery := lanes.take(moment)) is not None:
        taken.append(delivery["_id"])
    return taken


def test_each_lane_gives_its_first_delivery_and_the_next_once_that_has_ended() -> None:
    first, second, other = _delivery(1, "ana"), _delivery(2, "ana"), _delivery(3, "ben")
    lanes = Lanes([first, second, other])
    assert (_take_all(lanes), len(lanes)) == ([1, 3], 3)
    lanes.end(first)
    assert (_take_all(lanes), len(lanes)) == ([2], 2)
    lanes.end(second)
    lanes.end(other)
    assert (len(lanes), lanes.busy, lanes.next_due) == (0, frozenset(), None)


def test_a_delivery_that_is_put_off_holds_its_lane_alone_until_it_is_due() -> None:
    first, second, other = _delivery(1, "ana"), _delivery(2, "ana"), _delivery(3, "ben")
    lanes = Lanes([first, second, other])
    assert _take_all(lanes) == [1, 3]
    later = _NOW + timedelta(minutes=5)
    lanes.put_off(first, later)
    assert (_take_all(lanes), lanes.next_due) == ([], later)
    assert _take_all(lanes, later) == [1]


def test_lanes_that_are_read_anew_go_on_with_what_is_under_way() -> None:
    first = _delivery(1, "ana")
    old = Lanes([first])
    assert _take_all(old) == [1]
    lanes = Lanes([_delivery(0, "ana"), first, _delivery(2, "ben")], old.busy)
    assert _take_all(lanes) == [2]
    lanes.end(first)
    assert _take_all(lanes) == [0]
    lanes.end(_delivery(0, "ana"))
    assert len(lanes) == 1


def test_nothing_is_taken_before_it_is_due() -> None:
    lanes = Lanes([_delivery(1, "ana", due_s=10), _delivery(2, "ben", due_s=5)])
    assert _take_all(lanes) == []
    assert lanes.next_due == _NOW + timedelta(seconds=5)
    assert _take_all(lanes, _NOW + timedelta(seconds=10)) == [2, 1]

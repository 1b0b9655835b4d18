import random

import pytest

from app.core.limits.fair_queue import FairQueue


def drain(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_items_under_the_same_keys_leave_in_the_order_in_which_they_came() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in "abc":
        queue.push(item, "address", b"token")
    assert list(queue) == ["a", "b", "c"]
    assert drain(queue) == ["a", "b", "c"]


def test_addresses_take_turns_whatever_their_number_of_tokens() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(4):
        queue.push(f"flood {number}", "flooder", b"token %d" % number)
    queue.push("other 0", "other", b"")
    queue.push("other 1", "other", b"")
    assert drain(queue) == ["flood 0", "other 0", "flood 1", "other 1", "flood 2", "flood 3"]


def test_tokens_of_one_address_take_turns() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(3):
        queue.push(f"flood {number}", "gateway", b"flooder")
    queue.push("other", "gateway", b"other")
    assert drain(queue) == ["flood 0", "other", "flood 1", "flood 2"]


def test_what_is_removed_leaves_no_turn_behind() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push("gone", "address", b"token")
    queue.push("here", "other", b"token")
    queue.remove("gone", "address", b"token")
    assert (len(queue), queue.ahead("address", b"token")) == (1, 1)
    assert drain(queue) == ["here"]
    with pytest.raises(KeyError):
        queue.remove("gone", "address", b"token")


def test_no_more_leave_before_an_item_than_was_foretold() -> None:
    chance = random.Random(3)  # noqa: S311 the same every time
    for _ in range(200):
        queue: FairQueue[str] = FairQueue()
        for number in range(chance.randrange(30)):
            queue.push(str(number), chance.choice("abc"), chance.choice((b"x", b"y", b"z")))
        ahead = queue.ahead("a", b"x")
        queue.push("mine", "a", b"x")
        assert drain(queue).index("mine") <= ahead

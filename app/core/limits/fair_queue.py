"""A queue in which all senders take turns, however much one of them sends."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """A queue of items under keys, from the widest (an address) to the narrowest (a token of that address).

    The keys of each level take turns, so that a share is divided among addresses first, and the share of an
    address among its tokens. Items under the same keys leave in the order in which they came.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._below: dict[str | bytes, FairQueue[Item]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        yield from self._items
        for below in self._below.values():
            yield from below

    def push(self, item: Item, *keys: str | bytes) -> None:
        self._length += 1
        if not keys:
            self._items.append(item)
            return
        below = self._below.get(keys[0])
        if below is None:
            below = self._below[keys[0]] = FairQueue()
        below.push(item, *keys[1:])

    def pop(self) -> Item:
        self._length -= 1
        if self._items:
            return self._items.popleft()
        key = next(iter(self._below))
        below = self._below.pop(key)
        item = below.pop()
        if below:
            self._below[key] = below  # behind the others
        return item

    def remove(self, item: Item, *keys: str | bytes) -> None:
        """Take an item out; ValueError or KeyError if it is not there."""
        if not keys:
            self._items.remove(item)
        else:
            below = self._below[keys[0]]
            below.remove(item, *keys[1:])
            if not below:
                del self._below[keys[0]]
        self._length -= 1

    def ahead(self, *keys: str | bytes) -> int:
        """The most items that would leave before a new one under these keys."""
        if not keys:
            return len(self._items)
        below = self._below.get(keys[0])
        own = 0 if below is None else below.ahead(*keys[1:])
        others = len(self._below) - (below is not None)
        return min(self._length, own + (own + 1) * others)

"""What of one webhook waits to be sent: a lane for each user, of which only the first is ever tried."""

import heapq
from collections.abc import Iterable
from datetime import datetime

from app.core.mongo import Row


class Lanes:
    """Deliveries by their `key`, in the order of their places."""

    def __init__(self, waiting: Iterable[Row] = (), busy: Iterable[str] = ()) -> None:
        """`busy`: the keys whose first delivery is under way."""
        self._lanes: dict[str, list[Row]] = {}
        self._due: list[tuple[datetime, int, str]] = []
        self._busy = set(busy)
        for delivery in waiting:
            self.add(delivery)

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    @property
    def busy(self) -> frozenset[str]:
        return frozenset(self._busy)

    def add(self, delivery: Row) -> None:
        """A delivery with a later place than all of its lane."""
        lane = self._lanes.setdefault(delivery["key"], [])
        lane.append(delivery)
        if len(lane) == 1 and delivery["key"] not in self._busy:
            self._wait(delivery)

    def take(self, moment: datetime) -> Row | None:
        """One that is due; its lane is busy until `end` or `put_off`."""
        if not self._due or self._due[0][0] > moment:
            return None
        _, _, key = heapq.heappop(self._due)
        self._busy.add(key)
        return self._lanes[key][0]

    def end(self, delivery: Row) -> None:
        """The next one of its lane may be tried."""
        key = delivery["key"]
        self._busy.discard(key)
        lane = [other for other in self._lanes.pop(key, ()) if other["_id"] != delivery["_id"]]
        if lane:
            self._lanes[key] = lane
            self._wait(lane[0])

    def put_off(self, delivery: Row, due_at: datetime) -> None:
        self._busy.discard(delivery["key"])
        for waiting in self._lanes.get(delivery["key"], ()):
            if waiting["_id"] == delivery["_id"]:
                waiting.update(delivery, due_at=due_at)
        if lane := self._lanes.get(delivery["key"]):
            self._wait(lane[0])

    @property
    def next_due(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def _wait(self, delivery: Row) -> None:
        heapq.heappush(self._due, (delivery["due_at"], delivery["position"], delivery["key"]))

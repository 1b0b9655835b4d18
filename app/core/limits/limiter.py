"""A limiter: admits work that can be done in time and refuses the rest at once."""

import asyncio
from abc import ABC, abstractmethod
from contextvars import ContextVar
from time import monotonic

from app.core.limits.adaptive import QUIET, AdaptiveLimit
from app.core.limits.fair_queue import FairQueue

WAIT_S = 0.3
"""The longest expected wait in a standing queue."""
_BURST_S = 0.25
"""A queue younger than this is a burst, which ends by itself: as many may wait as fit."""

Keys = tuple[str | bytes, ...]


class Turn(ABC):
    """A piece of work that asks for a slot."""

    __slots__ = ("_limiter", "began", "is_quiet", "keys", "since", "waits")

    keys: Keys
    """The sender's keys, once it has had to wait."""

    def __init__(self, limiter: "Limiter") -> None:
        self._limiter = limiter
        self.waits = False
        self.since = 0.0
        """When it began to wait."""
        self.began: float | None = None
        """When it got its slot; None before and after."""
        self.is_quiet = False

    @abstractmethod
    def begin(self) -> None:
        """Called when it gets its slot."""

    @abstractmethod
    def refuse(self) -> None:
        """Called when it gets no slot."""

    @abstractmethod
    def find_keys(self) -> Keys:
        """The sender's keys, the address first; asked only if it has to wait."""

    def enter(self) -> None:
        """Ask for a slot: begins now or later, or is refused now."""
        if not self._limiter.enter(self):
            self.refuse()

    def leave(self) -> None:
        """Give back the slot, or the place in the queue; does nothing without either."""
        self._limiter.leave(self)


CURRENT: ContextVar[Turn | None] = ContextVar("CURRENT", default=None)
"""The turn of the current request."""


class Group:
    """Limiters that compete for one machine, as sums: each request asks for them several times."""

    __slots__ = ("in_service", "waiting_weight")

    def __init__(self) -> None:
        self.in_service = 0
        self.waiting_weight = 0
        """The weights of the limiters before which work waits."""


class Limiter:
    """Slots for work of one kind in one event loop, and a fair queue for them.

    During a burst everyone may wait. Once the queue stands, only those may whose turn would come within
    `WAIT_S`. That depends on how much they have waiting themselves, so that one sender's flood leaves the
    others their shares.

    Limiters of one group compete for the same machine: a limit is divided, by their weights, among those
    before which work waits.
    """

    def __init__(
        self,
        limit: AdaptiveLimit,
        *,
        most_waiting: int,
        longest_wait_s: float | None = None,
        sweep_s: float = 1.0,
        group: Group | None = None,
        weight: int = 1,
    ) -> None:
        """Turns that have waited for `longest_wait_s` are refused, at the next sweep."""
        self._limit = limit
        self._group = Group() if group is None else group
        self.weight = weight
        self._most_waiting = most_waiting
        self._longest_wait_s = longest_wait_s
        self._sweep_s = sweep_s
        self._queue: FairQueue[Turn] = FairQueue()
        self._stands_from = 0.0
        self._sweeps = False
        self.in_service = 0
        self.refused = 0

    @property
    def limit(self) -> int:
        return max(1, round(self._limit.value * self.weight / (self.weight + self._weigh_others())))

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def enter(self, turn: Turn) -> bool:
        """Let the turn begin now or later; False if it is refused."""
        now = monotonic()
        if self._has_slot():
            self._begin(turn, now)
            return True
        turn.keys = turn.find_keys()
        if not self._may_wait(turn.keys, now):
            self.refused += 1
            return False
        if not self._queue:
            self._stands_from = now
            self._group.waiting_weight += self.weight
        turn.since = now
        turn.waits = True
        self._queue.push(turn, *turn.keys)
        self._sweep_later()
        return True

    def would_refuse(self, keys: Keys) -> bool:
        """Whether `enter` would refuse now: ask before doing work that would be in vain."""
        return not self._has_slot() and not self._may_wait(keys, monotonic())

    def leave(self, turn: Turn) -> None:
        if turn.waits:
            turn.waits = False
            self._queue.remove(turn, *turn.keys)
            self._note_empty()
        elif turn.began is not None:
            now = monotonic()
            self.in_service -= 1
            self._group.in_service -= 1
            self._limit.observe(
                now - turn.began,
                now=now,
                quiet=turn.is_quiet,
                crowded=bool(self._queue),
                alone=not self._weigh_others(),
            )
            turn.began = None
            while self._queue and self.in_service < self.limit:
                next_turn = self._queue.pop()
                self._note_empty()
                self._begin(next_turn, now)

    async def acquire(self, keys: Keys = ()) -> Turn | None:
        """A turn that has begun, or None if it was refused."""
        turn = _AwaitedTurn(self, keys)
        turn.enter()
        try:
            return turn if await turn.begun else None
        except BaseException:
            turn.leave()
            raise

    def _has_slot(self) -> bool:
        return not self._queue and self.in_service < self.limit

    def _weigh_others(self) -> int:
        """The weights of the group's other limiters before which work waits."""
        return self._group.waiting_weight - (self.weight if self._queue else 0)

    def _note_empty(self) -> None:
        """Called after something has left the queue."""
        if not self._queue:
            self._group.waiting_weight -= self.weight

    def _begin(self, turn: Turn, now: float) -> None:
        self.in_service += 1
        self._group.in_service += 1
        turn.waits = False
        turn.is_quiet = self._group.in_service <= QUIET
        turn.began = now
        turn.begin()

    def _may_wait(self, keys: Keys, now: float) -> bool:
        if len(self._queue) >= self._most_waiting:
            return False
        if not self._queue or now - self._stands_from < _BURST_S:
            return True
        ahead = self._queue.ahead(*keys) + 1
        return ahead * self._limit.mean_s / self.limit <= WAIT_S

    def _sweep_later(self) -> None:
        if self._longest_wait_s is not None and not self._sweeps:
            self._sweeps = True
            asyncio.get_running_loop().call_later(self._sweep_s, self._sweep, self._longest_wait_s)

    def _sweep(self, longest_wait_s: float) -> None:
        """Refuse turns that have waited too long: work that hangs gives no slot back."""
        self._sweeps = False
        latest = monotonic() - longest_wait_s
        for turn in [turn for turn in self._queue if turn.since < latest]:
            turn.leave()
            self.refused += 1
            turn.refuse()
        if self._queue:
            self._sweep_later()


class _AwaitedTurn(Turn):
    __slots__ = ("_given_keys", "begun")

    def __init__(self, limiter: Limiter, keys: Keys) -> None:
        super().__init__(limiter)
        self._given_keys = keys
        self.begun: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def begin(self) -> None:
        self._answer(begins=True)

    def refuse(self) -> None:
        self._answer(begins=False)

    def find_keys(self) -> Keys:
        return self._given_keys

    def _answer(self, *, begins: bool) -> None:
        if not self.begun.done():  # cancelled meanwhile
            self.begun.set_result(begins)

"""A courier: makes deliveries of the events that one webhook wants, and sends them, in order for each user.

One process at a time has the webhook's lease. What is to be sent is stored before the webhook's place in the
log moves on, so that a courier that is killed loses nothing, and the next one begins where it was.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from bson import ObjectId
from pymongo.errors import PyMongoError

from app.core.clock import now
from app.core.mongo import Row
from app.core.query_strings import read
from app.core.sealing import BrokenSealError
from app.core.stopping import stop
from app.events import Event, Events
from app.events.lease import Lease, LeaseLostError
from app.events.selection import select
from app.listing import Listing
from app.monitoring import metrics
from app.webhooks.deliveries import PAUSES_S, Deliveries, find_pause, new
from app.webhooks.health import Health
from app.webhooks.lanes import Lanes
from app.webhooks.messages import Messages
from app.webhooks.sender import GONE, Outcome, Sender
from models.listing import ListQuery

log = structlog.get_logger("roster.webhooks")

WINDOW = 1_000
"""Deliveries that wait in memory; while there are more, the log keeps the rest."""
_READ = 200
_LOOK_S, _SHORTEST_S = 5.0, 0.01
_AGAIN = timedelta(seconds=5)
"""After which a delivery is tried again whose outcome could not be noted."""
_RESET = "events.reset"


@dataclass(frozen=True, slots=True)
class Tools:
    """What couriers share."""

    events: Events
    listing: Listing
    deliveries: Deliveries
    messages: Messages
    sender: Sender
    kept: timedelta
    pauses_s: Sequence[float] = PAUSES_S


class Courier:
    def __init__(self, tools: Tools, webhook: Row, lease: Lease, webhooks: Any) -> None:
        self._tools = tools
        self._webhook = webhook
        self._lease = lease
        self._webhooks = webhooks
        self._position = self._stored = int(webhook["position"])
        self._lanes = Lanes()
        self._is_stale = True
        self._has_more = False
        """Whether more wait than memory holds."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._health = Health()
        self._woken = asyncio.Event()

    def update(self, webhook: Row) -> None:
        """Go by what is stored of the webhook now."""
        if webhook["revision"] != self._webhook["revision"]:
            self._is_stale = True
            self._health.succeed()
            self._woken.set()
        self._webhook = webhook

    async def run(self) -> None:
        """Send until cancelled, or the lease is lost."""
        try:
            async with self._lease.renewed(), self._tools.events.feed.listening():
                while True:
                    self._woken.clear()
                    await self._reload()
                    await self._make()
                    self._start()
                    await self._rest()
        except (LeaseLostError, PyMongoError) as error:
            log.warning("webhook_left", webhook=str(self._webhook["_id"]), reason=type(error).__name__)
        finally:
            await stop(*self._tasks)

    async def _reload(self) -> None:
        """Read what waits, where somebody let old ones be delivered again, and once memory runs low."""
        is_low = self._has_more and len(self._lanes) <= WINDOW // 2
        if self._is_stale or is_low:
            self._is_stale = False
            waiting = await self._tools.deliveries.find_waiting(self._webhook["_id"], WINDOW)
            self._lanes = Lanes(waiting, self._lanes.busy)
            self._has_more = len(waiting) == WINDOW

    async def _make(self) -> None:
        """Make deliveries of the next events, while there is room, and nothing older waits beyond it."""
        while self._has_room:
            events = await self._tools.events.feed.read_after(self._position, _READ)
            if self._may_lack(events) and await self._tools.events.log.has_lost(self._position):
                events = [_reset(self._webhook["_id"], await self._tools.events.log.first_position())]
            if not events:
                return
            wanted = [event for event in events if event.type == _RESET] or await self._select(events)
            rows = [new(self._webhook["_id"], event, kept=self._tools.kept) for event in wanted]
            made = await self._tools.deliveries.add(rows) if rows else []
            self._position = events[-1].position
            if made or self._position - self._stored >= WINDOW:
                await self._keep_position()
            for delivery in made:
                self._lanes.add(delivery)

    @property
    def _has_room(self) -> bool:
        """Whether more could be sent: while a receiver hangs, the log keeps what happens."""
        is_free = len(self._tasks) < self._health.at_once
        return is_free and len(self._lanes) < WINDOW and not self._has_more

    @property
    def _may_send(self) -> bool:
        return not self._health.quiet_s and self._lease.is_sure

    def _may_lack(self, events: Sequence[Event]) -> bool:
        """Whether what follows the place is not what was read, so that it may be kept no longer."""
        following = events[0].position if events else self._tools.events.feed.last + 1
        return following != self._position + 1

    async def _keep_position(self) -> None:
        kept = await self._webhooks.update_one(self._lease.held, {"$set": {"position": self._position}})
        if not kept.matched_count:
            raise LeaseLostError
        self._stored = self._position

    async def _select(self, events: Sequence[Event]) -> list[Event]:
        """Those that the webhook asks for."""
        matching = None
        if self._webhook["filter"]:
            matching = self._tools.listing.build(read(self._webhook["filter"], ListQuery)).matching
        return await select(events, self._tools.listing, types=self._webhook["types"], matching=matching)

    def _start(self) -> None:
        while len(self._tasks) < self._health.at_once and self._may_send:
            delivery = self._lanes.take(now())
            if delivery is None:
                return
            task = asyncio.create_task(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._woken.set()
        if not task.cancelled() and task.exception() is not None:
            log.warning("delivery_not_noted", reason=type(task.exception()).__name__)
            self._is_stale = True

    async def _rest(self) -> None:
        """Until a delivery is due or done, or there is a new event."""
        due = self._lanes.next_due
        wait_s = _LOOK_S if due is None else max(0.0, (due - now()).total_seconds())
        if self._tasks and wait_s == 0:
            wait_s = _LOOK_S
        wait_s = min(_LOOK_S, max(wait_s, _SHORTEST_S, self._health.quiet_s))
        news = asyncio.create_task(self._tools.events.feed.wait(self._position, wait_s))
        woken = asyncio.create_task(self._woken.wait())
        waiting = {woken, news} if self._has_room else {woken}
        try:
            await asyncio.wait(waiting, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop(news, woken)

    async def _deliver(self, delivery: Row) -> None:
        outcome = await self._try(delivery)
        tries = delivery["tries"] + 1
        is_done = outcome.failure is None or outcome.failure == "expired"
        pause = None if is_done else find_pause(tries, outcome, self._tools.pauses_s)
        due_at = now() + (pause or _AGAIN)
        try:
            await self._note_health(outcome, is_done=is_done)
            if pause is None:
                await self._tools.deliveries.end(delivery, outcome)
            else:
                delivery = await self._tools.deliveries.put_off(delivery, outcome, due_at)
        except PyMongoError:
            self._lanes.put_off(delivery, due_at)
            raise
        _count(outcome, is_last=pause is None)
        if pause is None:
            self._lanes.end(delivery)
        else:
            self._lanes.put_off(delivery, due_at)
        await self._judge(delivery, outcome, is_last=pause is None and not is_done)

    async def _try(self, delivery: Row) -> Outcome:
        event = await self._find(delivery)
        if event is None:
            return Outcome(None, "expired", 0)
        try:
            body, headers = await self._tools.messages.write(self._webhook, event)
        except BrokenSealError:
            log.warning("webhook_sealed_under_another_secret", webhook=str(self._webhook["_id"]))
            return Outcome(None, "no_http", 0)
        return await self._tools.sender.post(self._webhook["url"], body, headers)

    async def _find(self, delivery: Row) -> Event | None:
        if delivery["type"] == _RESET:
            return _reset(delivery["webhook"], delivery["position"] + 1)
        found = await self._tools.events.feed.read_after(delivery["position"] - 1, 1)
        return found[0] if found and found[0].id == delivery["event"] else None

    async def _note_health(self, outcome: Outcome, *, is_done: bool) -> None:
        """Note how the receiver does, and since when it fails."""
        failing_since = self._webhook["failing_since"]
        if is_done:
            self._health.succeed()
            if failing_since is not None:
                await self._note({"failing_since": None})
            return
        self._health.fail(outcome.retry_after_s)
        if failing_since is None:
            await self._note({"failing_since": now()})

    async def _judge(self, delivery: Row, outcome: Outcome, *, is_last: bool) -> None:
        """Pause the webhook where its receiver is gone, or took nothing since a delivery was first tried."""
        since = self._webhook["failing_since"]
        if outcome.status == GONE:
            await self._pause("gone")
        elif is_last and since is not None and since <= (delivery["first_at"] or since):
            await self._pause("failing")

    async def _pause(self, reason: str) -> None:
        paused = {"paused_at": now(), "paused_for": reason}
        done = await self._webhooks.update_one(self._lease.held | {"paused_at": None}, {"$set": paused})
        if done.modified_count:
            metrics.WEBHOOKS_PAUSED.labels(reason).inc()
            log.warning("webhook_paused", webhook=str(self._webhook["_id"]), reason=reason)
        self._health.give_up()

    async def _note(self, fields: Row) -> None:
        self._webhook = self._webhook | fields
        with suppress(PyMongoError):
            await self._webhooks.update_one(self._lease.held, {"$set": fields})


def _reset(webhook: ObjectId, first: int) -> Event:
    """Tells that events before this place were kept no longer."""
    name = f"evt_{first:08x}{str(webhook)[-16:]}"
    return Event(first - 1, name, _RESET, now(), None, {"webhook": str(webhook)})


def _count(outcome: Outcome, *, is_last: bool) -> None:
    word = "delivered" if outcome.failure is None else "failed" if is_last else "put_off"
    metrics.WEBHOOK_DELIVERIES.labels(word).inc()

"""Webhooks: registered, changed, tried out, and what became of their deliveries."""

import secrets
from datetime import timedelta
from typing import get_args

import orjson
from bson import ObjectId
from pymongo import ReturnDocument

from app.core.clock import now
from app.core.cursors import CursorSealer
from app.core.errors import FieldError, InvalidError, TooManyWebhooksError, WebhookNotFoundError
from app.core.mongo import AWARE, Collection, Database, Row
from app.core.paging import Page, by_id, newest_first
from app.core.query_strings import read
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.events import Event, Events
from app.listing import Listing
from app.webhooks.courier import Tools
from app.webhooks.deliveries import Deliveries
from app.webhooks.keys import SigningKeys
from app.webhooks.messages import Messages
from app.webhooks.sender import Outcome, Sender, open_sender
from app.webhooks.signing import make_secret, show_secret
from models.delivery import DeliveryQuery, DeliveryState, WebhookRedelivery
from models.job import PageQuery
from models.listing import ListQuery
from models.webhook import MOST_WEBHOOKS, StoredWebhook, WebhookInput, WebhookPatch

TEST = "webhook.test"
_RESERVED = frozenset(
    {"host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding", "te",
     "trailer", "upgrade", "expect", "keep-alive", "proxy-connection"}
)  # fmt: skip
"""What the connection needs, besides all that begins with `webhook-`."""
_UNRANKED = ("q", "sort", "cursor")


class Webhooks:
    def __init__(
        self,
        database: Database,
        secret: str,
        settings: Settings,
        *,
        cursors: CursorSealer,
        events: Events,
        listing: Listing,
    ) -> None:
        self.collection: Collection = database.get_collection(
            StoredWebhook.Settings.name, codec_options=AWARE
        )
        self.keys = SigningKeys(database, secret)
        self._deliveries = Deliveries(database)
        self._sealer = Sealer(secret, "webhooks")
        self._messages = Messages(listing.users, self._sealer, self.keys)
        self._settings = settings
        self._cursors = cursors
        self._events = events
        self._listing = listing

    async def create(self, asked: WebhookInput, by: str | None) -> tuple[Row, str]:
        """The webhook and its secret. InvalidError; TooManyWebhooksError."""
        self._check(asked)
        if await self.collection.estimated_document_count() >= MOST_WEBHOOKS:
            raise TooManyWebhooksError(f"There are {MOST_WEBHOOKS} webhooks: remove one that is not used.")
        key, secret = ObjectId(), make_secret()
        webhook = {
            "_id": key,
            **self._stored(key, asked.model_dump()),
            "secrets": [self._seal(key, secret)],
            "is_active": True,
            "paused_at": None,
            "paused_for": None,
            "failing_since": None,
            "position": await self._events.log.last_position(),
            "revision": 0,
            "lease": None,
            "lease_until": None,
            "created_by": None if by is None else ObjectId(by),
            "created_at": now(),
        }
        await self.collection.insert_one(webhook)
        return webhook, show_secret(secret)

    async def page(self, asked: PageQuery) -> Page[Row]:
        return await by_id(self.collection, self._cursors, {}, asked)

    async def read(self, key: ObjectId) -> Row:
        """WebhookNotFoundError."""
        return _found(await self.collection.find_one({"_id": key}))

    async def patch(self, key: ObjectId, asked: WebhookPatch) -> Row:
        """The webhook after the change. InvalidError, WebhookNotFoundError."""
        self._check(asked)
        fields = self._stored(key, asked.model_dump(exclude_unset=True))
        if fields.get("is_active"):
            fields |= {"paused_at": None, "paused_for": None, "failing_since": None}
        return await self._change(key, {"$set": fields} if fields else {})

    async def delete(self, key: ObjectId) -> None:
        """With its deliveries. WebhookNotFoundError."""
        _found(await self.collection.find_one_and_delete({"_id": key}))
        await self._deliveries.forget(key)

    async def renew_secret(self, key: ObjectId, *, overlap_s: int) -> str:
        """A new secret; those before it sign, too, for so many seconds. WebhookNotFoundError."""
        secret, end = make_secret(), now() + timedelta(seconds=overlap_s)
        ends = {"$ifNull": ["$$each.expires_at", end]}
        older = {
            "$map": {
                "input": "$secrets",
                "as": "each",
                "in": {"sealed": "$$each.sealed", "expires_at": {"$min": [ends, end]}},
            }
        }
        living = {"$filter": {"input": older, "as": "each", "cond": {"$gt": ["$$each.expires_at", now()]}}}
        renewed = {"$concatArrays": [[self._seal(key, secret)], living]}
        await self._change(key, [{"$set": {"secrets": renewed}}])
        return show_secret(secret)

    async def test(self, key: ObjectId) -> Outcome:
        """What the receiver answers to an event of the type `webhook.test`. WebhookNotFoundError."""
        webhook = await self.read(key)
        event = Event(0, f"evt_{secrets.token_hex(12)}", TEST, now(), None, {"webhook": str(key)})
        body, headers = await self._messages.write(webhook, event)
        async with open_sender(
            allowed=self._settings.webhook_networks, timeout_s=self._settings.webhook_timeout_s
        ) as sender:
            return await sender.post(webhook["url"], body, headers)

    async def deliveries(self, key: ObjectId, asked: DeliveryQuery) -> Page[Row]:
        """A page of them, the newest first. WebhookNotFoundError."""
        await self.read(key)
        states = sorted(asked.state or get_args(DeliveryState))  # one index serves each, in order
        wanted: Row = {"webhook": key, "state": {"$in": states}}
        return await newest_first(self._deliveries.collection, self._cursors, wanted, asked, hint="log")

    async def redeliver(self, key: ObjectId, asked: WebhookRedelivery) -> int:
        """How many that have ended are delivered once more. InvalidError, WebhookNotFoundError."""
        given = asked.model_dump(exclude_none=True)
        if len(given) != 1:
            raise InvalidError("Name exactly one of `delivery`, `since` and `failed`.")
        ways: dict[str, Row] = {
            "delivery": {"_id": ObjectId(asked.delivery)},
            "since": {"created_at": {"$gte": asked.since}},
            "failed": {"state": "failed"},
        }
        wanted = ways[next(iter(given))]
        await self.read(key)
        count = await self._deliveries.renew({"webhook": key, **wanted})
        await self._change(key, {})
        return count

    async def count_failing(self) -> int:
        return await self.collection.count_documents({"failing_since": {"$ne": None}})

    def tools(self, sender: Sender) -> Tools:
        """What those who deliver need."""
        kept = timedelta(days=self._settings.events_ttl_days)
        return Tools(self._events, self._listing, self._deliveries, self._messages, sender, kept)

    async def _change(self, key: ObjectId, change: Row | list[Row]) -> Row:
        """The webhook after it, which its courier reads anew. WebhookNotFoundError."""
        if isinstance(change, list):
            change = [*change, {"$set": {"revision": {"$add": ["$revision", 1]}}}]
        else:
            change = change | {"$inc": {"revision": 1}}
        changed = await self.collection.find_one_and_update(
            {"_id": key}, change, return_document=ReturnDocument.AFTER
        )
        return _found(changed)

    def _check(self, asked: WebhookInput | WebhookPatch) -> None:
        """InvalidError names what is wrong with the filter or a header."""
        for name in asked.headers:
            if name.lower() in _RESERVED or name.lower().startswith("webhook-"):
                bad = FieldError("Is set by Roster: leave it out.", pointer=f"/headers/{name}")
                raise InvalidError("The webhook is not valid.", errors=(bad,))
        try:
            given = read(asked.filter, ListQuery)
            self._listing.build(given)
        except InvalidError as error:
            raise _wrong_filter((error.errors or (error,))[0].detail) from None
        if any(getattr(given, name) is not None for name in _UNRANKED):
            raise _wrong_filter("Only filters select events: leave `q`, `sort` and `cursor` out.")

    def _stored(self, key: ObjectId, given: Row) -> Row:
        """The fields as they are stored: what may be secret is sealed."""
        headers = given.pop("headers", None)
        if headers is not None:
            sealed = self._sealer.seal(orjson.dumps(headers), str(key).encode())
            given |= {"header_names": sorted(headers), "headers": sealed}
        return given

    def _seal(self, key: ObjectId, secret: bytes) -> Row:
        return {"sealed": self._sealer.seal(secret, str(key).encode()), "expires_at": None}


def _wrong_filter(detail: str) -> InvalidError:
    return InvalidError("The webhook is not valid.", errors=(FieldError(detail, pointer="/filter"),))


def _found(webhook: Row | None) -> Row:
    if webhook is None:
        raise WebhookNotFoundError("There is no webhook with this id.")
    return webhook

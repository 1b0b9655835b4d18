"""Replies about webhooks: what is secret of them is left out."""

from app.core.mongo import Row
from app.core.paging import Page
from app.webhooks import live
from models.delivery import DeliveryOutput, DeliveryPage
from models.webhook import NewWebhook, WebhookKey, WebhookKeys, WebhookOutput, WebhookPage

_SAME = ("url", "types", "filter", "payload", "paused_for", "failing_since", "created_at")
_TRIED = tuple(name for name in DeliveryOutput.model_fields if name not in {"id", "due_at"})


def webhook(stored: Row) -> WebhookOutput:
    state = "off" if not stored["is_active"] else "paused" if stored["paused_at"] else "active"
    return WebhookOutput(
        **{name: stored[name] for name in _SAME},
        id=str(stored["_id"]),
        headers=stored["header_names"],
        state=state,
        secrets=len(live(stored)),
        created_by=None if stored["created_by"] is None else str(stored["created_by"]),
    )


def created(stored: Row, secret: str) -> NewWebhook:
    return NewWebhook(**webhook(stored).model_dump(), secret=secret)


def page(found: Page[Row]) -> WebhookPage:
    return WebhookPage(items=list(map(webhook, found.items)), next=found.next)


def deliveries(found: Page[Row]) -> DeliveryPage:
    return DeliveryPage(items=list(map(_delivery, found.items)), next=found.next)


def keys(found: list[Row]) -> WebhookKeys:
    return WebhookKeys(keys=[WebhookKey(id=key["_id"], **_without(key, "_id", "sealed")) for key in found])


def _delivery(stored: Row) -> DeliveryOutput:
    due_at = stored["due_at"] if stored["state"] == "waiting" else None
    return DeliveryOutput(id=str(stored["_id"]), due_at=due_at, **{name: stored[name] for name in _TRIED})


def _without(stored: Row, *names: str) -> Row:
    return {name: value for name, value in stored.items() if name not in names}

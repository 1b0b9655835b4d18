"""What is posted of an event: the body in the form that the webhook asked for, and signed headers."""

import time
from collections.abc import Mapping
from typing import Any

import orjson
from bson import ObjectId

from app.core.clock import now
from app.core.errors import UserNotFoundError
from app.core.mongo import Collection, Row
from app.core.sealing import Sealer
from app.events import Event
from app.users.user_records import read
from app.webhooks.keys import SigningKeys
from app.webhooks.signing import sign

_JSON = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


class Messages:
    def __init__(self, users: Collection, sealer: Sealer, keys: SigningKeys) -> None:
        self._users = users
        self._sealer = sealer
        self._keys = keys

    async def write(self, webhook: Row, event: Event) -> tuple[bytes, dict[str, str]]:
        """Body and headers; made anew for each try, as timestamps and live secrets change."""
        more: dict[str, Any] = {}
        if webhook["payload"] == "full" and event.type.startswith("user."):
            more = {"current": await self._read_user(event)}
        body = orjson.dumps(event.payload(**more), option=_JSON)
        signed = sign(event.id, int(time.time()), body, self._open_secrets(webhook), await self._keys.read())
        own: Mapping[str, str] = orjson.loads(self._sealer.open(webhook["headers"], _name(webhook)))
        return body, {**own, "Content-Type": "application/json", **signed}

    async def _read_user(self, event: Event) -> Row | None:
        try:
            row = await read(self._users, ObjectId(event.user))
        except UserNotFoundError:
            return None
        return {"id": str(row.pop("_id")), **row}

    def _open_secrets(self, webhook: Row) -> list[bytes]:
        return [self._sealer.open(each["sealed"], _name(webhook)) for each in live(webhook)]


def live(webhook: Row) -> list[Row]:
    """The secrets that sign, the newest first."""
    moment = now()
    return [each for each in webhook["secrets"] if each["expires_at"] is None or each["expires_at"] > moment]


def _name(webhook: Row) -> bytes:
    """What secrets are sealed for: those of one webhook open for no other."""
    return str(webhook["_id"]).encode()

"""The stored record of a mail: how it is made, sealed and opened."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from beanie import PydanticObjectId

from app.core.clock import now
from app.core.mongo import AWARE, Collection, Database, Row
from app.core.sealing import BrokenSealError, Sealer
from app.mail.mails import Mail
from app.monitoring.logs import REQUEST_ID
from models.mail import StoredMail

TRIED_FOR = timedelta(days=3)
"""As long as mail servers try (RFC 5321, section 4.5.4.1: four or five days; nobody waits that long here)."""
KEPT_FOR = timedelta(days=14)
"""From when it was asked for, whatever became of it."""


def collection(database: Database) -> Collection:
    return database.get_collection(StoredMail.Settings.name, codec_options=AWARE)


def read(document: Row) -> StoredMail:
    stored: StoredMail = StoredMail.model_validate(document)
    return stored


def new(mail: Mail, sealer: Sealer, *, domain: str) -> dict[str, Any]:
    """As it is stored, due at once; its Message-ID is of the domain."""
    moment = now()
    _id = PydanticObjectId()
    stored = StoredMail(
        id=_id,
        kind=mail.kind,
        to=mail.to,
        user=None if mail.user_id is None else PydanticObjectId(mail.user_id),
        language=mail.language,
        sealed=sealer.seal(orjson.dumps([mail.name, dict(mail.values)]), _id.binary),
        message_id=f"<{_id}@{domain}>",
        due_at=moment,
        good_until=_end(moment, mail.good_until),
        request_id=REQUEST_ID.get(),
        created_at=moment,
        expires_at=moment + KEPT_FOR,
    )
    document: dict[str, Any] = stored.model_dump(exclude={"id", "revision_id"})
    return {"_id": _id} | document


def _end(moment: datetime, good_until: datetime | None) -> datetime:
    latest = moment + TRIED_FOR
    return latest if good_until is None else min(latest, good_until)


def unseal(stored: StoredMail, sealer: Sealer) -> Mail:
    """BrokenSealError: it was sealed under another secret, or says nothing any more."""
    if stored.sealed is None:
        raise BrokenSealError
    name, values = orjson.loads(sealer.open(stored.sealed, stored.id.binary))
    user_id = None if stored.user is None else str(stored.user)
    return Mail(stored.kind, stored.to, stored.language, values, user_id, name, stored.good_until)

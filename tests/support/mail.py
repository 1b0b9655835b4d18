"""What tests of mail share: the outbox of a service, and what waits in it."""

from typing import Any

import httpx

from app.mail import Mail, Outbox, mail_records
from models.mail import StoredMail
from tests.support.jobs import backends


def outbox_of(client: httpx.AsyncClient) -> Outbox:
    return backends(client).outbox


async def stored_mails(client: httpx.AsyncClient, **wanted: Any) -> list[StoredMail]:
    """The oldest first."""
    found = await outbox_of(client).mails.find(wanted).sort("_id").to_list()
    return [StoredMail.model_validate(document) for document in found]


async def read_mails(client: httpx.AsyncClient, **wanted: Any) -> list[Mail]:
    """What waits to be sent, opened, the oldest first; `wanted` filters the documents (`kind="activate"`)."""
    waiting = await stored_mails(client, **{"state": "waiting"} | wanted)
    return [mail_records.unseal(each, outbox_of(client).sealer) for each in waiting]

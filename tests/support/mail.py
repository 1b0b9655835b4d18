"""What tests of mail share: the outbox of a service, and what waits in it."""

from typing import Any

import httpx

from app.mail import Mail, Outbox, mail_records
from models.mail import StoredMail
from tests.support.jobs import backends
from tests.support.users import until


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


def mail(to: str = "ana@example.com", **more: Any) -> Mail:
    values = {"link": "https://users.example.com/auth/mail/verify_email?token=abc", "hours": "24"}
    return Mail(**{"kind": "verify_email", "to": to, "language": "en", "values": values} | more)


async def post(client: httpx.AsyncClient, *mails: Mail) -> list[str]:
    """Queue mails and tell the workers; the ids."""
    known = {each.id for each in await stored_mails(client)}
    for each in mails:
        await outbox_of(client).add(each)
    await outbox_of(client).wake()
    return [str(each.id) for each in await stored_mails(client) if each.id not in known]


async def reached(client: httpx.AsyncClient, number: int = 1, **wanted: Any) -> list[StoredMail]:
    """The mails, once so many are as `wanted` (`state="sent"`)."""

    async def is_reached() -> bool:
        return await outbox_of(client).mails.count_documents(wanted) == number

    await until(is_reached)
    return await stored_mails(client, **wanted)


async def let_time_pass(client: httpx.AsyncClient) -> None:
    """Make all that waits due now, as the end of a delay or claim would."""
    await outbox_of(client).mails.update_many({"state": "waiting"}, [{"$set": {"due_at": "$$NOW"}}])
    await outbox_of(client).wake()

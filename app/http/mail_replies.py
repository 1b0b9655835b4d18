"""Replies about mails, which never hold what they say."""

from app.core.paging import Page
from models.mail import MailOutput, MailPage, StoredMail


def describe(found: StoredMail) -> MailOutput:
    return MailOutput(
        id=str(found.id),
        kind=found.kind,
        state=found.state,
        to=found.to,
        user=None if found.user is None else str(found.user),
        language=found.language,
        message_id=found.message_id,
        tries=found.tries,
        reason=found.reason,
        created_at=found.created_at,
        due_at=found.due_at if found.state == "waiting" else None,
        sent_at=found.sent_at,
    )


def mails(found: Page[StoredMail]) -> MailPage:
    return MailPage(items=list(map(describe, found.items)), next=found.next)

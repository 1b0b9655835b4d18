"""Compares what arrived with what was sent."""

from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from typing import Any, Final

from app.core.settings import Settings
from app.mail import Mail
from app.mail.messages import Messages

SENDER: Final = "Roster <roster@mta.example>"


def compare(mails: Sequence[Mail], arrived: Sequence[EmailMessage], settings: Settings) -> Iterator[str]:
    """A sentence for each mail that is missing, came twice, or came otherwise than it was written."""
    messages = Messages(settings)
    found: dict[tuple[str, str], EmailMessage] = {}
    for message in arrived:
        key = _key(message)
        if key in found:
            yield f"{key} arrived twice."
        found[key] = message
    for mail in mails:
        sent = messages.compose(mail, message_id="<1@mta.example>", sent_at=arrived[0]["Date"].datetime)
        if (key := _key(sent)) in found:
            yield from _differences(mail, sent, found[key])
        else:
            yield f"{mail.kind} in {mail.language} to {mail.to} did not arrive."


def _key(message: EmailMessage) -> tuple[str, str]:
    return str(message["To"]), str(message["Subject"])


def _differences(mail: Mail, sent: EmailMessage, arrived: EmailMessage) -> Iterator[str]:
    where = f"{mail.kind} in {mail.language} to {mail.to}"
    if arrived["Return-Path"] != "<roster@mta.example>" or "Postfix" not in str(arrived["Received"]):
        yield f"{where} came another way: {arrived['Return-Path']}, {arrived['Received']}."
    for name in ("From", "To", "Subject", "Auto-Submitted"):
        if str(arrived[name]) != str(sent[name]):
            yield f"{where} has another {name}: {arrived[name]}."
    if arrived.defects or [_content(part) for part in arrived.iter_parts()] != [
        _content(part) for part in sent.iter_parts()
    ]:
        yield f"{where} has other parts."


def _content(part: Any) -> tuple[str, str]:
    return part.get_content_type(), part.get_content()


def judge_refusal(stored: Mapping[str, Any] | None, state: str, reason: str) -> Iterator[str]:
    """Of a mail that the server did not take."""
    found = (stored or {}).get("state"), str((stored or {}).get("reason"))
    if found[0] != state or not found[1].startswith(reason):
        yield f"A mail that is answered {reason} should be {state}, and is {found[0]}: {found[1]}."

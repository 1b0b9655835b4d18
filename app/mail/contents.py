"""What a mail of each kind must be told, and samples of it; what it says then is in the catalogue."""

from collections.abc import Mapping
from typing import Final

from app.core.catalogue import Language
from app.mail.mails import Mail
from models.mail import MailKind

MINUTES: Final = {"days": 24 * 60, "hours": 60, "minutes": 1}
"""The units in which a mail may be told how long its link is good."""

NEEDS: Final[Mapping[MailKind, frozenset[str]]] = {
    "verify_email": frozenset({"link", "lasts"}),
    "reset_password": frozenset({"link", "lasts"}),
    "activate": frozenset({"link", "lasts"}),
    "change_email": frozenset({"link", "lasts"}),
    "email_changed": frozenset({"link", "lasts"}),
    "email_replaced": frozenset(),
    "password_changed": frozenset({"when"}),
    "registered_again": frozenset(),
    "invitation": frozenset({"link", "lasts"}),
    "new_device": frozenset({"when", "device"}),
    "sessions_ended": frozenset({"when"}),
    "export_done": frozenset({"link"}),
    "export_shared": frozenset({"link"}),
    "import_done": frozenset({"link"}),
    "bulk_done": frozenset({"link"}),
}
"""`lasts` is a number of one of the units, `when` a time (ISO 8601).

All may be told a `name`, those with a link its `code`, and notices that a person can turn off the link by
which they do: `unsubscribe`.
"""

PARTS: Final = ("subject", "text", "button", "note")
"""What each says: the text `mail_KIND.PART`; some have no note."""

PAGES: Final[Mapping[MailKind, str]] = {
    "email_replaced": "/auth/sign-in",
    "password_changed": "/auth/forgotten",
    "registered_again": "/auth/forgotten",
    "new_device": "/auth/forgotten",
    "sessions_ended": "/auth/sign-in",
}
"""Where the link leads of those that need none."""

_LINKS: Final[Mapping[MailKind, str]] = {
    "email_changed": "/auth/mail/take_back_email?token=",
    "invitation": "/auth/sign-up?invitation=",
    "export_done": "/auth/results?job=",
    "export_shared": "/auth/results?job=",
    "import_done": "/auth/results?job=",
    "bulk_done": "/auth/results?job=",
}
_CODED: Final[frozenset[MailKind]] = frozenset({"verify_email", "reset_password", "activate", "change_email"})
_SAMPLES: Final = {
    "lasts": {"hours": "24"},
    "when": {"when": "2026-11-30T09:05:00+00:00"},
    "device": {"device": "Firefox, Linux"},
}


def find_lacking(mail: Mail) -> set[str]:
    """What its kind needs and the mail is not told."""
    told = mail.values.keys() | ({"lasts"} if mail.values.keys() & MINUTES.keys() else set())
    return set(NEEDS[mail.kind] - told)


def sample(kind: MailKind, language: Language, *, issuer: str) -> Mail:
    """A mail to somebody who does not exist, with all that one of its kind may be told."""
    link = (
        f"{issuer}{_LINKS.get(kind, f'/auth/mail/{kind}?token=')}sample-of-a-token-that-opens-nothing-at-all"
    )
    name = "张伟" if language == "zh" else "Ana Pérez"
    values = {"name": name} | ({"code": "042137"} if kind in _CODED else {})
    for need in NEEDS[kind]:
        values |= _SAMPLES.get(need, {"link": link})
    return Mail(kind, "ana@example.com", language, values, name=name)

"""A mail as those ask for it who cause it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.catalogue import Language
from models.mail import MailKind


@dataclass(frozen=True, slots=True)
class Mail:
    kind: MailKind
    to: str
    language: Language
    values: Mapping[str, str]
    """What its template is told; sealed in MongoDB, erased once it is sent."""
    user_id: str | None = None
    """Whom it is about: a mail that can never arrive is noted in their trail."""
    name: str | None = None
    """What its To calls them."""
    good_until: datetime | None = None
    """When its code or link expires: it is not sent later. None: it is tried for three days."""

"""Mail: an outbox in MongoDB, what mails say, and how they reach a mail server."""

from app.mail.links import url
from app.mail.mails import Mail
from app.mail.outbox import Outbox

__all__ = ["Mail", "Outbox", "url"]

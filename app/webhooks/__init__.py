"""Webhooks: events posted to other services, signed, in order for each user, again until they are taken.

They follow the Standard Webhooks specification (ADR 71).
"""

from app.webhooks.couriers import delivering
from app.webhooks.messages import live
from app.webhooks.sender import Outcome, open_sender
from app.webhooks.webhooks import Webhooks

__all__ = ["Outcome", "Webhooks", "delivering", "live", "open_sender"]

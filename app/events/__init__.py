"""Events: each change that others may care about, at its place in one log, and how readers follow it.

What is written anyway, in the transaction of the change (the audit trail's entry, the end of a session or of
a job), is what an event is made of. One relay follows it and gives each event its place (ADR 70).
"""

from app.events.event import Event
from app.events.events import Events
from app.events.feed import Feed
from app.events.log import EventLog
from app.events.relay import relaying

__all__ = ["Event", "EventLog", "Events", "Feed", "relaying"]

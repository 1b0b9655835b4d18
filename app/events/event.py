"""An event as readers get it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.mongo import Row
from models.event import CONTRACT


@dataclass(frozen=True, slots=True)
class Event:
    position: int
    """Its place in the log."""
    id: str
    type: str
    """One of the contract's; what is sent alone, and stands in no log, has types of its own."""
    at: datetime
    user: str | None
    """The user it is about, or whose session it was; events of one user are in the order of versions."""
    data: dict[str, Any]

    @classmethod
    def read(cls, row: Row) -> "Event":
        user = None if row["user"] is None else str(row["user"])
        return cls(row["_id"], row["event"], row["type"], row["at"], user, row["data"])

    @property
    def key(self) -> str:
        """What events must stay in order of: the user, group, job or webhook."""
        return str(self.user or next(iter(self.data.values())))

    def payload(self, **more: Any) -> dict[str, Any]:
        """What is sent, as the contract says; `more` goes into its data."""
        return {
            "id": self.id,
            "type": self.type,
            "timestamp": self.at,
            "contract": CONTRACT,
            "data": {**self.data, **more},
        }

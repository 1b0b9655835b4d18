"""What the script `list` answers of a session."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from app.auth.sessions.outcomes import Session


class Entry(NamedTuple):
    """Its fields in the script's order, as Redis has them."""

    sid: str
    client_id: str
    scopes: str
    created_at: str
    used_at: str
    expires_at: str
    address: str
    agent: str
    grants: list[str]
    """`client:registration` each; no client's id has a colon."""
    registration: str | None
    counter: str
    generation: str
    epoch: str

    def clients(self) -> list[tuple[str, str]]:
        """The client of each grant, and its registration."""
        pairs = (grant.partition(":") for grant in self.grants)
        return [(client, registration) for client, _, registration in pairs]

    def session(self, registered: Mapping[str, str]) -> Session:
        """`registered`: the registrations of clients; those of others have no grants any more."""
        living = {client for client, registration in self.clients() if registered.get(client) == registration}
        return Session(
            id=self.sid,
            client_id=self.client_id,
            scopes=self.scopes.split(),
            created_at=time_of(self.created_at),
            used_at=time_of(self.used_at),
            expires_at=time_of(self.expires_at),
            address=self.address,
            agent=self.agent,
            clients=sorted(living),
        )


def time_of(milliseconds: str | int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)

"""What some operations need to succeed and no generator guesses: a password, a session, a user who stays."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Successes:
    """Puts it into cases that are meant to be valid."""

    username: str
    password: str
    visitor: str
    """Id of a user whose sessions are there to be ended."""
    sessions: list[str]
    """Of the visitor; each can be ended once."""
    people: list[str]
    """Ids of users to replace, each once: those of the cases are mostly deleted when their turn comes."""
    tokens: list[str]
    """Of the visitor, too."""
    openid_token: str
    """An access token with the scope openid, which only browsers get."""
    consents: list[str]
    """Ids of clients whom visitor and callers let have something, to be withdrawn once by each."""
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    """By operation, parameters of its path: the id of a mail that was not delivered, say."""
    bodies: dict[str, dict[str, str]] = field(default_factory=dict)
    """By operation, a body with the code of a mail, which is good once."""

    def enable(self, operation: str, parameters: dict[str, Any], body: Any) -> None:
        """Change both in place, where the operation (method and path) is one of those."""
        if operation == "DELETE /users/{user_id}/sessions/{session_id}" and self.sessions:
            parameters |= {"user_id": self.visitor, "session_id": self.sessions.pop()}
        if operation == "PUT /users/{user_id}" and self.people:
            parameters["user_id"] = self.people.pop()
        if operation.startswith("DELETE") and "/consents/" in operation and self.consents:
            known = {"user_id": self.visitor} if "user_id" in parameters else {}
            parameters |= known | {"client_id": self.consents.pop()}
        if not isinstance(body, dict):
            return
        if operation == "POST /auth/token" and body.get("grant_type") == "password":
            body.clear()
            body |= {"grant_type": "password", "username": self.username, "password": self.password}
        if operation in {"POST /users/me/password", "POST /users/me/email"}:
            self._prove(body)

    def _prove(self, body: dict[str, Any]) -> None:
        for name in ("current_password", "new_password"):
            if isinstance(body.get(name), str):
                body[name] = self.password
                body.pop(f"{name}_jwe", None)

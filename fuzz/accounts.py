"""Somebody who may call: how they are made, and how they sign in."""

from dataclasses import dataclass

import httpx

PASSWORD = "a staple for the fuzzer"  # noqa: S105  # it guards sample people, for minutes
_SCOPES = ("me", "users:read", "users:write", "users:export")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of the directory who signs in."""

    name: str
    id: str
    email: str
    password: str
    username: str | None = None
    """The name for signing in; None: the e-mail."""

    @property
    def form(self) -> dict[str, str]:
        """The form that signs the account in."""
        return {
            "grant_type": "password",
            "username": self.username or self.email,
            "password": self.password,
        }


def create(caller: httpx.Client, name: str, *, username: str | None = None) -> Account:
    """By an administrator."""
    email = f"{name}@fuzz.example.com"
    user = {"name": name.title(), "email": email, "username": username, "scopes": _SCOPES}
    made = caller.post("/users", json=user).raise_for_status().json()
    caller.put(f"/users/{made['id']}/password", json={"password": PASSWORD}).raise_for_status()
    return Account(name, made["id"], email, PASSWORD, username)


def find_token(caller: httpx.Client, account: Account, *scopes: str) -> str:
    """An access token of a new session, through the front door."""
    form = account.form
    if scopes:
        form["scope"] = " ".join(scopes)
    reply = caller.post("/auth/token", data=form).raise_for_status()
    return str(reply.json()["access_token"])


def sign_in(url: str, account: Account, *scopes: str) -> httpx.Client:
    """A client of the service that is signed in; with all the account's scopes if none is named."""
    with httpx.Client(base_url=url, timeout=60) as caller:
        token = find_token(caller, account, *scopes)
    return httpx.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {token}"})

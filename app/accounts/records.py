"""What signing in needs to know of a user, read and written without touching his version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from app.normalise import canonical, email_key, phone_key, typed_email_key
from app.resources import Resources
from app.users.records import now

_LONGEST_NAME = 1024
"""Characters; nobody's name is as long, however it is composed. Normalising may take their square in time."""

_WANTED = dict.fromkeys(("email", "name", "username", "phone", "is_active", "scopes", "credentials"), 1)


@dataclass(frozen=True, slots=True)
class Account:
    user_id: str
    email: str
    about: tuple[str | None, ...]
    """What his password may not be: name, e-mail, username, phone."""
    is_active: bool
    scopes: frozenset[str]
    password_hash: str | None
    generation: int

    @property
    def key(self) -> str:
        """Under which wrong passwords are counted when it is known whose they are."""
        return email_key(self.email)


def identify(typed: str) -> tuple[str, str]:
    """The field that an e-mail, a phone or a username may be found in, and its canonical form there.

    None can be taken for another: no username holds an @ or begins with a +. What is too long is as nothing,
    which nobody has.
    """
    text = typed.strip() if len(typed) <= _LONGEST_NAME else ""
    if "@" in text:
        return "keys.email", typed_email_key(text)
    if text.startswith(("+", "＋")):
        return "phone", phone_key(text)
    return "keys.username", canonical(text)


async def find(opened: Resources, field: str, value: str) -> Account | None:
    return _account(await opened.users.find_one({field: {"$eq": value, "$type": "string"}}, _WANTED))


async def read(opened: Resources, user_id: str) -> Account | None:
    return _account(await opened.users.find_one({"_id": ObjectId(user_id)}, _WANTED))


def _account(row: Mapping[str, Any] | None) -> Account | None:
    if row is None:
        return None
    credentials = row.get("credentials") or {}
    return Account(
        user_id=str(row["_id"]),
        email=row["email"],
        about=(row["name"], row["email"], row.get("username"), row.get("phone")),
        is_active=row.get("is_active") is True,
        scopes=frozenset(row.get("scopes") or ()),
        password_hash=credentials.get("password_hash"),
        generation=int(credentials.get("generation", 0)),
    )


async def note_sign_in(opened: Resources, account: Account, address: str, rehashed: str | None) -> None:
    """The last sign-in; and a better hash, unless the password was changed meanwhile."""
    seen = {"last_login_at": now(), "last_login_ip": address or None}
    await opened.users.update_one({"_id": ObjectId(account.user_id)}, {"$set": seen})
    if rehashed is not None:
        await opened.users.update_one(
            {"_id": ObjectId(account.user_id), "credentials.password_hash": account.password_hash},
            {"$set": {"credentials.password_hash": rehashed}},
        )


async def store_password(opened: Resources, account: Account, password_hash: str) -> bool:
    """The new hash, and the end of all sessions; False if the password was changed since it was read."""
    async with opened.sessions.ending(account.user_id) as ending:
        changed = await opened.users.find_one_and_update(
            {"_id": ObjectId(account.user_id), "credentials.password_hash": account.password_hash},
            {"$set": {"credentials.password_hash": password_hash}, "$inc": {"credentials.generation": 1}},
            {"credentials.generation": 1},
            return_document=True,
        )
        if changed is not None:
            ending.generation = changed["credentials"]["generation"]
    return changed is not None

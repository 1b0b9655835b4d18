"""The fields of users that signing in needs, read and written without a new version."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from bson import ObjectId
from pydantic import BaseModel, ConfigDict, ValidationError
from pymongo.asynchronous.client_session import AsyncClientSession
from redis.exceptions import RedisError

from app import audit
from app.accounts.auth import Auth
from app.audit.write import Author
from app.core.catalogue import LANGUAGES, Language, find_language
from app.core.clock import now
from app.core.normalise import canonical, typed_email_key
from app.database.transactions import together
from app.mail import Mail
from app.users.rows import UNREADABLE
from models import phones
from models.mail import MailKind
from models.texts import trim

log = structlog.get_logger()

_LONGEST_NAME = 1024
"""Characters; no name is as long in any composition. Normalising may take quadratic time."""

_WANTED = dict.fromkeys(
    ("email", "email_verified", "name", "username", "phone", "locale", "is_active", "scopes", "credentials"),
    1,
)


@dataclass(frozen=True, slots=True)
class Account:
    user_id: str
    name: str
    email: str
    is_verified: bool
    """Whether mail to the e-mail has reached them."""
    locale: str | None
    about: tuple[str | None, ...]
    """Texts that their password may not be: name, e-mail, username, phone."""
    is_active: bool
    scopes: frozenset[str]
    password_hash: str | None
    generation: int

    @property
    def is_pending(self) -> bool:
        """Whether nobody has shown yet who they are: the e-mail is not verified, and there is no password."""
        return self.is_active and not self.is_verified and self.password_hash is None

    @property
    def key(self) -> str:
        """The key under which wrong passwords are counted, whichever name was typed."""
        return key_of(self.user_id)

    def mail(self, kind: MailKind, asked: Language | None, **values: str) -> Mail:
        """A mail to their e-mail, in their own language, else in the one that was asked in."""
        language = find_language(self.locale) or asked or LANGUAGES[0]
        told = {"name": self.name, **values}
        return Mail(kind, self.email, language, told, user_id=self.user_id, name=self.name)


def key_of(user_id: str) -> str:
    """The key of an account; no key of a name is equal to it."""
    return f"id:{user_id}"


def key_of_nobody(name: str) -> str:
    """The key under which wrong passwords are counted for a canonical name without an account."""
    return f"name:{name}"


def identify(typed: str, region: str | None = None) -> dict[str, str]:
    """The fields in which a typed name may be found, each with its canonical form.

    They cannot be confused: no username contains @ or begins with +. A national number of the region may also
    be a username, which goes first. A name that is too long counts as empty, which nobody has.
    """
    text = trim(typed) if len(typed) <= _LONGEST_NAME else ""
    if "@" in text:
        return {"keys.email": typed_email_key(text)}
    if text.startswith(("+", "＋")):
        return {"phone": phones.key(text)}
    number = phones.find(text, region) if region is not None else None
    national = {"phone": number.e164} if number is not None and number.wrong is None else {}
    return {"keys.username": canonical(text), **national}


async def find_named(auth: Auth, names: Mapping[str, str]) -> Account | None:
    """The account that the first of `identify`'s names finds."""
    for field, value in names.items():
        if (account := await find(auth, field, value)) is not None:
            return account
    return None


async def find(auth: Auth, field: str, value: str) -> Account | None:
    return _account(await auth.users.collection.find_one({field: {"$eq": value, "$type": "string"}}, _WANTED))


async def read(auth: Auth, user_id: str, session: AsyncClientSession | None = None) -> Account | None:
    found = await auth.users.collection.find_one({"_id": ObjectId(user_id)}, _WANTED, session=session)
    return _account(found)


async def read_all(auth: Auth, ids: Sequence[str]) -> dict[str, Account]:
    """Those of these users who exist, by id."""
    wanted = {"_id": {"$in": list(map(ObjectId, ids))}}
    found = [_account(row) async for row in auth.users.collection.find(wanted, _WANTED)]
    return {account.user_id: account for account in found if account is not None}


class _Credentials(BaseModel):
    model_config = ConfigDict(strict=True)

    password_hash: str | None = None
    generation: int = 0


class _Stored(BaseModel):
    """The fields of an account, strictly typed."""

    model_config = ConfigDict(strict=True)

    email: str
    email_verified: bool = False
    name: str
    username: str | None = None
    phone: str | None = None
    locale: str | None = None
    is_active: bool
    scopes: list[str]
    credentials: _Credentials | None = None


def _account(row: Mapping[str, Any] | None) -> Account | None:
    """The account of a row; None also where it is malformed, which other routes leave out, too."""
    if row is None:
        return None
    try:
        return account_of(row)
    except ValidationError as wrong:
        UNREADABLE.inc()
        field = ".".join(map(str, wrong.errors(include_input=False)[0]["loc"]))
        log.warning("unreadable_row", id=str(row["_id"])[:64], field=field)
        return None


def account_of(row: Mapping[str, Any]) -> Account:
    """The account of a sound row; without credentials in it, that of a user who has none."""
    stored = _Stored.model_validate(row)
    credentials = stored.credentials or _Credentials()
    return Account(
        user_id=str(row["_id"]),
        name=stored.name,
        email=stored.email,
        is_verified=stored.email_verified,
        locale=stored.locale,
        about=(stored.name, stored.email, stored.username, stored.phone),
        is_active=stored.is_active,
        scopes=frozenset(stored.scopes),
        password_hash=credentials.password_hash,
        generation=credentials.generation,
    )


async def note_sign_in(auth: Auth, account: Account, address: str, agent: str) -> None:
    await auth.notices.signed_in(account.user_id, address=address, agent=agent)
    seen = {"last_login_at": now(), "last_login_ip": address or None}
    await auth.users.collection.update_one({"_id": ObjectId(account.user_id)}, {"$set": seen})
    auth.sign_ins.count("succeeded")


async def improve_hash(auth: Auth, account: Account, rehashed: str) -> None:
    """Store a better hash of the same password, unless that was changed meanwhile."""
    await auth.users.collection.update_one(
        {"_id": ObjectId(account.user_id), "credentials.password_hash": account.password_hash},
        {"$set": {"credentials.password_hash": rehashed}},
    )


async def store_password(
    auth: Auth,
    account: Account,
    password_hash: str,
    author: Author,
    first: Callable[[AsyncClientSession], Awaitable[None]] | None = None,
    *,
    language: Language | None = None,
) -> bool:
    """Store a new hash, end all sessions, lift the account's throttle, and tell the address of the change.

    False if the password was changed or the sessions were ended since the account was read. `first` is
    done in the same transaction. `language` is that of the notice, where the account has none.
    """
    whom = ObjectId(account.user_id)
    unchanged = {
        "_id": whom,
        "credentials.password_hash": account.password_hash,
        "credentials.generation": account.generation or {"$in": [0, None]},
    }

    async def write(session: AsyncClientSession) -> int | None:
        if first is not None:
            await first(session)
        changed = await auth.users.collection.find_one_and_update(
            unchanged,
            {"$set": {"credentials.password_hash": password_hash}, "$inc": {"credentials.generation": 1}},
            {"credentials.generation": 1},
            return_document=True,
            session=session,
        )
        if changed is None:
            return None
        told = audit.write.entry(author, "password_set", whom, differences=audit.write.SECRET)
        await audit.write.add(auth.database, [told], session)
        if account.password_hash is not None:
            notice = account.mail("password_changed", language, when=now().isoformat())
            await auth.outbox.add(notice, session)
        return int(changed["credentials"]["generation"])

    async with auth.sessions.ending(account.user_id) as ending:
        ending.generation = await together(auth.database.client, write)
    if ending.generation is None:
        return False
    await auth.outbox.wake()
    with contextlib.suppress(RedisError):  # the password is set; the throttle lasts a minute at most
        await auth.throttle.lift_account(account.key)
    return True

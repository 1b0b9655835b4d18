"""Codes that are sent by mail: what is shown with one proves that its mailbox can be read.

Each is a token of 256 bits for a link and, beside it, six digits that people type. Both are stored as hashes.
A code dies with use, with time, with the next of its purpose, with the user's generation (a changed password,
a sign-out everywhere) and with a change of the address. Digits die after five tries from anywhere.

A public request for a code must not tell whether a user has the address, so it writes as much for nobody
(`pretend`). Trying digits costs the same reads and the same counts whether there is a code or not.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import DESCENDING
from pymongo.asynchronous.client_session import AsyncClientSession

from app.auth.throttles import Quota, Quotas, Throttle
from app.core import sealing, secret_codes
from app.core.clock import now
from app.core.errors import FieldError, InvalidCodeError, InvalidError
from app.core.mongo import AWARE, Collection, Database, Row
from app.core.normalise import email_key, typed_email_key
from models.mail import Purpose
from models.mail_code import StoredMailCode
from models.values import LONGEST_EMAIL

TRIES = 5
_TRIES_A_DAY = 20
"""Of one address, over all codes that were sent to it: a year of them guesses one of 137 accounts."""
_DAY_S = 86_400
_DIGITS = 6
_OUTLIVES: frozenset[Purpose] = frozenset({"take_back_email"})
"""Purposes whose code neither a new password nor another change of address ends: a thief would make them."""
_EITHER = FieldError(pointer="/token", detail="Must be given, or email and code, but not both.")
_FILLER = {"filler": "x" * 512}


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody brings of a mail: the token of its link, or the address it went to and its digits."""

    token: str | None = None
    email: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A new code, which is nowhere else in clear."""

    token: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a living code proves: that the mailbox of `email` was read for this purpose."""

    user_id: str
    email: str
    purpose: Purpose
    data: Mapping[str, str]
    place: str
    digest: str


class MailCodes:
    """Issues codes, finds those that live, and lets each be used once."""

    def __init__(
        self, database: Database, users: Collection, throttle: Throttle, quotas: Quotas, secret: str
    ) -> None:
        self._codes = database.get_collection(StoredMailCode.Settings.name, codec_options=AWARE)
        self._users = users
        self._throttle = throttle
        self._quotas = quotas
        self._key = sealing.derive(secret, "mail codes")

    async def issue(
        self,
        purpose: Purpose,
        *,
        user_id: str,
        email: str,
        generation: int,
        ttl_s: int,
        data: Mapping[str, str] | None = None,
        with_code: bool = True,
        bound_to: str | None = None,
        session: AsyncClientSession | None = None,
    ) -> IssuedCode:
        """A new code to be sent to `email`; the earlier one of this purpose and user dies.

        `generation`: that of the user as they were read for this. `bound_to`: the user's own address, where
        `email` is another.
        """
        outlives = purpose in _OUTLIVES
        return await self._put(
            self._place(purpose, user_id, email_key(email) if outlives else ""),
            {
                "purpose": purpose,
                "user": ObjectId(user_id),
                "email": email,
                "email_key": email_key(email),
                "generation": None if outlives else generation,
                "bound_to": None if outlives else email_key(bound_to or email),
                "data": dict(data or {}),
            },
            ttl_s=ttl_s,
            with_code=with_code,
            session=session,
        )

    async def find_issued(self, purpose: Purpose, ids: Sequence[str], since: datetime) -> set[str]:
        """Those of these users whose living code of this purpose was issued since then."""
        users = {"user": {"$in": list(map(ObjectId, ids))}}
        found = self._codes.find(users | _living((purpose,)) | {"issued_at": {"$gte": since}}, {"user": 1})
        return {str(stored["user"]) async for stored in found}

    async def pretend(self, about: str, session: AsyncClientSession) -> None:
        """Write as much as a code and its mail take; nothing finds it, and MongoDB soon drops it.

        Those `about` the same get in each other's way, as the codes of one user do.
        """
        for place in (self._place("nobody", about), str(ObjectId())):
            filler = {"user": ObjectId(), "data": _FILLER}
            await self._put(place, filler, ttl_s=0, with_code=True, session=session)

    async def find(self, purpose: Purpose, token: str) -> Proof | None:
        """What the token of a link proves, if it lives; it is not used."""
        return await self._find((purpose,), token)

    async def check(self, purposes: Purpose | Sequence[Purpose], given: Given, *, address: str) -> Proof:
        """What a token, or an address and digits, prove; before the transaction of what they allow.

        Digits count at once, for all who try them; wrong ones also on the address. InvalidError;
        InvalidCodeError, the same for all reasons; ThrottledError.
        """
        either = (purposes,) if isinstance(purposes, str) else purposes
        match given:
            case Given(str(token), None, None):
                return _alive(await self._find(either, token))
            case Given(None, str(email), str(code)):
                async with self._throttle.refusals("mail_codes", address):
                    return _alive(await self._try(either, email, code.replace(" ", "")))
        raise InvalidError("Send either token, or email and code.", errors=(_EITHER,))

    async def use(self, proof: Proof, session: AsyncClientSession) -> Proof:
        """Use up what was checked, in the transaction of what it allows: of many at once one succeeds.

        InvalidCodeError if it was used, replaced or made void meanwhile.
        """
        stored = await self._codes.find_one_and_delete(
            _living((proof.purpose,)) | {"_id": proof.place, "token": proof.digest}, session=session
        )
        return _alive(await self._prove(stored, session))

    async def forget(self, user_id: str, session: AsyncClientSession | None = None) -> None:
        """End all codes of a user, also those that outlive a new password."""
        await self._codes.delete_many({"user": ObjectId(user_id)}, session=session)

    async def _put(
        self,
        place: str,
        held: Mapping[str, Any],
        *,
        ttl_s: int,
        with_code: bool,
        session: AsyncClientSession | None,
    ) -> IssuedCode:
        token = secret_codes.make()
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}" if with_code else None
        digest = secret_codes.digest(token)
        document = dict(held) | {
            "token": digest,
            "code": None if code is None else self._sign(digest, code),
            "issued_at": now(),
            "expires_at": now() + timedelta(seconds=ttl_s),
        }
        await self._codes.replace_one({"_id": place}, document, upsert=True, session=session)
        return IssuedCode(token, code)

    async def _find(self, purposes: Sequence[Purpose], token: str) -> Proof | None:
        living = _living(purposes) | {"token": secret_codes.digest(token)}
        return await self._prove(await self._codes.find_one(living))

    async def _try(self, purposes: Sequence[Purpose], email: str, code: str) -> Proof | None:
        """The try is counted before the digits are compared, and forgotten where they are right."""
        key = typed_email_key(email[:LONGEST_EMAIL])
        typed = _living(purposes) | {"email_key": key}
        tried = await self._codes.find_one(typed, sort=[("expires_at", DESCENDING)])
        digest = tried["token"] if tried is not None else self._place(*purposes, key)
        quotas = (Quota(f"code:{digest}", TRIES, _DAY_S), Quota("codes", _TRIES_A_DAY, _DAY_S))
        is_allowed = await self._quotas.take(key, quotas)
        expected = (tried["code"] if tried is not None else None) or ""
        if not hmac.compare_digest(self._sign(digest, code), expected) or not is_allowed:
            return None
        await self._quotas.forget(key, quotas)
        return await self._prove(tried)

    async def _prove(self, stored: Row | None, session: AsyncClientSession | None = None) -> Proof | None:
        """The proof, if the user is still as the code binds them."""
        if stored is None:
            return None
        bound: dict[str, Any] = {"_id": stored["user"], "is_active": True}
        if stored["generation"] is not None:
            bound["credentials.generation"] = stored["generation"] or {"$in": [0, None]}
        if stored["bound_to"] is not None:
            bound["keys.email"] = stored["bound_to"]
        if await self._users.find_one(bound, {"_id": 1}, session=session) is None:
            return None
        return Proof(
            user_id=str(stored["user"]),
            email=stored["email"],
            purpose=stored["purpose"],
            data=stored["data"],
            place=stored["_id"],
            digest=stored["token"],
        )

    def _place(self, *parts: str) -> str:
        return hmac.digest(self._key, "\n".join(parts).encode(errors="surrogatepass"), "sha256").hex()

    def _sign(self, digest: str, code: str) -> str:
        """Signed with the token's hash, as equal digits of two codes must not have equal hashes."""
        return hmac.digest(self._key, f"{digest} {code}".encode(errors="surrogatepass"), "sha256").hex()


def _living(purposes: Sequence[Purpose]) -> dict[str, Any]:
    return {"purpose": {"$in": list(purposes)}, "expires_at": {"$gt": now()}}


def _alive(proof: Proof | None) -> Proof:
    if proof is None:
        raise InvalidCodeError
    return proof

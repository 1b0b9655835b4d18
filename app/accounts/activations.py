"""Activations: links by which users who were created by others set their first password."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, TypeVar

import bson
import orjson
from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit
from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.accounts.mailed_codes import send
from app.auth.access_tokens import Claims
from app.core.catalogue import Language
from app.core.clock import now
from app.core.errors import InactiveUserError, UserNotFoundError
from app.database.transactions import together
from app.jobs import Job, Jobs, Run
from app.listing import Listing, build
from app.listing.queries import Query
from models.listing import Filter, OrderedQuery

T = TypeVar("T")
_TOGETHER = 50
"""Mails of one transaction, which has the time of one operation."""
_FIRST_BATCH_S = 60.0


async def send_activation(auth: Auth, user_id: str, *, by: Claims, language: Language) -> None:
    """Mail a link by which the user sets a password, also to an address that others gave them.

    MailOffError; UserNotFoundError; InactiveUserError.
    """
    auth.outbox.check()
    account = await account_records.read(auth, user_id)
    if account is None:
        raise UserNotFoundError("There is no user with this id.")
    if not account.is_active:
        raise InactiveUserError("The user may not sign in: activate them first (`is_active`).")
    await _send_together(auth, [account], by.user_id, language)
    await auth.outbox.wake()


async def send_activations(
    auth: Auth, ids: Sequence[str], *, by: Claims, language: Language
) -> list[dict[str, Any]]:
    """The same for many: a status for each, in order."""
    auth.outbox.check()
    found = await account_records.read_all(auth, [user_id.lower() for user_id in ids])
    active = [account for account in found.values() if account.is_active]
    for some in _batches(active):
        await _send_together(auth, some, by.user_id, language)
    await auth.outbox.wake()
    return [{"id": user_id, "status": _status(found.get(user_id.lower()))} for user_id in ids]


def _status(account: Account | None) -> int:
    if account is None:
        return UserNotFoundError.status
    return 202 if account.is_active else InactiveUserError.status


class Activations:
    """Activations of all users that a filter finds, by a job."""

    def __init__(self, auth: Auth, jobs: Jobs, listing: Listing) -> None:
        self._auth = auth
        self._jobs = jobs
        self._listing = listing

    async def submit(self, asked: Filter, *, by: Claims, language: Language) -> Job:
        """The queued job, for those who have no password yet. MailOffError; InvalidError."""
        self._auth.outbox.check()
        filters = asked.model_dump(mode="json", exclude_unset=True)
        _query(filters)
        content = {
            "filter": filters,
            "language": language,
            "since": now(),
        }
        return await self._jobs.submit(
            "activations", orjson.dumps(content).decode(), result=None, by=by.user_id
        )

    async def run(self, run: Run) -> None:
        """The job; begun again, it passes over those whom it has sent a link already."""
        content = orjson.loads(run.subject)
        since = datetime.fromisoformat(content["since"])
        done = 0
        rows = self._listing.stream(_query(content["filter"]), None, {"_id": 1}, first_s=_FIRST_BATCH_S)
        async with aclosing(rows):
            async for batch in rows:
                ids = [str(row["_id"]) for row in bson.decode_all(batch)]
                for some in _batches(ids):
                    accounts = await self._find_unsent(some, since)
                    await _send_together(self._auth, accounts, run.by, content["language"])
                    await self._auth.outbox.wake()
                    done += len(some)
                    await run.progress(done)

    async def _find_unsent(self, ids: Sequence[str], since: datetime) -> list[Account]:
        found = await account_records.read_all(self._auth, ids)
        sent = await self._auth.mail_codes.find_issued("activate", ids, since)
        return [
            account
            for account in found.values()
            if account.is_active and account.password_hash is None and account.user_id not in sent
        ]


def _query(filters: Mapping[str, Any]) -> Query:
    return build(OrderedQuery.model_validate(filters))


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[first : first + _TOGETHER] for first in range(0, len(items), _TOGETHER))


async def _send_together(auth: Auth, accounts: Sequence[Account], by: str | None, language: Language) -> None:
    async def write(session: AsyncClientSession) -> None:
        for account in accounts:
            await send(auth, account, "activate", language=language, session=session)

    if accounts:
        await together(auth.database.client, write)
    for account in accounts:
        audit.log.record("activation_sent", user_id=account.user_id, by=by)

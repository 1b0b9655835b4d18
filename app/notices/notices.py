"""Decides who is told what, and puts the mail into the transaction of what happened."""

from collections.abc import Mapping
from typing import Any, Final

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.audit.write import Entry
from app.core.catalogue import LANGUAGES, find_language
from app.core.clock import now
from app.core.mongo import Database
from app.core.settings import Settings
from app.database.transactions import together
from app.mail import Mail, Outbox, url
from app.notices.devices import Devices, name_device
from models.job import Job, JobKind
from models.mail import MailKind
from models.values import Scope

_WANTED = dict.fromkeys(("email", "email_verified", "name", "locale", "is_active"), 1)
_OF_JOBS: Mapping[JobKind, MailKind] = {
    "export": "export_done",
    "import_apply": "import_done",
    "bulk_apply": "bulk_done",
}


_EXPORT: Final[Scope] = "users:export"


class Notices:
    def __init__(self, database: Database, outbox: Outbox, secret: str, settings: Settings) -> None:
        self._users = database["users"]
        self._outbox = outbox
        self._settings = settings
        self._devices = Devices(database, secret)

    async def signed_in(self, user_id: str, *, address: str, agent: str) -> None:
        """Remember the device; the user is told unless they are known to use it, or have used none yet."""
        if not self._sends("new_device"):
            return
        place = self._devices.place(user_id, address, agent)
        if await self._devices.is_known(place):
            return

        async def write(session: AsyncClientSession) -> None:
            if await self._devices.note(user_id, place, session):
                values = {"when": now().isoformat(), "device": name_device(agent) or address}
                await self._tell(user_id, "new_device", values, session)

        await together(self._users.database.client, write)
        await self._outbox.wake()

    async def sessions_ended(self, entries: list[Entry], session: AsyncClientSession) -> None:
        """Tell the users of these entries, in whose transaction this is, that they are signed out."""
        if self._sends("sessions_ended"):
            for entry in entries:
                await self._tell(str(entry["user"]), "sessions_ended", {"when": now().isoformat()}, session)

    async def job_ended(self, job: Job, session: AsyncClientSession) -> None:
        """Tell who asked for it, and the recipients of its file, in the transaction that ends the job."""
        values = {"link": url(self._settings, "/auth/results", job=str(job.id))}
        kind = _OF_JOBS.get(job.kind)
        if kind is not None and job.by is not None and job.notify:
            await self._tell(job.by, kind, values, session, is_asked_for=True)
        for user_id in job.recipients if job.state == "succeeded" else ():
            if not (user_id == job.by and job.notify):
                await self._tell(user_id, "export_shared", values, session, is_asked_for=True, scope=_EXPORT)

    def _sends(self, kind: MailKind) -> bool:
        return self._outbox.is_on and self._settings.mail_notices in {"all", kind}

    async def _tell(
        self,
        user_id: str,
        kind: MailKind,
        values: Mapping[str, str],
        session: AsyncClientSession,
        *,
        is_asked_for: bool = False,
        scope: Scope | None = None,
    ) -> None:
        """Nobody learns of an account by an address that was only claimed to be its user's.

        `scope`: what a user must have to be told.
        """
        user: Mapping[str, Any] | None = await self._users.find_one(
            {"_id": ObjectId(user_id), "is_active": True} | ({"scopes": scope} if scope else {}),
            _WANTED,
            session=session,
        )
        if user is None or not (is_asked_for or user.get("email_verified")):
            return
        mail = Mail(
            kind=kind,
            to=user["email"],
            language=find_language(user.get("locale")) or LANGUAGES[0],
            values={"name": user["name"], **values},
            user_id=user_id,
            name=user["name"],
        )
        await self._outbox.add(mail, session)

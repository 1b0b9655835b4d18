"""Schedules of exports, stored in MongoDB; cronsim computes the times of runs for taskiq's scheduler."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import structlog
from bson import ObjectId
from cronsim import CronSim, CronSimError
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.clock import now
from app.core.cursors import CursorSealer
from app.core.errors import FieldError, InvalidError, JobNotFoundError, ScheduleNotFoundError
from app.core.mongo import AWARE, Row
from app.core.paging import Page, newest_first
from app.database.connections import Connections
from app.database.transactions import together
from app.exports.stored_exports import Exports, check
from app.jobs import Jobs, Viewer
from models.export_job import ExportBody
from models.job import PageQuery
from models.schedule import PLACEHOLDER, ScheduleInput, SchedulePatch

log = structlog.get_logger("roster.jobs")

EXPORT = "users:export"
_FIELDS = 5
_SAID = ("name", "cron", "timezone", "destination", "recipients", "is_active")
_TIMING = frozenset({"cron", "timezone", "is_active"})
_SOON = timedelta(minutes=2)
_MOST_DUE = 1_000


def find_next(cron: str, timezone: str, after: datetime) -> datetime:
    """The time of the next run. InvalidError: no cron expression, no time zone, or a day that never comes.

    As in Debian's cron, a run in an hour that the clocks skip comes right after it, and none comes twice.
    """
    if timezone not in _timezones():
        raise _invalid("timezone", "Must be a name of the IANA database, such as Europe/Berlin.")
    if len(cron.split()) != _FIELDS:
        raise _invalid("cron", "Must have five fields: minute, hour, day of month, month, day of week.")
    try:
        found = next(CronSim(cron, after.astimezone(ZoneInfo(timezone))))
    except CronSimError as error:
        raise _invalid(
            "cron", f"Must be a cron expression, such as 30 6 * * MON; this has a {error}."
        ) from None
    except StopIteration:
        raise _invalid("cron", "Must name a day that exists.") from None
    return found.astimezone(UTC)


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _invalid(field: str, detail: str) -> InvalidError:
    return InvalidError("The schedule is not valid.", errors=(FieldError(detail, pointer=f"/{field}"),))


class Schedules:
    """The schedules of exports: create, find, list, change, delete and run."""

    def __init__(self, connections: Connections, jobs: Jobs, exports: Exports, cursors: CursorSealer) -> None:
        self._client = connections.database.client
        self._users = connections.users
        self._schedules = connections.database.get_collection("schedules", codec_options=AWARE)
        self._jobs = jobs
        self._exports = exports
        self._cursors = cursors

    async def create(self, body: ScheduleInput, *, by: str) -> dict[str, Any]:
        """A new schedule. InvalidError: no valid cron expression, time zone or export; MailOffError."""
        self._jobs.check_notice(notify=body.export.notify)
        await self._check_delivery(body)
        due = find_next(body.cron, body.timezone, datetime.now(UTC))
        document = {
            "_id": ObjectId(),
            "by": by,
            **{name: getattr(body, name) for name in _SAID},
            "export": _export(body.export),
            "created_at": now(),
            "next_run_at": due if body.is_active else None,
            "last_run_at": None,
            "last_skipped_at": None,
            "last_job": None,
            "last_export": None,
        }
        await self._schedules.insert_one(document)
        return document

    async def find(self, schedule_id: ObjectId, viewer: Viewer) -> dict[str, Any]:
        """One schedule. ScheduleNotFoundError: unknown, deleted, or not for the viewer."""
        document = await self._schedules.find_one({"_id": schedule_id, **viewer.filter})
        if document is None:
            raise _not_found()
        return document

    async def page(self, asked: PageQuery, viewer: Viewer) -> Page[Row]:
        """A page of schedules, the newest first."""
        return await newest_first(self._schedules, self._cursors, viewer.filter, asked)

    async def change(self, schedule_id: ObjectId, body: SchedulePatch, viewer: Viewer) -> dict[str, Any]:
        """The schedule after a patch; a new time counts from now."""
        changes = {name: getattr(body, name) for name in _SAID if name in body.model_fields_set}
        if "export" in body.model_fields_set:
            self._jobs.check_notice(notify=body.export.notify)
            changes["export"] = _export(body.export)
        await self._check_delivery(body)
        return await together(
            self._client,
            lambda session: self._change(schedule_id, changes, viewer, session),
        )

    async def _change(
        self,
        schedule_id: ObjectId,
        changes: dict[str, Any],
        viewer: Viewer,
        session: AsyncClientSession,
    ) -> dict[str, Any]:
        wanted = {"_id": schedule_id, **viewer.filter}
        found = await self._schedules.find_one(wanted, session=session)
        if found is None:
            raise _not_found()
        new = found | changes
        due = find_next(new["cron"], new["timezone"], datetime.now(UTC))
        if changes.keys() & _TIMING:
            new["next_run_at"] = due if new["is_active"] else None
        await self._schedules.replace_one({"_id": schedule_id}, new, session=session)
        return new

    async def delete(self, schedule_id: ObjectId, viewer: Viewer) -> None:
        """Delete a schedule; its exports stay until they expire."""
        done = await self._schedules.delete_one({"_id": schedule_id, **viewer.filter})
        if not done.deleted_count:
            raise _not_found()

    async def find_due(self) -> list[tuple[ObjectId, datetime]]:
        """The schedules that are due or nearly due, with their times."""
        wanted = {"is_active": True, "next_run_at": {"$lte": datetime.now(UTC) + _SOON}}
        found = self._schedules.find(wanted, {"next_run_at": 1}).sort("next_run_at").limit(_MOST_DUE)
        return [(schedule["_id"], schedule["next_run_at"]) for schedule in await found.to_list()]

    async def start(self, schedule_id: ObjectId, due: datetime) -> str | None:
        """The job of a run that is due now, to be announced; None if there is nothing to do.

        Only one of several schedulers gets it, as the job and the next time are written together. Runs missed
        while no scheduler ran are made up for once. A schedule whose maker may no longer export is
        deactivated.
        """
        return await together(self._client, lambda session: self._start(schedule_id, due, session))

    async def _start(self, schedule_id: ObjectId, due: datetime, session: AsyncClientSession) -> str | None:
        now = datetime.now(UTC)
        wanted = {"_id": schedule_id, "is_active": True, "next_run_at": due}
        schedule = await self._schedules.find_one(wanted, session=session)
        if schedule is None or due > now:
            return None
        body: dict[str, Any] = {"next_run_at": find_next(schedule["cron"], schedule["timezone"], now)}
        made = None
        if not await self._may_export(schedule["by"], session):
            log.warning("scheduled_export_stopped", schedule=str(schedule_id), by=schedule["by"])
            body = {"is_active": False, "next_run_at": None}
        elif await self._is_under_way(schedule):
            log.warning("scheduled_export_skipped", schedule=str(schedule_id), due=due.isoformat())
            body["last_skipped_at"] = due
        else:
            asked = ExportBody.model_validate(schedule["export"])
            key = f"{schedule_id}@{due.isoformat()}"
            made = await self._exports.add(
                asked,
                session,
                by=schedule["by"],
                schedule=schedule_id,
                key=key,
                recipients=schedule.get("recipients", []),
                destination=_find_destination(schedule, due),
            )
            body |= {"last_run_at": due, "last_job": made.document["job"], "last_export": made.id}
        await self._schedules.update_one(wanted, {"$set": body}, session=session)
        return None if made is None else str(made.document["job"])

    async def _check_delivery(self, body: ScheduleInput | SchedulePatch) -> None:
        """InvalidError: a destination or recipient that may not be; MailOffError."""
        if body.destination is not None:
            self._exports.places.check(body.destination)
        self._jobs.check_notice(notify=bool(body.recipients))
        wanted = {"_id": {"$in": list(map(ObjectId, body.recipients))}, "is_active": True, "scopes": EXPORT}
        known = {str(user["_id"]) async for user in self._users.find(wanted, {"_id": 1})}
        detail = f"Must be the id of an active user with {EXPORT}."
        unknown = tuple(
            FieldError(detail, pointer=f"/recipients/{place}")
            for place, user_id in enumerate(body.recipients)
            if user_id not in known
        )
        if unknown:
            raise InvalidError("The schedule is not valid.", errors=unknown)

    async def _may_export(self, user_id: str, session: AsyncClientSession) -> bool:
        """Whether the schedule's maker may still export."""
        wanted = {"_id": ObjectId(user_id), "is_active": True, "scopes": EXPORT}
        return await self._users.find_one(wanted, {"_id": 1}, session=session) is not None

    async def _is_under_way(self, schedule: dict[str, Any]) -> bool:
        if schedule["last_job"] is None:
            return False
        try:
            return not (await self._jobs.find(schedule["last_job"])).has_ended
        except JobNotFoundError:
            return False


def _find_destination(schedule: Row, due: datetime) -> str | None:
    """Where a run leaves its file; the date and time are those of the schedule's time zone."""
    pattern: str | None = schedule.get("destination")
    if pattern is None:
        return None
    local = due.astimezone(ZoneInfo(schedule["timezone"]))
    values = {"date": f"{local:%Y-%m-%d}", "time": f"{local:%H%M}"}
    return PLACEHOLDER.sub(lambda found: values[found[1]], pattern)


def _export(asked: ExportBody) -> dict[str, Any]:
    """The export as it is stored. InvalidError names what is wrong in the schedule's body."""
    try:
        check(asked)
    except InvalidError as error:
        below = tuple(FieldError(bad.detail, pointer=f"/export{bad.pointer}") for bad in error.errors)
        raise InvalidError(error.detail, errors=below) from None
    return asked.model_dump(mode="json", exclude_unset=True)


def _not_found() -> ScheduleNotFoundError:
    return ScheduleNotFoundError("There is no schedule with this id, or it is not yours.")

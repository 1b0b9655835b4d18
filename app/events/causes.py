"""What events are made of: entries of the trail, ends of sessions and jobs, pauses of webhooks."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from app.auth.sessions import user_of
from app.core.mongo import Row
from models.event import TYPES
from models.job import ENDED, JobKind

_QUIET: frozenset[JobKind] = frozenset({"logout_notice"})
"""Jobs that nobody asked for."""
_ENDING = frozenset({"deleted", "password_set", "signed_out"})
CHANGES: list[Row] = [
    {"ns.coll": {"$in": ["audit", "ended_sessions"]}, "operationType": "insert"},
    {
        "ns.coll": "jobs",
        "operationType": "update",
        "updateDescription.updatedFields.state": {"$in": sorted(ENDED)},
    },
    {
        "ns.coll": "webhooks",
        "operationType": "update",
        "updateDescription.updatedFields.paused_at": {"$type": "date"},
    },
]
"""The changes that events are made of; any of them."""


def make(change: Mapping[str, Any]) -> Row | None:
    """The event of a change of the stream, without its place; None where it makes none."""
    document = change.get("fullDocument")
    if document is None:  # of an update: deleted meanwhile
        return None
    written = change.get("updateDescription", {}).get("updatedFields", {})
    return MAKERS[change["ns"]["coll"]]({**document, **written}, change["clusterTime"].as_datetime())


def _of_entry(entry: Row, _at: datetime) -> Row | None:
    group = entry.get("group")
    kind = f"{'user' if group is None else 'group'}.{entry['action']}"
    if kind not in TYPES:
        return None
    about = {
        "version": entry["version"],
        "fields": [each["pointer"] for each in entry["differences"]],
    }
    made = {"by": _text(entry["by"]), "via": entry["via"]}
    if group is not None:
        return _event(
            "entry",
            entry["_id"],
            kind,
            entry["at"],
            {"group": str(group), "member": _text(entry["user"]), **about, **made},
        )
    user = entry["user"]
    data = {"user": str(user), **about, "ends_sessions": _ends(entry), **made}
    return _event("entry", entry["_id"], kind, entry["at"], data, user=user, version=entry["version"])


def _of_session(ended: Row, at: datetime) -> Row | None:
    sid = ended["_id"]
    user = user_of(sid)
    if user is None:
        return None
    data = {"user": user, "session": sid, "reason": ended["reason"]}
    return _event("session", sid, "session.ended", at, data, user=ObjectId(user))


def _of_job(job: Row, _at: datetime) -> Row | None:
    if job["kind"] in _QUIET or job["state"] not in ENDED:
        return None
    data = {"job": str(job["_id"]), "kind": job["kind"], "state": job["state"], "by": job["by"]}
    return _event("job", job["_id"], "job.ended", job["ended_at"], data)


def _of_webhook(webhook: Row, _at: datetime) -> Row | None:
    if webhook.get("paused_at") is None:  # it goes on already
        return None
    cause = f"{webhook['_id']} {webhook['paused_at'].timestamp()}"
    data = {"webhook": str(webhook["_id"]), "reason": webhook["paused_for"]}
    return _event("webhook", cause, "webhook.paused", webhook["paused_at"], data)


MAKERS: Mapping[str, Callable[[Row, datetime], Row | None]] = {
    "audit": _of_entry,
    "ended_sessions": _of_session,
    "jobs": _of_job,
    "webhooks": _of_webhook,
}
"""By the collection; each takes the document and when it was written."""


def _event(
    source: str,
    cause: Any,
    kind: str,
    at: datetime,
    data: dict[str, Any],
    *,
    user: ObjectId | None = None,
    version: int | None = None,
) -> Row:
    name = hashlib.sha256(f"{source} {cause}".encode()).hexdigest()[:24]
    return {"event": f"evt_{name}", "type": kind, "at": at, "user": user, "version": version, "data": data}


def _ends(entry: Row) -> bool:
    """Whether it ends the user's sessions, as `app.users.changes.ends` decides it."""
    if entry["action"] in _ENDING:
        return True
    told = {each["pointer"]: each for each in entry["differences"]}
    active, scopes = told.get("/is_active"), told.get("/scopes")
    return entry["action"] == "changed" and (
        (active is not None and not active["to"])
        or (scopes is not None and not {*(scopes["from"] or ())} <= {*(scopes["to"] or ())})
    )


def _text(value: ObjectId | None) -> str | None:
    return None if value is None else str(value)

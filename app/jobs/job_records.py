"""The stored record of a job, and who may see it.

Leases, delays and ends follow MongoDB's clock (`$$NOW`), which all workers share. An index of
`app.database.indexes` deletes a job once it has expired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.clock import now
from app.core.mongo import AWARE, Collection, Database
from models.job import Job, JobKind, JobState

FREE: dict[str, Any] = {
    "$or": [
        {"state": "queued", "$expr": {"$lte": ["$not_before", "$$NOW"]}},
        {"state": "running", "$expr": {"$lt": ["$lease_until", "$$NOW"]}},
    ]
}
"""A job that may be taken: one that is due, or whose lease has lapsed."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller who asks for jobs and files: they see their own, an administrator sees all."""

    user_id: str
    is_admin: bool

    @property
    def filter(self) -> dict[str, Any]:
        return {} if self.is_admin else {"by": self.user_id}


def collection(database: Database) -> Collection:
    return database.get_collection("jobs", codec_options=AWARE)


def read(document: dict[str, Any]) -> Job:
    job: Job = Job.model_validate(document)
    return job


def new(
    kind: JobKind,
    subject: str,
    *,
    result: str | None,
    by: str | None,
    request_id: str,
    total: int | None = None,
    key: str | None = None,
    notify: bool = False,
    recipients: Sequence[str] = (),
) -> dict[str, Any]:
    """As it is stored; without a `key` where it has none, which the unique index asks for."""
    moment = now()
    job = Job(
        kind=kind,
        subject=subject,
        result=result,
        by=by,
        request_id=request_id,
        total=total,
        key=key,
        notify=notify,
        recipients=[*recipients],
        not_before=moment,
        sent_at=moment,
        created_at=moment,
    )
    unset = set() if key is not None else {"key"}
    stored: dict[str, Any] = job.model_dump(exclude={"id", "revision_id", *unset})
    return {"_id": job.id} | stored


def ended(
    state: JobState, ttl_ms: int, error: dict[str, Any] | None = None, **values: Any
) -> list[dict[str, Any]]:
    """The update that ends a job; unless it succeeded, its key is free for another."""
    fields = {name: {"$literal": value} for name, value in {**values, "state": state, "error": error}.items()}
    changes: list[dict[str, Any]] = [
        {
            "$set": fields
            | {
                "lease": None,
                "lease_until": None,
                "ended_at": "$$NOW",
                "expires_at": {"$add": ["$$NOW", ttl_ms]},
                "revision": {"$add": ["$revision", 1]},
            }
        }
    ]
    return changes if state == "succeeded" else [*changes, {"$unset": "key"}]

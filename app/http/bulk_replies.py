"""Replies about bulk changes."""

from typing import Any

from fastapi import Response

from app.core.mongo import Row
from app.core.paging import Page
from app.http import import_replies, languages, replies
from app.imports import ImportView
from models.bulk import (
    BulkList,
    BulkLoss,
    BulkOutput,
    BulkPlan,
    BulkRefusal,
    Change,
    ScopesChange,
    StandingChange,
    TagsChange,
)

_STORED = (
    "rows", "counts", "plan_job", "apply_job", "created_at", "planned_at", "applied_at", "expires_at",
)  # fmt: skip


def plan(shown: ImportView, page: Page[Row], reply: Response, *, status: int = 200) -> BulkPlan:
    """The bulk change with these rows; with Location if it is new or not planned yet."""
    import_replies.place(shown.document, reply, status)
    items = list(map(import_replies.describe_row, page.items))
    return BulkPlan(**_describe(shown), items=items, next=page.next)


def listed(found: Page[ImportView]) -> BulkList:
    return BulkList(items=[BulkOutput(**_describe(shown)) for shown in found.items], next=found.next)


def _describe(shown: ImportView) -> dict[str, Any]:
    document = shown.document
    asked, reverts = document["bulk"], document.get("reverts")
    return {name: document[name] for name in _STORED} | {
        "id": str(document["_id"]),
        "state": shown.state,
        "change": _change(asked["change"]),
        "filter": asked["filter"],
        "reverts": str(reverts) if reverts is not None else None,
        "refused": [BulkRefusal(code=code, users=users) for code, users in asked.get("refused", {}).items()],
        "irreversible": _losses(document["counts"], asked.get("ended", 0)),
        "revert_until": asked.get("revert_until", document["expires_at"]),
        "problem": None if shown.job is None else replies.problem(shown.job),
        "created_by": document["by"],
    }


def _change(stored: dict[str, Any] | None) -> Change | None:
    """As it is stored, without the checks of a request: what is there can be shown, whatever it holds."""
    if stored is None:
        return None
    kind = TagsChange if "tags" in stored else ScopesChange if "scopes" in stored else StandingChange
    return kind.model_construct(**stored)


def _losses(counts: dict[str, int], ended: int) -> list[BulkLoss]:
    gone = counts["delete"] + counts["deleted"]
    users, sessions = languages.say(
        "Users who are deleted cannot be brought back.", "Sessions that end stay ended: users sign in again."
    )
    found = (
        BulkLoss(what="users", users=gone, detail=users),
        BulkLoss(what="sessions", users=ended, detail=sessions),
    )
    return [each for each in found if each.users]

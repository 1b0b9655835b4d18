"""Bulk changes: one object with all verbs. They are imports without a file, whose rows a filter finds."""

from datetime import datetime, timedelta
from typing import Any, cast

from bson import ObjectId

from app.bulk.planning import Planner, build, too_many
from app.core.cursors import CursorSealer
from app.core.errors import InsufficientScopeError
from app.database.connections import Connections
from app.files import Files
from app.imports import Imports
from app.imports.applying import Applier
from app.imports.import_records import BULK, ImportRecords
from app.imports.import_views import Views
from app.imports.reverting import Reverter
from app.imports.submitting import Submitter
from app.jobs import Job, Jobs
from app.listing import Listing
from app.users import Users
from app.users.authority import ADMIN
from models.bulk import BulkBody, Change, TagsChange
from models.imports import ImportQuery


class Bulk:
    def __init__(
        self,
        connections: Connections,
        *,
        files: Files,
        jobs: Jobs,
        users: Users,
        listing: Listing,
        imports: Imports,
        cursors: CursorSealer,
    ) -> None:
        self._settings = connections.settings
        self._listing = listing
        records = ImportRecords(connections.database, BULK)
        applier = Applier(connections, records, jobs, users)
        views = Views(records, files, jobs, cursors, applier.settle)
        self.find, self.page, self.list_all = views.find, views.page, views.list_all
        self.cancel, self.delete = views.cancel, views.delete
        self._submitter = Submitter(connections, files, jobs)
        self.revert = Reverter(records, views, self._submitter).submit
        self.plan = Planner(connections, records, listing, imports).plan
        self.begin, self.apply = applier.begin, applier.apply

    async def submit(
        self, asked: BulkBody, *, by: str | None, scopes: frozenset[str]
    ) -> tuple[ObjectId, Job]:
        """Submit a bulk change and the job that plans it, for a caller who may write users.

        InsufficientScopeError where only administrators may; TooManyUsersError; InvalidError of the filter.
        """
        _check_scope(asked.change, scopes)
        filters = None if asked.ids else asked.filter.model_dump(mode="json", exclude_unset=True)
        total = len(asked.ids) if filters is None else await self._count(filters)
        document = self._submitter.make_document(ImportQuery(), by=by, scopes=scopes)
        document |= {
            "file": None,
            "heading": [],
            "columns": [],
            "bulk": {
                "change": asked.change.model_dump(),
                "filter": filters,
                "ids": list(dict.fromkeys(map(ObjectId, asked.ids))),
                "revert_until": self._find_end_of_trail(document),
            },
        }
        return document["_id"], await self._submitter.keep(document, total=total)

    def _find_end_of_trail(self, document: dict[str, Any]) -> datetime:
        """Until when rows and trail are there for sure."""
        days, expires_at = self._settings.audit_ttl_days, cast("datetime", document["expires_at"])
        return min(expires_at, document["created_at"] + timedelta(days=days)) if days else expires_at

    async def _count(self, filters: dict[str, Any]) -> int | None:
        """How many there are, if that can be counted quickly. Too many are refused, else while planning."""
        query, q = build(filters)
        self._listing.build(query)
        known = await self._listing.count(query) if q is None else None
        if known is not None and known > self._settings.bulk_max_users:
            raise too_many(self._settings.bulk_max_users)
        return known


def _check_scope(change: Change, scopes: frozenset[str]) -> None:
    """What one user's rights and sessions need, many users' do, too."""
    if ADMIN not in scopes and change.action != "delete" and not isinstance(change, TagsChange):
        raise InsufficientScopeError(ADMIN, f"`{change.action}` needs {ADMIN}, as it does for one user.")

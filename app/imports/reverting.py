"""Reverts: imports whose rows undo those of another import, by the audit trail of its writes.

A revert is planned into the same collections as an import, and applied by the same job. Its document has
`reverts` (the other import's id) and no file; the other one has `revert` (this one's id).
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.audit.write import Entry
from app.core.errors import RosterError
from app.core.mongo import Collection, Database, Row
from app.imports import import_records, stored_users, undo
from app.imports.decisions import Decider, Decision
from app.imports.import_records import Import, ImportRecords
from app.imports.import_views import Views
from app.imports.row_parser import ParsedRow
from app.imports.stored_users import StoredUser
from app.imports.submitting import Submitter
from app.jobs import Job, Viewer
from models.imports import APPLIED, ImportQuery

HEADING: Final = ["id"]
COLUMNS: Final = ({"heading": "id", "field": "id", "use": "key"},)
_DONE: Final = tuple(APPLIED.values())
_OF_TRAIL: Final = dict.fromkeys(("user", "action", "import", "differences"), 1)
_NEEDED: Final = dict.fromkeys(("n", "row", "status", "user"), 1)


class Reverter:
    """Plans reverts."""

    def __init__(self, records: ImportRecords, views: Views, submitter: Submitter) -> None:
        self._records = records
        self._kind = records.kind
        self._views = views
        self._submitter = submitter

    async def submit(
        self, import_id: ObjectId, viewer: Viewer, *, by: str | None, scopes: frozenset[str]
    ) -> tuple[ObjectId, Job]:
        """Submit a revert and the job that plans it, for a caller who may write users.

        Errors: it is not there; it is being applied; no row was applied; there is a revert already.
        """
        shown = await self._views.find(import_id, viewer)
        self._views.check_still(shown)
        await self._views.settle(shown.document)
        counts = await self._records.count(import_id)
        total = sum(counts[status] for status in _DONE)
        if not total:
            raise self._kind.not_applied("No row was applied: there is nothing to undo.")
        earlier = shown.document.get("revert")
        if earlier is not None:
            await self._check_given_up(earlier)
        document = self._submitter.make_document(ImportQuery(), by=by, scopes=scopes) | {
            "file": None,
            "reverts": import_id,
            "heading": HEADING,
            "columns": list(COLUMNS),
            "bulk": shown.document.get("bulk") and {"change": None, "filter": None},
        }
        return document["_id"], await self._keep(document, earlier=earlier, total=total)

    async def _check_given_up(self, revert_id: ObjectId) -> None:
        """An error, unless the earlier revert was deleted or never had a plan."""
        try:
            earlier = await self._views.find(revert_id, Viewer("", is_admin=True))
        except self._kind.not_found:
            return
        if earlier.state not in ("failed", "cancelled") or earlier.document["planned_at"] is not None:
            raise self._reverted(f"Plan {revert_id} reverts this one, and is {earlier.state}.")

    async def _keep(self, document: dict[str, Any], *, earlier: ObjectId | None, total: int) -> Job:
        """Store the revert and mark the reverted import, so that of two at once one is refused."""

        async def mark(session: AsyncClientSession) -> None:
            marked = await self._records.imports.update_one(
                {"_id": document["reverts"], "revert": earlier},
                {"$set": {"revert": document["_id"]}},
                session=session,
            )
            if not marked.matched_count:
                raise self._reverted("Another revert was begun at the same time.")

        return await self._submitter.keep(document, total=total, first=mark)

    def _reverted(self, what: str) -> RosterError:
        return self._kind.reverted(f"{what} Apply that one, or delete it to plan another.")


class RevertPlan:
    """Decides how to undo rows of the other import, in chunks."""

    def __init__(self, database: Database, document: Import, *, base: str) -> None:
        self._database = database
        self._records = ImportRecords(database)
        self._reverts: ObjectId = document["reverts"]
        self._decider = Decider(frozenset(document["scopes"]), document["by"], "ndjson", base=base)
        self._count = 0

    async def chunks(self, size: int) -> AsyncGenerator[list[Row], None]:
        """The applied rows, in order."""
        rows, after = self._records.rows, 0
        while True:
            wanted = {"import": self._reverts, "n": {"$gt": after}, "status": {"$in": _DONE}}
            found = await rows.find(wanted, _NEEDED, hint="status").sort("n", 1).limit(size).to_list()
            if not found:
                return
            yield found
            after = found[-1]["n"]

    async def decide(
        self, rows: Sequence[Row], users: Collection
    ) -> tuple[stored_users.StoredUsers, list[Decision]]:
        parsed = [self._give(row) for row in rows]
        found = await stored_users.find(users, parsed, hashes=False)
        entries = await self._entries(rows)
        return found, [
            self._decide(row, each, found.of(each), entries.get(row["user"], []))
            for row, each in zip(rows, parsed, strict=True)
        ]

    def _give(self, row: Row) -> ParsedRow:
        self._count += 1
        user_id = str(row["user"])
        return ParsedRow(self._count, row["row"], [user_id], {"id": user_id})

    async def _entries(self, rows: Sequence[Row]) -> dict[ObjectId, list[Entry]]:
        """The trail's entries of the import, and of passwords that others set, by user."""
        either = [{"import": self._reverts}, {"differences.pointer": {"$in": undo.SECRETS}}]
        wanted = {"user": {"$in": [row["user"] for row in rows]}, "$or": either}
        entries: dict[ObjectId, list[Entry]] = {}
        trail = self._records.trail
        async for entry in trail.find(wanted, _OF_TRAIL, hint="user"):
            entries.setdefault(entry["user"], []).append(entry)
        return entries

    def _decide(
        self, row: Row, parsed: ParsedRow, stored: StoredUser | None, entries: Sequence[Entry]
    ) -> Decision:
        own = [entry for entry in entries if entry["import"] == self._reverts]
        entry = own[-1] if own else None
        if row["status"] == "deleted":
            parsed.fail(undo.STAYS, f"User {row['user']} was deleted and cannot be brought back.")
        elif stored is None:
            if row["status"] == "updated":
                parsed.fail(undo.CONFLICT, f"User {row['user']} was deleted after this changed them.")
        elif stored.row is None:
            pass  # the record is malformed, which the decider reports
        elif entry is None:
            parsed.fail(undo.STAYS, "The audit trail no longer has what was written.")
        elif row["status"] == "created":
            undo.undo_creation(parsed, stored, entry, has_new_password=len(entries) > len(own))
        else:
            undo.undo_update(parsed, stored, entry)
        return self._judge(parsed, stored, entry)

    def _judge(self, parsed: ParsedRow, stored: StoredUser | None, entry: Entry | None) -> Decision:
        if stored is None or parsed.errors:
            is_conflict = any(bad["code"] == undo.CONFLICT for bad in parsed.errors)
            decision = Decision(
                parsed, "conflict" if is_conflict else "unchanged", stored.id if stored else None
            )
            decision.version = stored.row["version"] if stored is not None and stored.row else None
            return decision
        decision = self._decider.decide(parsed, stored)
        if entry is not None and not parsed.errors:
            decision.notes = [
                import_records.wrong(undo.STAYS, detail, pointer=at) for detail, at in undo.losses(entry)
            ]
        return decision

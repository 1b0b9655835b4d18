"""The labels that exports gave to columns, by which imports recognise them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pymongo import UpdateOne

from app.core.mongo import Database
from app.spreadsheets.column import Column

_KEPT: Final = timedelta(days=400)
_FRESH: Final = timedelta(days=300)


class ColumnLabels:
    def __init__(self, database: Database) -> None:
        self._labels = database["column_labels"]

    async def note(self, columns: Sequence[Column]) -> None:
        """Record the columns' labels; writes nothing if they are known."""
        now = datetime.now(UTC).replace(tzinfo=None)
        renamed = {column.label: column.name for column in columns if column.label != column.name}
        if not renamed:
            return
        fresh = self._labels.find({"_id": {"$in": list(renamed)}, "expires_at": {"$gt": now + _FRESH}})
        known = {(label["_id"], field) async for label in fresh for field in label["fields"]}
        change = {"$set": {"expires_at": now + _KEPT}}
        updates = [
            UpdateOne({"_id": label}, change | {"$addToSet": {"fields": field}}, upsert=True)
            for label, field in renamed.items() - known
        ]
        if updates:
            await self._labels.bulk_write(updates, ordered=False)

    async def find(self, labels: Sequence[str]) -> dict[str, str]:
        """The field of each label; labels of two fields are left out."""
        found = self._labels.find({"_id": {"$in": list(labels)}})
        return {label["_id"]: label["fields"][0] async for label in found if len(label["fields"]) == 1}

"""What exports called their columns, so that the file that comes back is understood.

A document: `{_id: the label, fields: [every field that was called so], expires_at}`. An index of
`app.indexes` takes it away when nobody has used the label for long.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from app.spreadsheets.columns import Column

Database = AsyncDatabase[dict[str, Any]]

_KEPT: Final = timedelta(days=400)
_FRESH: Final = timedelta(days=1)
_MOST_KNOWN: Final = 10_000


class ColumnLabels:
    """An export that renames its columns as an earlier one of this process did writes nothing."""

    def __init__(self, database: Database) -> None:
        self._labels = database["column_labels"]
        self._noted: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    async def note(self, columns: Sequence[Column]) -> None:
        """That these columns go out under their labels."""
        now = datetime.now(UTC)
        renamed = [(each.label, each.name) for each in columns if each.label != each.name]
        new = [pair for pair in renamed if self._noted.get(pair, now - _KEPT) < now - _FRESH]
        if not new:
            return
        await self._labels.bulk_write(
            [
                UpdateOne(
                    {"_id": label},
                    {"$addToSet": {"fields": field}, "$set": {"expires_at": now + _KEPT}},
                    upsert=True,
                )
                for label, field in new
            ],
            ordered=False,
        )
        for pair in new:
            self._noted[pair] = now
            self._noted.move_to_end(pair)
        while len(self._noted) > _MOST_KNOWN:
            self._noted.popitem(last=False)

    async def find(self, labels: Sequence[str]) -> dict[str, str]:
        """The fields that were called so, by label; of a label that was given to two fields, nothing."""
        found = self._labels.find({"_id": {"$in": list(labels)}})
        return {label["_id"]: label["fields"][0] async for label in found if len(label["fields"]) == 1}

"""A column of an export, apart from the catalogue, so that reader processes do not load the user's fields."""

from dataclasses import dataclass
from typing import Any, Literal

from app.spreadsheets.batch import Batch, Path

Kind = Literal["text", "integer", "boolean", "datetime", "list", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str
    kind: Kind
    width: int
    """In a spreadsheet's characters."""
    path: Path

    def read(self, row: dict[str, Any]) -> Any:
        """The stored value of one row, or None; writers read whole batches instead."""
        (values,) = Batch([row]).read([self.path])
        return values[0]

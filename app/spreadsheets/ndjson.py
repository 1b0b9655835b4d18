"""NDJSON: one JSON object a line, with the whole user as in the API or the chosen columns."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from app.spreadsheets.batch import Batch
from app.spreadsheets.cells import write_json
from app.spreadsheets.column import Column


class NdjsonWriter:
    media_type: ClassVar[str] = "application/x-ndjson"
    extension: ClassVar[str] = "ndjson"

    def __init__(self, columns: Sequence[Column] | None) -> None:
        self._columns = columns

    def head(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[dict[str, Any]]) -> bytes:
        objects = _name_ids(rows) if self._columns is None else _flatten(self._columns, rows)
        return b"".join([write_json(item) + b"\n" for item in objects])

    def tail(self) -> bytes:
        return b""


def _name_ids(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        user = {"id": str(row["_id"]), **row}
        del user["_id"]
        yield user


def _flatten(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    labels = [column.label for column in columns]
    for values in zip(*Batch(rows).read([column.path for column in columns]), strict=True):
        yield dict(zip(labels, values, strict=True))

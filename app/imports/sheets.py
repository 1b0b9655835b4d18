"""Writes imports back as workbooks: the rows as they came, with their status and errors."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from app.core.errors import BusyError, ImportNotPlannedError
from app.core.mongo import Row
from app.imports.import_records import Import
from app.imports.import_views import Views
from app.imports.merging import PROFILE
from app.spreadsheets import lists
from app.spreadsheets.cells import NoValue, write_json
from app.spreadsheets.reading.values import UNREAD
from app.spreadsheets.writing import workbook_writer
from models.imports import RowStatus
from models.values import CELL_LENGTH

_BATCH: Final = 250
_ENDING: Final = ("status", "error")
_NOTHING: Final[Mapping[str, Any]] = {}
Say = Callable[[str], str]
"""Puts what the code says in English into the language of the one who asks."""


class Sheets:
    """Writes workbooks of imports, which are counted among the downloads."""

    def __init__(self, views: Views, downloads: asyncio.Semaphore) -> None:
        self._views = views
        self._downloads = downloads

    async def begin(
        self, document: Import, statuses: Sequence[RowStatus], say: Say
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of a workbook, to be closed; errors before the first row are raised here.

        ImportNotPlannedError while there is no plan; BusyError as for exports.
        """
        if document["planned_at"] is None:
            raise ImportNotPlannedError("This import has no plan yet.")
        if self._downloads.locked():
            raise BusyError("Too many downloads are running: try again soon.", retry_after=5)
        chunks = self._chunks(document, statuses, say)
        await anext(chunks)
        return chunks

    async def _chunks(
        self, document: Import, statuses: Sequence[RowStatus], say: Say
    ) -> AsyncGenerator[bytes, None]:
        """The chunks; the first is empty, as a generator that never began would not close its query."""
        file = document["file"]
        kind = _Objects if file is not None and file["format"] == "ndjson" else _Table
        table = kind(document, say)
        writer = workbook_writer("xlsx", [*table.headings, *_ENDING])
        async with (
            self._downloads,
            aclosing(self._views.walk(document, statuses, _BATCH)) as batches,
        ):
            rows = await anext(batches, None)
            yield b""
            yield writer.head()
            while rows is not None:
                yield await asyncio.to_thread(lambda rows: writer.rows(list(map(table.write, rows))), rows)
                rows = await anext(batches, None)
            yield writer.tail()


class _Table:
    """The table of a CSV or a workbook, without hidden columns and our own of an earlier download."""

    def __init__(self, document: Import, say: Say) -> None:
        self._say = say
        out = {each["heading"] for each in document["columns"] if each["use"] in ("status", "hidden")}
        heading: list[str] = document["heading"]
        self._places = [place for place, each in enumerate(heading) if each not in out]
        self.headings = [heading[place] for place in self._places]

    def write(self, row: Row) -> list[Any]:
        unread = {bad["column"] for bad in row["errors"] if bad["code"] in UNREAD}
        cells: list[Any] = [row["cells"][place] for place in self._places]
        if not unread:
            return [*cells, row["status"], _explain(row, self._say)]
        pairs = list(zip(self.headings, cells, strict=True))
        held = {heading: cell for heading, cell in pairs if heading in unread}
        shown = [NoValue() if heading in unread else cell for heading, cell in pairs]
        return [*shown, row["status"], _explain(row, self._say, held)]


def _explain(row: Row, say: Say, held: Mapping[str, Any] = _NOTHING) -> str | None:
    """All errors, each with its column, and with the cell's content if that is not shown."""
    said = [
        f"{place}: {say(bad['detail'])}" if (place := bad["column"] or bad["pointer"]) else say(bad["detail"])
        for bad in row["errors"]
    ]
    said += [say(f"{heading} held: {_fit(str(cell))}") for heading, cell in held.items() if cell]
    return _fit(" ".join(said)) or None


def _fit(text: str) -> str:
    """Cut a text to a cell's length; characters beyond the BMP count twice."""
    return text if len(text) <= CELL_LENGTH // 2 else text[: CELL_LENGTH // 2 - 1] + "…"


class _Objects(_Table):
    """The table of NDJSON: a column for each key, and those of exports for the profile."""

    def __init__(self, document: Import, say: Say) -> None:
        self._say = say
        columns = document["columns"]
        self._profile = next((each["heading"] for each in columns if each["field"] == "profile"), None)
        self._keys = [each["heading"] for each in columns if each["field"] != "profile"
                      and each["use"] != "status"]  # fmt: skip
        nested = (*PROFILE, "addresses_more") if self._profile is not None else ()
        self._nested = [name for name in nested if name not in self._keys]
        self.headings = [*self._keys, *self._nested]

    def write(self, row: Row) -> list[Any]:
        cells: Mapping[str, Any] = row["cells"]
        return [
            *(_write_value(cells.get(key)) for key in self._keys),
            *self._write_profile(cells.get(self._profile or "")),
            row["status"],
            _explain(row, self._say),
        ]

    def _write_profile(self, profile: Any) -> list[Any]:
        known = profile if isinstance(profile, dict) else {}
        values = {name: known.get(name) for name in PROFILE} | {"addresses_more": known.get("addresses")}
        return [_write_value(values[name]) for name in self._nested]


def _write_value(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return _fit(lists.join(value))
    if isinstance(value, dict | list):
        return _fit(write_json(value).decode()) if value else None
    return value

"""Planning: the handler of the job that plans an import."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne

from app.core.mongo import Row
from app.database.connections import Connections
from app.files import Files
from app.imports import files, import_records, options, plan_writer, stored_users
from app.imports.conversion import pointer
from app.imports.decisions import Decider, Decision
from app.imports.duplicate_rows import DuplicateRows
from app.imports.import_records import Import, ImportRecords
from app.imports.mapped_columns import MOST_KEYS, MappedColumns
from app.imports.plan_writer import CHUNK, PlanWriter
from app.imports.reverting import RevertPlan
from app.imports.row_parser import ParsedRow, RowParser
from app.imports.stored_users import UNIQUE
from app.jobs import Run
from app.spreadsheets.column_labels import ColumnLabels
from app.spreadsheets.reading.tables import Table, open_table
from app.spreadsheets.reading.values import Limits, SourceRow
from models.export import Format

_REPEATS: Final = 1_000
T = TypeVar("T")
_Found = tuple[list[ParsedRow], stored_users.StoredUsers]
_INT64: Final = range(-(2**63), 2**63)


class Planner:
    """Plans imports and reverts."""

    def __init__(self, connections: Connections, files: Files) -> None:
        self._connections = connections
        self._files = files
        self._database = connections.database
        self._records = ImportRecords(connections.database)
        self._users = connections.users

    async def plan(self, run: Run) -> None:
        """Plan from the start, whatever an earlier run has left; does nothing if there is a plan."""
        document = await plan_writer.begin(self._records, ObjectId(run.subject))
        if document is None:
            return
        if "reverts" in document:
            await self._plan_revert(document, run)
            return
        with tempfile.TemporaryDirectory(prefix="roster-plan-") as folder, DuplicateRows() as duplicates:
            path = Path(folder) / "file"
            await files.fetch(self._files, document["file"]["id"], path)
            planner = _Plan(self._connections, document, duplicates)
            choices = options.choices(options.recall(document))
            choices = replace(choices, encoding=document["file"]["encoding"])  # as it was chosen
            async with open_table(path, Limits(), choices) as table:
                await planner.plan(table.heading, table.chunks(CHUNK), run)
            await planner.mark_repeated()
            await planner.finish(table)

    async def _plan_revert(self, document: Import, run: Run) -> None:
        with DuplicateRows() as duplicates:
            planner = _Plan(self._connections, document, duplicates)
            plan = RevertPlan(self._database, document, base=self._connections.settings.issuer_url)

            async def decide(rows: list[Row]) -> list[Decision]:
                found, decisions = await plan.decide(rows, self._users)
                return await planner.check_owners(found, decisions)

            await planner.plan_chunks(plan.chunks(CHUNK), decide, run)
            # If it was deleted meanwhile, so were its rows.
            await self._records.read(document["reverts"])
            await planner.mark_repeated()
            await planner.finish()


class _Plan:
    """The plan of one import in the making."""

    def __init__(self, connections: Connections, document: Import, duplicates: DuplicateRows) -> None:
        self._settings = connections.settings
        self._records = ImportRecords(connections.database)
        self._users = connections.users
        self._labels = ColumnLabels(connections.database)
        self._import = document
        self._duplicates = duplicates
        asked = options.recall(document)
        self._columns = MappedColumns(asked.columns, document["columns"], ignored=asked.ignore)
        self._keeps = asked.blank == "keep"
        # A revert has no file, and so no rewritten cells.
        form: Format = document["file"]["format"] if document["file"] else "ndjson"
        self._decider = Decider(
            frozenset(document["scopes"]), document["by"], form, base=self._settings.issuer_url
        )
        self._writer = PlanWriter(self._records, document)

    async def plan(self, heading: list[str], chunks: AsyncIterator[list[SourceRow]], run: Run) -> None:
        region = self._settings.phone_region
        reader = RowParser(self._columns, heading, region=region, keeps=self._keeps)

        async with aclosing(plan_writer.ahead(self._look_up(reader, chunks))) as found:
            await self.plan_chunks(found, self._decide, run)

    async def plan_chunks(
        self, chunks: AsyncIterator[T], decide: Callable[[T], Awaitable[list[Decision]]], run: Run
    ) -> None:
        """Decide chunk after chunk."""

        async def make(chunk: T) -> list[RawBSONDocument]:
            return await asyncio.to_thread(self._encode, await decide(chunk))

        await self._writer.write(chunks, make, run)

    async def _learn_labels(self, sources: Sequence[SourceRow]) -> None:
        """Look up the labels of exports of NDJSON, which has no heading."""
        keys = {key for source in sources for key in source.document or ()}
        new = [key for key in keys if not self._columns.knows(key)]
        if new:
            self._columns.remember(await self._labels.find(new[:MOST_KEYS]))

    async def _look_up(
        self, reader: RowParser, chunks: AsyncIterator[list[SourceRow]]
    ) -> AsyncGenerator[_Found]:
        """Rows of the file, parsed, with the users they are about."""
        async for sources in chunks:
            await self._learn_labels(sources)
            parsed = await asyncio.to_thread(lambda rows: [reader.read(row) for row in rows], sources)
            sets_hashes = any("password_hash" in row.values for row in parsed)
            yield parsed, await stored_users.find(self._users, parsed, hashes=sets_hashes)

    async def _decide(self, given: _Found) -> list[Decision]:
        parsed, found = given
        decisions = await asyncio.to_thread(
            lambda: [self._decider.decide(row, found.of(row)) for row in parsed]
        )
        return await self.check_owners(found, decisions)

    async def check_owners(
        self, found: stored_users.StoredUsers, decisions: list[Decision]
    ) -> list[Decision]:
        """Make rows errors whose unique values other users have."""
        sound = [each for each in decisions if each.wanted and not each.parsed.errors]
        wanted = {name: {each.wanted[name] for each in sound if name in each.wanted} for name in UNIQUE}
        await stored_users.find_owners(self._users, found, wanted)
        for each in sound:
            for name, key in each.wanted.items():
                if found.owners[name].get(key, each.user) != each.user:
                    self._decider.refuse_owned(each, name)
        return decisions

    def _encode(self, decisions: Sequence[Decision]) -> list[RawBSONDocument]:
        """Encode BSON, and note the rows' keys for duplicates; call it in a thread."""
        self._duplicates.add(
            (kind, value, each.parsed.n, each.parsed.row)
            for each in decisions
            for kind, value in each.claims.items()
        )
        return [self._encode_one(each.document()) for each in decisions]

    def _encode_one(self, row: Row) -> RawBSONDocument:
        try:
            return self._writer.encode(row)
        except (OverflowError, UnicodeEncodeError):  # of cells only: values for users were validated
            return self._writer.encode(row | {"cells": [_clean(cell) for cell in row["cells"]]})

    async def mark_repeated(self) -> None:
        """Make all rows errors that are about one user, or have the same unique value."""
        repeated = self._duplicates.find_repeated()
        rows = self._records.rows
        while updates := await asyncio.to_thread(
            lambda: [self._repeat(*claim) for claim in islice(repeated, _REPEATS)]
        ):
            await rows.bulk_write(updates, ordered=False)

    def _repeat(self, n: int, kind: str, others: Sequence[int]) -> UpdateOne:
        numbers = ", ".join(map(str, others))
        detail = f"The same {kind} is also in row {numbers}: keep one of them."
        error = import_records.wrong(
            "repeated", detail, pointer=pointer(kind), column=self._columns.heading_of(kind)
        )
        return UpdateOne(
            {"import": self._import["_id"], "n": n},
            {
                "$set": {"status": "error", "said": None, "differences": []},
                "$unset": {"password_hash": ""},
                "$push": {"errors": error},
            },
        )

    async def finish(self, table: Table | None = None) -> None:
        """Complete the plan. `table`: the file, if there is one."""
        facts = _describe(table) if table is not None else {}
        await self._writer.finish(facts | {"columns": self._columns.documents()})


def _describe(table: Table) -> dict[str, Any]:
    """The facts that are known of a file after reading it."""
    hidden = table.hidden_rows if table.sheet is not None else None
    return {"heading": table.heading, "file.hidden_rows": hidden}


def _clean(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.encode("utf-8", "replace").decode()
    if isinstance(cell, int) and cell not in _INT64:
        return str(cell)
    return cell

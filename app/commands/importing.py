"""`python -m app import FILE` and `revert-import ID`: show a plan, and apply it on confirmation."""

import asyncio
import hashlib
import inspect
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_args

import typer
from bson import ObjectId
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from rich.progress import Progress

from app import worker
from app.commands.running import backends, err, out, progress, refuse, refuse_error, refuse_options, run
from app.container import Container
from app.core import settings
from app.core.errors import ImportNotFoundError, RosterError
from app.imports import ImportView, Upload
from app.jobs import Job, Viewer
from models.imports import APPLIED, PENDING, ImportQuery, ImportRowsQuery
from models.values import ALL_SCOPES

_ANYBODY = Viewer("", is_admin=True)
_LOOK_S = 0.1
_TOLD = 10
"""The most rows shown of each kind: failing, creating, changing."""
_LONGEST = 60
"""The most characters shown of a value."""
_LEFT_OUT = {
    "unknown": "Unknown columns, which are not imported",
    "hidden": "Hidden columns, which are not imported without --hidden read",
}
_WRONG = ("conflict", "error")


@dataclass(frozen=True, slots=True)
class _Told:
    """An import, and its first rows that fail, create or change."""

    shown: ImportView
    wrong: list[dict[str, Any]]
    new: list[dict[str, Any]]
    changed: list[dict[str, Any]]

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.shown.document["counts"]
        return counts

    @property
    def is_wrong(self) -> bool:
        return any(self.counts[status] for status in _WRONG)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of an upload, which are declared once."""
    signature = inspect.signature(command)
    own = [each for each in signature.parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=_option(field))
        for name, field in ImportQuery.model_fields.items()
        if name != "filename"
    ]
    vars(command)["__signature__"] = signature.replace(parameters=[*own, *options])
    return command


def _option(field: FieldInfo) -> Any:
    words = [str(word) for part in get_args(field.annotation) for word in get_args(part)]
    return Annotated[str | None, typer.Option(help=field.description, metavar="|".join(words) or None)]


@_with_options
def import_users(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, XLSX, ODS or NDJSON.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan without asking.")] = False,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Only show the plan.")] = False,
    **said: str | None,
) -> None:
    """Import users: shows the plan, asks, and applies it. Exit 1 if rows are left out."""
    asked = _read(
        {name: value for name, value in said.items() if value is not None} | {"filename": file.name}
    )
    _carry_out(lambda opened: _plan(opened, file, asked), yes=yes, plan_only=plan_only)


def revert_import(
    import_id: Annotated[str, typer.Argument(help="The id of the applied import.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan without asking.")] = False,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Only show the plan.")] = False,
) -> None:
    """Undo an import: shows the plan, asks, and applies it. Exit 1 if rows are left out."""
    if not ObjectId.is_valid(import_id):
        refuse("The id of an import is 24 hexadecimal digits.")
    _carry_out(lambda opened: _plan_revert(opened, ObjectId(import_id)), yes=yes, plan_only=plan_only)


def _carry_out(
    plan: Callable[[Container], Coroutine[Any, Any, _Told]], *, yes: bool, plan_only: bool
) -> NoReturn:
    with backends(settings.load()) as (config, _):
        try:
            planned = run(plan, config)
            _tell(planned, PENDING)
            if plan_only or not any(planned.counts[status] for status in PENDING):
                raise typer.Exit(planned.is_wrong)
            if not yes:
                typer.confirm("Apply this plan?", abort=True)
            applied = run(lambda opened: _apply(opened, planned.shown.document["_id"]), config)
        except RosterError as error:
            refuse_error(error)
    out.print("Applied.")
    _tell(applied, tuple(APPLIED.values()))
    out.print(f"To undo it: python -m app revert-import {applied.shown.document['_id']}")
    raise typer.Exit(applied.is_wrong)


def _read(said: dict[str, Any]) -> ImportQuery:
    try:
        return ImportQuery.model_validate(said)
    except ValidationError as error:
        refuse_options(error, said)


async def _plan(opened: Container, file: Path, asked: ImportQuery) -> _Told:
    upload = await asyncio.to_thread(_measure, file)
    async with worker.working(opened):
        import_id, job = await opened.imports.submit(upload, asked, by=None, scopes=frozenset(ALL_SCOPES))
        await _follow(opened, job, "planned")
    return await _look(opened, import_id)


async def _plan_revert(opened: Container, import_id: ObjectId) -> _Told:
    """The revert, planned now or before."""
    earlier = (await opened.imports.find(import_id, _ANYBODY)).document.get("revert")
    with suppress(ImportNotFoundError):
        if earlier is not None and (await opened.imports.find(earlier, _ANYBODY)).state == "planned":
            return await _look(opened, earlier)
    async with worker.working(opened):
        scopes = frozenset(ALL_SCOPES)
        revert_id, job = await opened.imports.revert(import_id, _ANYBODY, by=None, scopes=scopes)
        await _follow(opened, job, "planned")
    return await _look(opened, revert_id)


def _measure(file: Path) -> Upload:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
    return Upload(file, name=file.name, size=file.stat().st_size, sha256=digest.hexdigest())


async def _apply(opened: Container, import_id: ObjectId) -> _Told:
    async with worker.working(opened):
        if (job := await opened.imports.begin(import_id, _ANYBODY)) is not None:
            await _follow(opened, job, "applied")
    return await _look(opened, import_id)


async def _follow(opened: Container, job: Job, what: str) -> None:
    """Wait for the job, run by this process or another worker; the end of the command cancels it."""
    with progress() as bar:
        task = bar.add_task(f"rows {what}", total=job.total)
        try:
            while not job.has_ended:
                await asyncio.sleep(_LOOK_S)
                job = await opened.jobs.find(str(job.id))
                _advance(bar, task, job)
        except asyncio.CancelledError:
            await opened.jobs.cancel(str(job.id))
            err.print(f"Stopped: what was {what} stays {what}.")
            raise
    if job.state != "succeeded":
        detail = job.error["detail"] if job.error is not None else f"The job was {job.state}."
        bad = job.error["errors"] if job.error is not None else []
        refuse(detail, *(each["detail"] for each in bad))


def _advance(bar: Progress, task: Any, job: Job) -> None:
    bar.update(task, completed=job.done, total=job.total)


async def _look(opened: Container, import_id: ObjectId) -> _Told:
    shown = await opened.imports.find(import_id, _ANYBODY)
    wrong = await opened.imports.page(shown.document, ImportRowsQuery(status=[*_WRONG], limit=_TOLD))
    changed = await opened.imports.page(shown.document, ImportRowsQuery(status=["update"], limit=_TOLD))
    new = await opened.imports.page(shown.document, ImportRowsQuery(status=["create"], limit=_TOLD))
    return _Told(shown, wrong.items, new.items, changed.items)


def _tell(told: _Told, statuses: tuple[str, ...]) -> None:
    for line in _lines(told, statuses):
        out.print(line, markup=False)


def _lines(told: _Told, statuses: tuple[str, ...]) -> Iterator[str]:
    """Counts, then rows; text from the file is quoted, so that it cannot control the terminal."""
    document = told.shown.document
    counted = {status: told.counts[status] for status in (*statuses, "unchanged", *_WRONG)}
    listed = ", ".join(f"{count} {status}" for status, count in counted.items() if count)
    yield f"{document['rows']} rows: {listed}"
    yield from _list_left_out(document)
    for row in told.new:
        values = ", ".join(f"{name} {_quote(value)}" for name, value in row["values"].items())
        yield f"row {row['row']}: creates {values}"
    for row in told.changed:
        for change in row["differences"]:
            values = f"{_quote(change['from'])} becomes {_quote(change['to'])}"
            yield f"row {row['row']}: {change['pointer']} {values}"
    for row in told.wrong:
        for error in row["errors"]:
            where = f" {_quote(error['column'])}" if error["column"] is not None else ""
            yield f"row {row['row']} {row['status']}{where}: {error['detail']}"
    if (left := sum(told.counts[status] for status in _WRONG) - len(told.wrong)) > 0:
        yield f"and {left} rows more with errors or conflicts"
    if (left := told.counts["create"] - len(told.new)) > 0:
        yield f"and {left} rows more that create"
    if (left := told.counts["update"] - len(told.changed)) > 0:
        yield f"and {left} rows more that change"


def _list_left_out(document: dict[str, Any]) -> Iterator[str]:
    for use, words in _LEFT_OUT.items():
        if found := [column["heading"] for column in document["columns"] if column["use"] == use]:
            yield f"{words}: {', '.join(map(_quote, found))}"
    if hidden := (document["file"] or {}).get("hidden_rows"):  # of a revert there is no file
        yield f"Hidden rows, which are not imported without --hidden read: {hidden}"


def _quote(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

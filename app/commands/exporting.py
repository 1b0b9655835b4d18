"""`python -m app export FILE`: the directory as a file, with the options of the route."""

import asyncio
import os
import secrets
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError
from rich.progress import Progress

from app.commands.running import backends, out, progress, refuse, refuse_error, refuse_options, run
from app.container import Container
from app.core import settings
from app.core.errors import RosterError
from app.exports import check
from models.export import Format
from models.export_job import ExportBody

_FORMATS = get_args(Format)


def export(
    file: Annotated[
        Path, typer.Argument(help="The file to write, which ends in .csv, .xlsx, .ods or .ndjson.")
    ],
    *,
    form: Annotated[
        str | None, typer.Option("--format", help="csv, xlsx, ods or ndjson, where the name does not tell.")
    ] = None,
    columns: Annotated[str | None, typer.Option(help="name,email:E-Mail,address1_city, say.")] = None,
    addresses: Annotated[int | None, typer.Option(help="Addresses with columns of their own.")] = None,
    q: Annotated[str | None, typer.Option(help="Words to find people by.")] = None,
    sort: Annotated[str | None, typer.Option(help="name, -created_at, …")] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", help="As in the API: department=Sales; can be repeated."),
    ] = None,
) -> None:
    """Write users to a file, which appears once it is complete."""
    text = {"format": form or file.suffix.lstrip(".").lower(), "columns": columns, "addresses": addresses}
    asked = _read(text | {"q": q, "sort": sort}, filters or [])
    with backends(settings.load()) as (config, _), progress() as bar:
        try:
            rows = run(lambda opened: _write(opened, asked, file, bar), config)
        except RosterError as error:
            refuse_error(error)
        except OSError as error:
            refuse(f"{file} cannot be written: {error.strerror}.")
    out.print(f"{rows} people in {file}.", markup=False)


def _read(text: dict[str, Any], filters: list[str]) -> ExportBody:
    if text["format"] not in _FORMATS:
        refuse("The file's name must end in .csv, .xlsx, .ods or .ndjson, or --format must name the format.")
    given = {name: value for name, value in text.items() if value is not None}
    for item in filters:
        name, _, value = item.partition("=")
        if name in text:
            refuse(f"{name} is not a filter: use --{name}.")
        given.setdefault(name, []).append(value)
    single = {
        name: values[0] if isinstance(values, list) and len(values) == 1 else values
        for name, values in given.items()
    }
    try:
        return ExportBody.model_validate(single, strict=False)  # a filter's value is text
    except ValidationError as error:
        refuse_options(error, single, ExportBody)


async def _write(opened: Container, asked: ExportBody, file: Path, bar: Progress) -> int:
    """Write the file and return the number of users; the old file stays until the new one is complete."""
    check(asked)
    task = bar.add_task("people", total=await opened.exports.expect(asked))
    rows = 0

    def count(more: int) -> None:
        nonlocal rows
        rows += more
        bar.advance(task, more)

    _, chunks = await opened.exports.begin(asked, asked.format, running=asyncio.Semaphore(), on_rows=count)
    half = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    async with aclosing(chunks):
        try:
            with half.open("xb") as written:
                async for chunk in chunks:
                    await asyncio.to_thread(written.write, chunk)
                written.flush()
                await asyncio.to_thread(os.fsync, written.fileno())
            half.replace(file)
        except BaseException:
            with suppress(OSError):
                half.unlink()
            raise
    return rows

"""`python -m app files move`."""

from contextlib import aclosing
from typing import Annotated

import typer
from rich.filesize import decimal

from app.commands.running import out, run_once
from app.container import Container
from models.file import StoreName

cli = typer.Typer(help="Where files are kept.", no_args_is_help=True)


@cli.callback()
def group() -> None:
    """Keep `move` a command of its own, though it is the only one."""


@cli.command()
def move(
    to: Annotated[StoreName, typer.Option(help="gridfs (in MongoDB) or s3 (the bucket of ROSTER_FILES_URL)")],
) -> None:
    """Move all files to one store; the service may keep running. Run it again if it was interrupted."""

    async def work(opened: Container) -> list[int]:
        async with aclosing(opened.files.move(to)) as moved:
            return [length async for length in moved]

    lengths = run_once(work)
    out.print(f"{len(lengths)} files were moved to {to}, {decimal(sum(lengths))}.")

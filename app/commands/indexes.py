"""`python -m app indexes check | apply`."""

import typer

from app import migrations
from app.commands.running import backends, out, run
from app.container import Container
from app.core import settings
from app.database import indexes

cli = typer.Typer(help="The migrations, the indexes and the validator of the users.", no_args_is_help=True)


@cli.command("check")
def check_indexes() -> None:
    """Report migrations, indexes and a validator that are missing or differ; exit 1 if any do."""
    with backends(settings.load()) as (config, _):
        found = run(_check, config, apply_indexes=False)
    for sentence in found:
        out.print(sentence, markup=False)
    if found:
        raise typer.Exit(1)
    out.print("All indexes and the validator are as declared.")


@cli.command("apply")
def apply_indexes() -> None:
    """Migrate, and create missing indexes and the validator; MongoDB builds indexes without blocking."""
    with backends(settings.load()) as (config, _):
        left = run(lambda opened: indexes.check(opened.connections.database), config)
    for sentence in left:
        out.print(sentence, markup=False)
    out.print("Indexes and validator applied.")


async def _check(opened: Container) -> list[str]:
    return [
        *await migrations.check(opened.connections.database),
        *await indexes.check(opened.connections.database),
    ]

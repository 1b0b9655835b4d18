"""`python -m app indexes check | apply`."""

import typer

from app import migrations
from app.commands.running import out, report, run_once
from app.container import Container
from app.database import indexes

cli = typer.Typer(help="The migrations, the indexes and the validator of the users.", no_args_is_help=True)


@cli.command("check")
def check_indexes() -> None:
    """Report migrations, indexes and a validator that are missing or differ; exit 1 if any do."""
    found = run_once(_check)
    report(found, whole="All indexes and the validator are as declared.")


@cli.command("apply")
def apply_indexes() -> None:
    """Migrate, and create missing indexes and the validator; MongoDB builds indexes without blocking."""
    for sentence in run_once(lambda opened: indexes.check(opened.connections.database), apply_indexes=True):
        out.print(sentence, markup=False)
    out.print("Indexes and validator applied.")


async def _check(opened: Container) -> list[str]:
    return [
        *await migrations.check(opened.connections.database),
        *await indexes.check(opened.connections.database),
    ]

"""`python -m app indexes check | apply`."""

import typer

from app import indexes, settings
from app.commands.running import backends, out, run

cli = typer.Typer(help="The indexes and the validator of the users collection.", no_args_is_help=True)


@cli.command("check")
def check_indexes() -> None:
    """Say what differs from the declared indexes; exit 1 if anything does."""
    with backends(settings.load()) as (config, _):
        found = run(lambda opened: indexes.check(opened.database), config, apply_indexes=False)
    for sentence in found:
        out.print(sentence, markup=False)
    if found:
        raise typer.Exit(1)
    out.print("All indexes and the validator are as declared.")


@cli.command("apply")
def apply_indexes() -> None:
    """Create what is missing; MongoDB builds indexes without blocking reads and writes."""
    with backends(settings.load()) as (config, _):
        left = run(lambda opened: indexes.check(opened.database), config)
    for sentence in left:
        out.print(sentence, markup=False)
    out.print("Indexes and validator applied.")

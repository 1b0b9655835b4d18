"""`python -m app search reindex | check`."""

import typer

from app.commands.running import backends, out, progress, run
from app.container import Container
from app.core import settings

cli = typer.Typer(help="The search fields of users, and the dictionary.", no_args_is_help=True)


@cli.command()
def reindex() -> None:
    """Renew search fields that differ; the service may keep running."""

    async def work(opened: Container) -> int:
        with progress() as bar:
            task = bar.add_task("users", total=await opened.connections.users.estimated_document_count())
            return await opened.search.reindex(on_batch=lambda n: bar.advance(task, n))

    with backends(settings.load()) as (config, _):
        changed = run(work, config)
    out.print(f"{changed} users had to change; all words are counted.")


@cli.command()
def check() -> None:
    """Report search fields and words that differ; exit 1 if any do."""
    with backends(settings.load()) as (config, _):
        found = run(lambda opened: opened.search.check(), config, apply_indexes=False)
    for sentence in found:
        out.print(sentence, markup=False)
    if found:
        raise typer.Exit(1)
    out.print("All users and the dictionary are as search needs them.")

"""`python -m app search reindex | check`."""

import typer

from app.commands.running import out, progress, report, run_once
from app.container import Container

cli = typer.Typer(help="The search fields of users, and the dictionary.", no_args_is_help=True)


@cli.command()
def reindex() -> None:
    """Renew search fields that differ; the service may keep running."""

    async def work(opened: Container) -> int:
        with progress() as bar:
            task = bar.add_task("users", total=await opened.connections.users.estimated_document_count())
            return await opened.search.reindex(on_batch=lambda n: bar.advance(task, n))

    out.print(f"{run_once(work, apply_indexes=True)} users had to change; all words are counted.")


@cli.command()
def check() -> None:
    """Report search fields and words that differ; exit 1 if any do."""
    found = run_once(lambda opened: opened.search.check())
    report(found, whole="All users and the dictionary are as search needs them.")

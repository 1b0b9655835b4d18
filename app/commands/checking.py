"""`python -m app check`: whether a directory is whole, for example after a restore."""

import typer

from app.commands import integrity
from app.commands.running import backends, out, run
from app.core import settings


def check() -> None:
    """Count documents and report what is wrong with schema, indexes, keys, users and search; exit 1 if so."""
    with backends(settings.load()) as (config, _):
        found = run(integrity.check, config, apply_indexes=False)
    for name, count in found.counts.items():
        out.print(f"{count:>12,} {name}", markup=False)
    for sentence in found.wrong:
        out.print(sentence, markup=False)
    if found.wrong:
        raise typer.Exit(1)
    out.print("Schema, indexes, keys, users and search are whole, and nothing is orphaned.")

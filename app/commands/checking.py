"""`python -m app check`: whether a directory is whole, after it was restored, say."""

import typer

from app.commands import integrity
from app.commands.running import backends, out, run
from app.core import settings


def check() -> None:
    """Count what is there, and say what is wrong of schema, indexes, keys, users and search; exit 1 if so."""
    with backends(settings.load()) as (config, _):
        found = run(integrity.check, config, apply_indexes=False)
    for name, count in found.counts.items():
        out.print(f"{count:>12,} {name}", markup=False)
    for sentence in found.wrong:
        out.print(sentence, markup=False)
    if found.wrong:
        raise typer.Exit(1)
    out.print("Schema, indexes, keys, users and search are whole, and nothing stands alone.")

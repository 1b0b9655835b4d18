"""`python -m app check`: whether a directory is whole, for example after a restore."""

from app.commands import integrity
from app.commands.running import out, report, run_once


def check() -> None:
    """Count documents and report what is wrong with schema, indexes, keys, users and search; exit 1 if so."""
    found = run_once(integrity.check)
    for name, count in found.counts.items():
        out.print(f"{count:>12,} {name}", markup=False)
    report(found.wrong, whole="Schema, indexes, keys, users and search are whole, and nothing is orphaned.")

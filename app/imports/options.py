"""The options of an import, stored with it and passed to the process that reads the file.

`ImportQuery` declares each option once, for queries, forms and the command line. `Choices` repeats those that
the reader of files needs.
"""

from dataclasses import fields
from typing import Any

from app.spreadsheets.reading.values import Choices
from models.imports import ImportQuery


def keep(asked: ImportQuery) -> dict[str, Any]:
    """The part of an import's document with its options."""
    return {"reading": asked.model_dump(exclude={"columns", "filename"}), "mapping": asked.columns}


def recall(document: dict[str, Any]) -> ImportQuery:
    """The options; those newer than the import have their defaults."""
    return ImportQuery.model_construct(**document["reading"], columns=document["mapping"])


def choices(asked: ImportQuery) -> Choices:
    return Choices(**{field.name: getattr(asked, field.name) for field in fields(Choices)})

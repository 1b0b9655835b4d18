"""What was asked of an import beside its file: kept with it, and handed to the process that reads the file.

`ImportQuery` declares each option once: queries, forms and the command line take it from there. One that the
reader of files needs is named in `Choices` as well.
"""

from dataclasses import fields
from typing import Any

from app.spreadsheets.reading import Choices
from models.imports import ImportQuery


def keep(asked: ImportQuery) -> dict[str, Any]:
    """The part of an import's document that says what was asked."""
    return {"reading": asked.model_dump(exclude={"columns", "filename"}), "mapping": asked.columns}


def recall(document: dict[str, Any]) -> ImportQuery:
    """What was asked; an option that is newer than the import is as if nothing was said."""
    return ImportQuery.model_construct(**document["reading"], columns=document["mapping"])


def choices(asked: ImportQuery) -> Choices:
    return Choices(**{field.name: getattr(asked, field.name) for field in fields(Choices)})

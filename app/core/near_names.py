"""Known names that are near to an unknown one: what its writer may have meant."""

import typing
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any

from pydantic import BaseModel
from rapidfuzz import fuzz, process

_LONGEST = 64
_LIKENESS = 70
"""The least `rapidfuzz.fuzz.ratio`, of 100: two letters of seven may differ."""


def find_near(written: str, known: Collection[str], *, most: int = 1) -> list[str]:
    """The nearest names, the best first; an empty list where none is near."""
    found = process.extract(
        written[:_LONGEST],
        known,
        scorer=fuzz.ratio,
        processor=str.casefold,
        limit=most,
        score_cutoff=_LIKENESS,
    )
    return [name for name, _, _ in found]


def find_names(model: Any, path: Sequence[int | str]) -> set[str]:
    """The fields of the object at `path` (an error's `loc`) in a document of `model`."""
    found = list(_models(model))
    for step in path:
        below = [each for one in found if step in one.model_fields for each in _models(_type(one, str(step)))]
        found = below or [one for one in found if _is_tagged(one, step)] or found
    fields = chain.from_iterable(one.model_fields.items() for one in found)
    return {field.alias or name for name, field in fields}


def _type(model: type[BaseModel], field: str) -> Any:
    return model.model_fields[field].annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model within lists, unions and annotations."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def _is_tagged(model: type[BaseModel], tag: object) -> bool:
    return any(tag in typing.get_args(field.annotation) for field in model.model_fields.values())

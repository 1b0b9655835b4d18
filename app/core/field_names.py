"""The names of the fields of a model, at a place in its documents."""

import typing
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from pydantic import BaseModel


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

"""Rows of lists: one that another program stored wrongly is left out of its list, which stays readable."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

log = structlog.get_logger()


def describe_sound(rows: Iterable[T], describe: Callable[[T], M], name: Callable[[T], str]) -> list[M]:
    """The rows that the model of their reply can hold; of each other one the log has its name and field."""
    return list(_describe(rows, describe, name))


def _describe(rows: Iterable[T], describe: Callable[[T], M], name: Callable[[T], str]) -> Iterator[M]:
    for row in rows:
        try:
            yield describe(row)
        except ValidationError as error:
            field = ".".join(map(str, error.errors()[0]["loc"]))
            log.warning("unreadable_row", id=name(row)[:64], field=field, of=error.title)

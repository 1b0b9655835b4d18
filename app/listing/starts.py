"""Starts of pages: the sort value and id of a first row, good for longer than a cursor."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from bson import ObjectId
from pydantic import Field, TypeAdapter, ValidationError

from app.core.cursors import Position
from app.core.errors import FieldError, InvalidError
from app.core.normalise import canonical, name_key, typed_email_key
from app.listing.queries import Query
from models.answers import MOST
from models.fields import UserField
from models.query_values import From, Whole
from models.user import SORTED

_SORTED = {field.name: field for field in SORTED}
_KEYS: dict[str, Callable[[str], str]] = {"email": typed_email_key, "username": canonical}
"""The sort keys of texts, but for those that ignore accents, as `app.users.user_records` stores them."""
_READERS: dict[type, TypeAdapter[Any]] = {
    datetime: TypeAdapter(From),
    int: TypeAdapter(Annotated[int, Field(ge=-MOST, le=MOST), Whole]),
}
_EXAMPLES = {datetime: "2026-01-31T08:00:00.123Z", int: "31", str: "Ana"}


def position(start: str, query: Query) -> Position:
    """Where the row `value,id` (or `id`, if it lacks the value) is in the order, or would be.

    InvalidError where the value is none of the order's field.
    """
    value, separator, row_id = start.rpartition(",")
    field = _SORTED[query.sort.removeprefix("-")]
    return query.order.place(_read(field, value) if separator else None, ObjectId(row_id))


def _read(field: UserField, value: str) -> Any:
    if field.kind.type is str:
        return _KEYS.get(field.name, name_key)(value)
    try:
        return _READERS[field.kind.type].validate_python(value)
    except ValidationError:
        example = f"`{_EXAMPLES[field.kind.type]},6b04f0a1e1b7a3d4c9f01234`"
        raise InvalidError(
            f"`start` holds no value of {field.name}, by which users are sorted.",
            errors=(FieldError(f"For this order it is like {example}.", parameter="start"),),
        ) from None

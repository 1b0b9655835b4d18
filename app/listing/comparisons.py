"""Comparisons of a field as conditions: which operators of RFC 7644 (table 3) an index serves, and how."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from pydantic import TypeAdapter, ValidationError

from app.core.errors import FieldError, InvalidError
from app.core.normalise import canonical, facet, name_key, typed_email_key
from app.listing.conditions import MISSING_FIELDS, STRING, Conditions, any_facet
from app.listing.orders import MongoFilter
from models import phones
from models.fields import UserField
from models.query_values import From
from models.user import SORTED

_EQUAL: Final = ("eq", "ne")
_ORDERED: Final = (*_EQUAL, "gt", "ge", "lt", "le")
_TEXT: Final = "a text in double quotes"
_KINDS: Final[dict[type, tuple[tuple[str, ...], type, str]]] = {
    bool: (_EQUAL, bool, "true or false"),
    int: (_ORDERED, int, "a whole number"),
    datetime: (_ORDERED, str, 'a time, such as "2026-01-31T08:00:00Z"'),
}
"""By the kind of a field: its operators, the type of what it is compared with, and that in words."""
_KEYS: Final[dict[str, Callable[[str], str]]] = {
    "email": typed_email_key,
    "username": canonical,
    "name": name_key,
}
_HIGHEST: Final = "\U0010ffff"
_HEX_LENGTH: Final = 24
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(From)
_STEP: Final = timedelta(milliseconds=1)
"""BSON's times have milliseconds."""
_FIRST: Final = {int: float("-inf"), datetime: datetime.min, str: ""}  # noqa: DTZ901 - BSON dates have no zone


def refuse(detail: str) -> InvalidError:
    return InvalidError("The filter is not served.", errors=(FieldError(detail, parameter="filter"),))


def compare(field: UserField, operator: str, value: Any, region: str | None) -> Conditions:
    """Users of whom the comparison holds.

    InvalidError: no index serves the operator, or the value has another type.
    """
    if value is None and operator in _EQUAL:  # RFC 7643, 2.5: null and unassigned are the same
        return lack(field) if operator == "eq" else have(field)
    served, kind, said = _served(field)
    if operator not in served:
        ways = ", ".join(f"`{each}`" for each in (*served, "pr"))
        raise refuse(f"No index serves `{field.called} {operator}`: compare by {ways}, or ask `q`.")
    if type(value) is not kind:
        raise refuse(f"`{field.called}` must be compared with {said}.")
    if kind is bool:
        value, operator = value == (operator == "eq"), "eq"
    if operator == "ne":
        return none_of(compare(field, "eq", value, region))
    return _compare(field, operator, value, region) & Conditions(compared=frozenset({field.called}))


def lack(field: UserField) -> Conditions:
    """Users without a value. InvalidError: everybody has one."""
    if field.called not in MISSING_FIELDS:
        raise refuse(f"Everybody has `{field.called}`.")
    return Conditions(missing=(field.called,))


def have(field: UserField) -> Conditions:
    """Users with a value."""
    found = Conditions(compared=frozenset({field.called}))
    if field.called not in MISSING_FIELDS:
        return found
    if field.is_facet:
        return found & none_of(lack(field))
    return found & _between(field, {"$gte": _FIRST[field.kind.type]})


def none_of(found: Conditions) -> Conditions:
    """The other users."""
    return Conditions(others=({"$nor": [found.clause]},))


def _served(field: UserField) -> tuple[tuple[str, ...], type, str]:
    if field.name == "id":
        return _EQUAL, str, _TEXT
    if field.kind.type in _KINDS:
        return _KINDS[field.kind.type]
    return (*(_ORDERED if field in SORTED else _EQUAL), "sw"), str, _TEXT


def _compare(field: UserField, operator: str, value: Any, region: str | None) -> Conditions:
    if field.name == "id":
        is_id = len(value) == _HEX_LENGTH and ObjectId.is_valid(value)
        return Conditions(uniques=({"_id": {"$eq": ObjectId(value)} if is_id else {"$in": []}},))
    if field.bounds is not None:
        return _between(field, _bounds(operator, _moment(field, value) if isinstance(value, str) else value))
    if field.is_facet:
        entry = facet(field.called, value)
        if operator == "eq":
            return Conditions(facets=(any_facet({entry}),))
        return _other({"facets": {"$elemMatch": {"$gte": entry, "$lt": entry + _HIGHEST}}})
    return _compare_text(field, operator, value, region)


def _compare_text(field: UserField, operator: str, value: str, region: str | None) -> Conditions:
    """Of a text that is found by its key."""
    if operator != "eq":
        beginning = _beginning(field, value)
        if operator == "sw":
            return _between(field, {"$gte": beginning, "$lte": beginning + _HIGHEST})
        return _between(field, {f"${_MONGO.get(operator, operator)}": beginning})
    key = _KEYS[field.name](value) if field.name in _KEYS else phones.key(value, region)
    if field.declared.unique:
        return Conditions(uniques=({field.stored_at: {"$eq": key} | STRING},))
    return _between(field, {"$gte": key, "$lte": key})


_MONGO: Final = {"ge": "gte", "le": "lte"}


def _beginning(field: UserField, text: str) -> str:
    """The beginning of the keys of texts that begin so."""
    if field.name == "phone":
        return "+" + "".join(char for char in text if char.isdigit())
    if field.name == "name":
        return name_key(text)
    local, at, domain = text.partition("@")
    return canonical(local) + at + domain.lower()


def _moment(field: UserField, text: str) -> datetime:
    try:
        return _MOMENT.validate_python(text)
    except ValidationError:
        raise refuse(f"`{field.called}` must be compared with {_served(field)[2]}.") from None


def _bounds(operator: str, value: Any) -> dict[str, Any]:
    """Inclusive bounds of whole numbers, or of times in whole milliseconds."""
    step: Any = 1 if isinstance(value, int) else _STEP
    floor = value if isinstance(value, int) else value - timedelta(microseconds=value.microsecond % 1000)
    ceiling = floor if floor == value else floor + step
    return {
        "eq": {"$gte": ceiling, "$lte": floor},
        "gt": {"$gte": floor + step},
        "ge": {"$gte": ceiling},
        "lt": {"$lte": ceiling - step},
        "le": {"$lte": floor},
    }[operator]


def _between(field: UserField, bounds: MongoFilter) -> Conditions:
    """As a range of the field's order, where it is one and the bounds are inclusive."""
    if field in SORTED and bounds.keys() <= {"$gte", "$lte"}:
        return Conditions(ranges={field.name: bounds})
    return _other({field.stored_at: bounds | (STRING if field.declared.unique else {})})


def _other(clause: MongoFilter) -> Conditions:
    """Wrapped, so that search does not take it for a facet."""
    return Conditions(others=({"$and": [clause]},))

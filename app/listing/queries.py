"""A caller's filters and order as one query on the users collection."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bson
import orjson

from app.core.cursors import Position
from app.core.errors import FieldError, InvalidError
from app.core.normalise import canonical, facet, typed_email_key
from app.listing.orders import ORDERS, PRESENT, Bounds, MongoFilter, Order
from models import phones
from models.fields import UserField
from models.listing import Filter, Missable, OrderedQuery, Sort
from models.user import FACETS, PARTS, RANGES, SORTED, UNIQUE

_FILTERS = tuple(Filter.model_fields)

BOUNDS = {field.name: field.bounds for field in RANGES if field.bounds}
"""Filters that bound a field which is also an order."""
DEFAULT_SORT: Sort = "created_at"


def _missing(field: UserField) -> MongoFilter:
    if field in PARTS:
        has_one = {"$elemMatch": {field.name: {"$type": "string"}}}
        return {".".join(field.path[:-1]): {"$not": has_one}}
    return {field.stored_at: {"$eq": [] if field.kind.many else None}}


MISSING_FIELDS: dict[Missable, MongoFilter] = {
    field.called: _missing(field) for field in (*UNIQUE, *FACETS, *RANGES) if field.may_be_missing
}
"""The filter of each field that `missing` may name."""

_MISSING_INDEXES = {
    field.called for field in (*UNIQUE, *FACETS) if field.may_be_missing and field not in (*PARTS, *SORTED)
}
"""The fields with an index of the users who lack them, in the default order."""


@dataclass(frozen=True, slots=True)
class Query:
    """Filters and order. `clauses` are the filters that are not bounds of the order."""

    clauses: tuple[MongoFilter, ...]
    order: Order
    by_facet: bool
    """Whether the filters are one facet and the order that of the `facets` index."""
    missing_index: str | None
    """The index of the wanted users, where these are all who lack one field."""
    single: bool
    """Whether a unique field has one value: at most one row, and nothing to sort."""
    fingerprint: bytes
    """A hash of filter and order, which cursors are bound to."""
    sort: Sort
    filters: tuple[str, ...]
    """The names of the filters."""
    region: str | None
    """The country whose national phone numbers are accepted, also in `q`."""

    @property
    def matching(self) -> MongoFilter:
        """All filters, whatever the order."""
        return _conjunction([*self.clauses, self.order.bounds])

    @property
    def is_cheap(self) -> bool:
        """Whether one range of one index, in its own order, holds exactly the wanted users."""
        return self.single or self.by_facet or self.missing_index is not None or not self.clauses

    def find(self, segment: int, start: Position | None = None, *, backward: bool = False) -> dict[str, Any]:
        """Filter, sort and hint for one segment of the order past a position."""
        ways = self.order.ways(segment, start, backward=backward)
        choices = self._choices() if segment == PRESENT and len(ways) > 1 else [self.clauses]
        branches = [_conjunction([*clauses, way]) for clauses in choices for way in ways]
        return {
            "filter": branches[0] if len(branches) == 1 else {"$or": branches},
            "sort": self.order.sort(segment, backward=backward),
            "hint": self._hint(segment),
        }

    def skim(self, segment: int) -> dict[str, Any]:
        """The same, such that an index alone can skip and count: roughly the same rows, see `Order.whole`."""
        found = _conjunction([*self.clauses, self.order.whole(segment)])
        return {"filter": found, "sort": self.order.sort(segment), "hint": self._hint(segment)}

    def _hint(self, segment: int) -> str | None:
        """The index where only one serves: the planner would try others on every page."""
        if self.by_facet or self.missing_index:
            return self.missing_index or "facets"
        return None if self.clauses else self.order.index(segment)

    def _choices(self) -> list[tuple[MongoFilter, ...]]:
        """One conjunction for each value of the facet, where it is the only one.

        MongoDB merges the branches of an `$or` in order only if each is one range of an index, and does not
        split an `$in` inside a branch.
        """
        if not self.by_facet or "$in" not in self.clauses[0]["facets"]:
            return [self.clauses]
        return [({"facets": {"$eq": entry}}, *self.clauses[1:]) for entry in self.clauses[0]["facets"]["$in"]]


_UNRANKED = {
    "sort": "Leave it out with q.",
    "skip": "Leave it out with q.",
    "start": "Leave it out with q: ranks change with the directory's words, so no place among them lasts.",
}
"""What does not go with `q`, and why."""


def build(asked: OrderedQuery, *, region: str | None = None) -> Query:
    """The query of a caller's filters and order; `region` as in `Query`.

    InvalidError where `q`, which ranks users, comes with an order.
    """
    q = getattr(asked, "q", None)
    unwanted = [name for name in _UNRANKED if q is not None and getattr(asked, name, None) is not None]
    if unwanted:
        raise InvalidError(
            "With `q`, users are ranked.",
            errors=tuple(FieldError(parameter=name, detail=_UNRANKED[name]) for name in unwanted),
        )
    given = {name: getattr(asked, name) for name in _FILTERS if name in asked.model_fields_set}
    ranges = {field: bounds for field in BOUNDS if (bounds := _bounds(given, field))}
    missing = _check_missing(given)
    sort = asked.sort or _default_sort(given)
    field = sort.removeprefix("-")
    order = Order(sort, ranges.pop(field, {}), is_missing=field in missing)
    absent = [MISSING_FIELDS[name] for name in missing if name != field]
    facets = [_facets(each.called, given[each.called]) for each in FACETS if each.called in given]
    uniques = _uniques(given, region)
    others = [{Order(name).path: bounds} for name, bounds in ranges.items()]
    is_default = not uniques and not others and field == DEFAULT_SORT
    has_index = is_default and not facets and len(missing) == 1 and missing[0] in _MISSING_INDEXES
    return Query(
        clauses=(*facets, *uniques, *others, *absent),
        order=order,
        by_facet=is_default and len(facets) == 1 and not absent,
        missing_index=f"{missing[0]}_missing" if has_index else None,
        single=any("$eq" in condition for clause in uniques for condition in clause.values()),
        fingerprint=_fingerprint(given | ({"q": q} if q is not None else {}), sort),
        sort=sort,
        filters=tuple(given),
        region=region,
    )


def _default_sort(given: dict[str, Any]) -> Sort:
    """The field of the only range, or the only missing one, which one index serves; else the default."""
    for field, names in BOUNDS.items():
        if given and given.keys() <= set(names):
            return field
    lacks = given.get("missing", ()) if len(given) == 1 else ()
    return next((name for name in lacks if name in ORDERS), DEFAULT_SORT)


def _check_missing(given: dict[str, Any]) -> list[Missable]:
    """The missing fields. InvalidError where another filter contradicts: finding nobody may be expensive."""
    missing: list[Missable] = given.get("missing", [])
    both = [name for name in missing if given.keys() & {name, *BOUNDS.get(name, ())}]
    if both:
        told = [FieldError(parameter="missing", detail=f"Leave out {name}, or its filter.") for name in both]
        raise InvalidError("A user cannot both have and lack a value.", errors=tuple(told))
    return missing


def _bounds(given: dict[str, Any], field: str) -> Bounds:
    lower, upper = BOUNDS[field]
    bounds = {"$gte": given.get(lower), "$lte": given.get(upper)}
    return {operator: value for operator, value in bounds.items() if value is not None}


def _facets(name: str, values: Sequence[str]) -> MongoFilter:
    entries = sorted({facet(name, value) for value in values})
    return {"facets": {"$eq": entries[0]} if len(entries) == 1 else {"$in": entries}}


def _uniques(given: dict[str, Any], region: str | None) -> list[MongoFilter]:
    clauses = []
    if "id" in given:
        clauses.append({"_id": _any([bson.ObjectId(value) for value in given["id"]])})
    if "email" in given:
        clauses.append({"keys.email": _any([typed_email_key(value) for value in given["email"]]) | _STRING})
    if "username" in given:
        clauses.append({"keys.username": _any([canonical(value) for value in given["username"]]) | _STRING})
    if "phone" in given:
        clauses.append({"phone": _any([phones.key(value, region) for value in given["phone"]]) | _STRING})
    return clauses


_STRING = {"$type": "string"}
"""The unique indexes are partial: they serve only queries for strings."""


def _any(values: list[Any]) -> MongoFilter:
    distinct = list(dict.fromkeys(values))
    return {"$eq": distinct[0]} if len(distinct) == 1 else {"$in": distinct}


def _conjunction(clauses: Sequence[MongoFilter]) -> MongoFilter:
    found: MongoFilter = {}
    clashing = []
    for clause in clauses:
        if found.keys() & clause.keys():
            clashing.append(clause)
        else:
            found |= clause
    return found | {"$and": clashing} if clashing else found


def _fingerprint(given: dict[str, Any], sort: str) -> bytes:
    canonical_form = {
        name: sorted(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return hashlib.sha256(orjson.dumps([sort, canonical_form], option=orjson.OPT_SORT_KEYS)).digest()

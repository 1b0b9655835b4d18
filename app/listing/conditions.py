"""What wanted users meet, as typed filters say it: clauses of MongoDB, sorted by how indexes serve them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bson

from app.core.errors import FieldError, InvalidError
from app.core.normalise import canonical, facet, typed_email_key
from app.listing.orders import Bounds, MongoFilter, Order
from models import phones
from models.fields import UserField
from models.listing import Missable
from models.user import FACETS, PARTS, RANGES, UNIQUE

BOUNDS = {each.name: each.bounds for each in RANGES if each.bounds}
"""Filters that bound a field which is also an order."""
STRING = {"$type": "string"}
"""The unique indexes are partial: they serve only queries for strings."""


def _missing(declared: UserField) -> MongoFilter:
    if declared in PARTS:
        has_one = {"$elemMatch": {declared.name: {"$type": "string"}}}
        return {".".join(declared.path[:-1]): {"$not": has_one}}
    return {declared.stored_at: {"$eq": [] if declared.kind.many else None}}


MISSING_FIELDS: dict[Missable, MongoFilter] = {
    each.called: _missing(each) for each in (*UNIQUE, *FACETS, *RANGES) if each.may_be_missing
}
"""The filter of each field that users may lack."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """All of these must hold."""

    facets: tuple[MongoFilter, ...] = ()
    uniques: tuple[MongoFilter, ...] = ()
    ranges: Mapping[str, Bounds] = field(default_factory=dict)
    """Bounds by order."""
    missing: tuple[Missable, ...] = ()
    others: tuple[MongoFilter, ...] = ()
    """What no index serves alone, or none in its order."""
    compared: frozenset[str] = frozenset()
    """The fields of which some value is wanted."""

    def __and__(self, more: "Conditions") -> "Conditions":
        """Both. A second lower bound in one order, say, stands beside the order's range."""
        ranges, beside = dict(self.ranges), []
        for name, bounds in more.ranges.items():
            known = ranges.get(name, {})
            if known.keys() & bounds.keys():
                beside.append(between(name, bounds))
            else:
                ranges[name] = {**known, **bounds}
        return Conditions(
            facets=self.facets + more.facets,
            uniques=self.uniques + more.uniques,
            ranges=ranges,
            missing=tuple(dict.fromkeys(self.missing + more.missing)),
            others=(*self.others, *more.others, *beside),
            compared=self.compared | more.compared,
        )

    @property
    def clause(self) -> MongoFilter:
        """All of it as one filter."""
        return conjunction(
            (
                *self.facets,
                *self.uniques,
                *(between(name, bounds) for name, bounds in self.ranges.items()),
                *(MISSING_FIELDS[name] for name in self.missing),
                *self.others,
            )
        )

    def check(self) -> None:
        """InvalidError where a field is missing and compared: finding nobody may be expensive."""
        if both := [name for name in self.missing if name in self.compared]:
            told = [
                FieldError(parameter="missing", detail=f"Leave out {name}, or its filter.") for name in both
            ]
            raise InvalidError("A user cannot both have and lack a value.", errors=tuple(told))


def between(order: str, bounds: Bounds) -> MongoFilter:
    """The bounds as a filter, where another order is walked."""
    return {Order(order).path: dict(bounds) | (STRING if order in _UNIQUE else {})}


_UNIQUE = frozenset(each.name for each in UNIQUE)


def read(given: Mapping[str, Any], region: str | None) -> Conditions:
    """The conditions of typed filters."""
    facets = (_facets(each.called, given[each.called]) for each in FACETS if each.called in given)
    ranges = {name: bounds for name in BOUNDS if (bounds := _bounds(given, name))}
    return Conditions(
        facets=tuple(facets),
        uniques=tuple(_uniques(given, region)),
        ranges=ranges,
        missing=tuple(given.get("missing", ())),
        compared=frozenset(given) | ranges.keys(),
    )


def _bounds(given: Mapping[str, Any], name: str) -> Bounds:
    lower, upper = BOUNDS[name]
    bounds = {"$gte": given.get(lower), "$lte": given.get(upper)}
    return {operator: value for operator, value in bounds.items() if value is not None}


def _facets(name: str, values: Sequence[str]) -> MongoFilter:
    return any_facet({facet(name, value) for value in values})


def any_facet(entries: set[str]) -> MongoFilter:
    """Users with any of these entries."""
    first, *more = sorted(entries)
    return {"facets": {"$in": [first, *more]} if more else {"$eq": first}}


def _uniques(given: Mapping[str, Any], region: str | None) -> list[MongoFilter]:
    clauses = []
    if "id" in given:
        clauses.append({"_id": _any([bson.ObjectId(value) for value in given["id"]])})
    if "email" in given:
        clauses.append({"keys.email": _any([typed_email_key(value) for value in given["email"]]) | STRING})
    if "username" in given:
        clauses.append({"keys.username": _any([canonical(value) for value in given["username"]]) | STRING})
    if "phone" in given:
        clauses.append({"phone": _any([phones.key(value, region) for value in given["phone"]]) | STRING})
    return clauses


def _any(values: list[Any]) -> MongoFilter:
    distinct = list(dict.fromkeys(values))
    return {"$eq": distinct[0]} if len(distinct) == 1 else {"$in": distinct}


def conjunction(clauses: Sequence[MongoFilter]) -> MongoFilter:
    """The clauses as one filter."""
    found: MongoFilter = {}
    clashing = []
    for clause in clauses:
        if "$and" in clause or found.keys() & clause.keys():
            clashing.append(clause)
        else:
            found |= clause
    return found | {"$and": clashing} if clashing else found

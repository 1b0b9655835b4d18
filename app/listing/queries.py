"""A caller's filters and order as one query on the users collection."""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from app.core.cursors import Position
from app.core.errors import FieldError, InvalidError
from app.listing import conditions
from app.listing.conditions import MISSING_FIELDS, Conditions, between, conjunction
from app.listing.orders import ORDERS, PRESENT, MongoFilter, Order
from models.listing import Filter, OrderedQuery, Sort
from models.user import FACETS, PARTS, SORTED, UNIQUE

_FILTERS = tuple(Filter.model_fields)

DEFAULT_SORT: Sort = "created_at"

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
    nicknames: bool
    """The country whose national phone numbers are accepted, also in `q`."""

    @property
    def matching(self) -> MongoFilter:
        """All filters, whatever the order."""
        return conjunction([*self.clauses, self.order.bounds])

    @property
    def is_cheap(self) -> bool:
        """Whether one range of one index, in its own order, holds exactly the wanted users."""
        return self.single or self.by_facet or self.missing_index is not None or not self.clauses

    def find(self, segment: int, start: Position | None = None, *, backward: bool = False) -> dict[str, Any]:
        """Filter, sort and hint for one segment of the order past a position."""
        ways = self.order.ways(segment, start, backward=backward)
        choices = self._choices() if segment == PRESENT and len(ways) > 1 else [self.clauses]
        branches = [conjunction([*clauses, way]) for clauses in choices for way in ways]
        return {
            "filter": branches[0] if len(branches) == 1 else {"$or": branches},
            "sort": self.order.sort(segment, backward=backward),
            "hint": self._hint(segment),
        }

    def skim(self, segment: int) -> dict[str, Any]:
        """The same, such that an index alone can skip and count: roughly the same rows, see `Order.whole`."""
        found = conjunction([*self.clauses, self.order.whole(segment)])
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


def build(asked: OrderedQuery, *, region: str | None = None, nicknames: bool = True) -> Query:
    """The query of a caller's filters and order; `region` and `nicknames` as in `Query`.

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
    wanted = conditions.read(given, region)
    if asked.filter is not None:
        from app.listing import filters  # noqa: PLC0415 - its parser takes half a second to load

        wanted &= filters.read(asked.filter, region)
    wanted.check()
    sort = asked.sort or _default_sort(wanted)
    field = sort.removeprefix("-")
    absent = [MISSING_FIELDS[name] for name in wanted.missing if name != field]
    others = [
        *(between(name, bounds) for name, bounds in wanted.ranges.items() if name != field),
        *wanted.others,
    ]
    is_default = not wanted.uniques and not others and field == DEFAULT_SORT
    lacks = wanted.missing[0] if len(wanted.missing) == 1 else None
    has_index = is_default and not wanted.facets and lacks in _MISSING_INDEXES
    return Query(
        clauses=(*wanted.facets, *wanted.uniques, *others, *absent),
        order=Order(sort, wanted.ranges.get(field, {}), is_missing=field in wanted.missing),
        by_facet=is_default and len(wanted.facets) == 1 and not absent,
        missing_index=f"{lacks}_missing" if has_index else None,
        single=any("$eq" in condition for clause in wanted.uniques for condition in clause.values()),
        fingerprint=_fingerprint(given | ({"q": q} if q is not None else {}), sort),
        sort=sort,
        filters=tuple(given),
        region=region,
        nicknames=nicknames,
    )


def _default_sort(wanted: Conditions) -> Sort:
    """The field of the only range, or the first missing one, which one index serves; else the default."""
    if not (wanted.facets or wanted.uniques or wanted.others):
        if len(wanted.ranges) == 1 and not wanted.missing:
            return next(iter(wanted.ranges))
        if not wanted.ranges:
            return next((name for name in wanted.missing if name in ORDERS), DEFAULT_SORT)
    return DEFAULT_SORT


def _fingerprint(given: dict[str, Any], sort: str) -> bytes:
    canonical_form = {
        name: sorted(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return hashlib.sha256(orjson.dumps([sort, canonical_form], option=orjson.OPT_SORT_KEYS)).digest()

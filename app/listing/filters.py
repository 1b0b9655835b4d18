"""The filter language of RFC 7644, section 3.4.2.2: expressions as conditions that indexes serve.

What no index serves is refused: there is no regular expression, and hidden fields do not exist. A comparison
that must not hold (`ne`, `not`) is served by walking an order, within a page's time budget.
"""

from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import Final

from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttrPath,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from app.core.near_names import find_near
from app.listing.comparisons import compare, have, lack, none_of, refuse
from app.listing.conditions import Conditions, any_facet
from models.fields import UserField
from models.user import FACETS, FIELDS, RANGES, SORTED, UNIQUE

MOST_COMPARISONS: Final = 50
_LONGEST_NAME: Final = 64


def _names(field: UserField) -> Iterator[str]:
    """How an expression may name the field."""
    yield from (field.called, field.name, ".".join(field.path[-2:]))


_FIELDS: Final = {
    name: field
    for field in (*(each for each in FIELDS if each.name == "id"), *UNIQUE, *FACETS, *RANGES, *SORTED)
    for name in _names(field)
}
CALLED: Final = tuple(dict.fromkeys(field.called for field in _FIELDS.values()))
"""The fields that expressions compare."""


def read(text: str, region: str | None = None) -> Conditions:
    """The conditions of an expression; `region` as in `Query`.

    InvalidError: it is no filter, or no index serves a part of it; it names the part and what would do.
    """
    try:
        tree = ScimFilter(text).ast
    except InvalidFilterException as error:
        raise refuse(f"It is no filter: {str(error.detail).rstrip('.')}.") from None
    return read_tree(tree, region)


def read_tree(tree: FilterNode, region: str | None) -> Conditions:
    """The conditions of an expression that was parsed."""
    if sum(1 for _ in _leaves(tree)) > MOST_COMPARISONS:
        raise refuse(f"It has more than {MOST_COMPARISONS} comparisons.")
    return _read(tree, "", region)


def _leaves(node: FilterNode) -> Iterator[FilterNode]:
    match node:
        case LogicalExpr():
            for term in node.terms:
                yield from _leaves(term)
        case Not():
            yield from _leaves(node.expr)
        case _:
            yield node


def _read(node: FilterNode, within: str, region: str | None) -> Conditions:
    """The conditions of a node; its attributes are sub-attributes of `within`, if that is one."""
    match node:
        case LogicalExpr():
            terms = [_read(term, within, region) for term in node.terms]
            return reduce(and_, terms) if node.op is LogicalOperator.and_ else _any(terms)
        case Not(expr=Present() as present):
            found = lack(_find(present.attr_path, within))
        case Not():
            found = none_of(_read(node.expr, within, region))
        case Comparison():
            found = compare(_find(node.attr_path, within), node.op, node.value, region)
        case ValuePath(val_filter=Comparison() | Present() as only):
            found = _read(only, str(node.attr_path), region)
        case ValuePath():
            raise refuse(f"No index serves two comparisons of one of `{node.attr_path}`: join two by `and`.")
        case Present():
            found = have(_find(node.attr_path, within))
    return found


def _any(found: list[Conditions]) -> Conditions:
    """Any of these. Values of one facet remain one condition, which its index serves in its order."""
    alone = [each for each in found if each == Conditions(facets=each.facets[:1], compared=each.compared)]
    conditions = [clause["facets"] for each in alone for clause in each.facets]
    entries = {entry for one in conditions for entry in one.get("$in", [one.get("$eq")])}
    if len(conditions) == len(found) and len({entry.partition(":")[0] for entry in entries}) == 1:
        return Conditions(facets=(any_facet(entries),), compared=found[0].compared)
    return Conditions(others=({"$or": [each.clause for each in found]},))


def _find(path: AttrPath, within: str) -> UserField:
    """The field of an attribute; `value` is an item of a list of texts (RFC 7643, 2.4)."""
    parts = [within, "" if within and path.attr.lower() == "value" else str(path)]
    name = ".".join(part for part in parts if part)
    if (field := _FIELDS.get(name.lower())) is not None:
        return field
    near = find_near(name, tuple(_FIELDS))
    hint = f"did you mean `{near[0]}`?" if near else f"compare one of {', '.join(CALLED)}, or ask `q`."
    raise refuse(f"No index serves `{name[:_LONGEST_NAME]}`: {hint}")

"""Filters of SCIM (RFC 7644, section 3.4.2.2), said in the filter language of our listings."""

from typing import Any

from bson import ObjectId
from scim2_models import ScimFilter
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from app.listing import filters
from app.listing.comparisons import refuse
from app.listing.conditions import Conditions
from app.listing.orders import ORDERS
from app.scim.links import Links
from app.scim.mapping import FILTERED
from models.listing import LONGEST_FILTER

_ID = AttrPath(attr="id")
_NOBODY = "0" * 24
_FLAGS = {"true": True, "false": False}
DEEPEST = 20
"""The most opened brackets of a filter."""


async def read(wanted: ScimFilter[Any], links: Links, region: str | None) -> Conditions:
    """The conditions on users. InvalidError where no index serves them."""
    return filters.read_tree(await _translated(wanted.ast, links), region)


async def _translated(node: FilterNode, links: Links) -> FilterNode:
    match node:
        case LogicalExpr():
            return LogicalExpr(
                op=node.op, terms=tuple([await _translated(each, links) for each in node.terms])
            )
        case Not():
            return Not(expr=await _translated(node.expr, links))
        case ValuePath():
            return await _translated(_without_type(node), links)
        case Comparison():
            return await _comparison(node, links)
        case Present():
            return Present(attr_path=_field(node.attr_path))
    raise refuse("The filter has a part that is not served.")


async def _comparison(node: Comparison, links: Links) -> Comparison:
    path, value, field = _path(node.attr_path), node.value, None
    if path == "externalid":
        if node.op is not CompareOperator.eq:
            raise refuse("`externalId` is served by `eq` alone.")
        field, value = _ID, str(await links.find_external(str(value)) or _NOBODY)
    elif path == "id" and not ObjectId.is_valid(str(value)):
        field, value = _ID, _NOBODY
    elif path == "active" and str(value).lower() in _FLAGS:  # some quote it
        value = _FLAGS[str(value).lower()]
    elif path == "username" and isinstance(value, str) and "@" in value:
        field = AttrPath(attr="email")
    return Comparison(attr_path=field or _field(node.attr_path), op=node.op, value=value)


def _without_type(node: ValuePath) -> FilterNode:
    """The comparison of a value, of which only the type was asked besides: we have one that is compared."""
    within = node.val_filter
    terms = (
        within.terms if isinstance(within, LogicalExpr) and within.op is LogicalOperator.and_ else (within,)
    )
    values = [
        term
        for term in terms
        if isinstance(term, Comparison | Present) and term.attr_path.attr.lower() not in ("type", "primary")
    ]
    if len(values) != 1:
        raise refuse(f"Compare one `value` of `{node.attr_path.attr}`, with its `type` at most.")
    inner = values[0]
    path = AttrPath(attr=node.attr_path.attr, sub_attr=inner.attr_path.attr)
    if isinstance(inner, Present):
        return Present(attr_path=path)
    return Comparison(attr_path=path, op=inner.op, value=inner.value)


def _path(path: AttrPath) -> str:
    return ".".join(part for part in (path.attr, path.sub_attr) if part).lower()


def _field(path: AttrPath) -> AttrPath:
    found = FILTERED.get(_path(path))
    if found is None:
        served = "userName, externalId, id, active, displayName, emails.value, title or meta.lastModified"
        raise refuse(f"No index serves `{_path(path)[:64]}`: compare {served}.")
    return AttrPath(attr=found)


def order(path: object) -> str:
    """The order of a `sortBy`. InvalidError where no index serves it."""
    field = FILTERED.get(str(path).rpartition("User:")[2].lower())
    if field not in ORDERS:
        raise refuse(f"No index serves the order by `{str(path)[:64]}`: sort by userName, say.")
    return field


def check(text: str) -> None:
    """InvalidError where a filter is too long or too deep to be parsed."""
    if len(text) > LONGEST_FILTER or text.count("(") + text.count("[") > DEEPEST:
        raise refuse(f"A filter has at most {LONGEST_FILTER} characters and {DEEPEST} brackets.")

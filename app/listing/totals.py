"""Totals: how many users a query matches, and how exactly that is known."""

from typing import Any

from app.core.mongo import Collection
from app.core.time_budget import OverBudgetError, within
from app.listing.queries import Query
from models.listing import Count, Total

CAP = 10_000
_SAMPLE = 1_000


async def total(users: Collection, query: Query, count: Count, *, budget_s: float) -> Total | None:
    """The total; past the budget `exact` falls back to `capped`, and that to None."""
    if count == "none":
        return None
    for attempt in _ATTEMPTS[count]:
        try:
            return await within(budget_s, users, attempt(users, query))
        except OverBudgetError:
            continue
    return Total(value=0, relation="gte")


async def _exact(users: Collection, query: Query) -> Total:
    return Total(value=await _count(users, query), relation="eq")


async def _capped(users: Collection, query: Query) -> Total:
    found = await _count(users, query, limit=CAP + 1)
    return Total(value=min(found, CAP), relation="eq" if found <= CAP else "gte")


async def _estimated(users: Collection, query: Query) -> Total:
    """Exact up to the cap; beyond it estimated from the matching share of a random sample."""
    if not query.matching:
        return Total(value=await users.estimated_document_count(), relation="estimate")
    capped = await _capped(users, query)
    if capped.relation == "eq":
        return capped
    pipeline: list[dict[str, Any]] = [
        {"$sample": {"size": _SAMPLE}},
        {"$match": query.matching},
        {"$count": "n"},
    ]
    counted = await (await users.aggregate(pipeline)).to_list()
    share = (counted[0]["n"] if counted else 0) / _SAMPLE
    everyone = await users.estimated_document_count()
    return Total(value=max(CAP, round(share * everyone)), relation="estimate")


async def _count(users: Collection, query: Query, **limit: Any) -> int:
    if query.matching:
        return await users.count_documents(query.matching, **limit)
    return await users.count_documents({}, hint="_id_", **limit)  # without a hint it would read every user


_ATTEMPTS = {"exact": (_exact, _capped), "capped": (_capped,), "estimated": (_estimated,)}

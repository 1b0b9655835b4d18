"""How many users a query matches, and how honestly that is known."""

from typing import Any

import pymongo
from pymongo.errors import ExecutionTimeout

from app.listing.pages import Users
from app.listing.queries import Query
from models.listing import Count, Total

CAP = 10_000
_SAMPLE = 1_000


async def total(users: Users, query: Query, count: Count, *, budget_s: float) -> Total | None:
    """Within the budget, or less exactly: `exact` falls back to what `capped` finds, that to none at all."""
    if count == "none":
        return None
    matching = query.matching
    try:
        with pymongo.timeout(budget_s):
            if count == "exact":
                return Total(value=await users.count_documents(matching), relation="eq")
            if count == "estimated" and not matching:
                return Total(value=await users.estimated_document_count(), relation="estimate")
            capped = await _capped(users, query)
            if count == "estimated" and capped.relation == "gte":
                return await _estimated(users, matching)
            return capped
    except ExecutionTimeout:
        return await _lower_bound(users, query, count, budget_s)


async def _capped(users: Users, query: Query) -> Total:
    found = await users.count_documents(query.matching, limit=CAP + 1)
    return Total(value=min(found, CAP), relation="eq" if found <= CAP else "gte")


async def _lower_bound(users: Users, query: Query, count: Count, budget_s: float) -> Total:
    if count == "exact":
        try:
            with pymongo.timeout(budget_s):
                return await _capped(users, query)
        except ExecutionTimeout:
            pass
    return Total(value=0, relation="gte")


async def _estimated(users: Users, matching: dict[str, Any]) -> Total:
    """The share of a random sample that matches, of all users; at least the cap, which is known to match."""
    pipeline: list[dict[str, Any]] = [{"$sample": {"size": _SAMPLE}}, {"$match": matching}, {"$count": "n"}]
    counted = await (await users.aggregate(pipeline)).to_list()
    share = (counted[0]["n"] if counted else 0) / _SAMPLE
    everyone = await users.estimated_document_count()
    return Total(value=max(CAP, round(share * everyone)), relation="estimate")

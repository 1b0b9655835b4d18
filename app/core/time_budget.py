"""Time budgets of queries."""

from collections.abc import Awaitable
from typing import TypeVar

import pymongo
from pymongo.errors import ExecutionTimeout, NetworkTimeout

from app.core.errors import OverloadedError
from app.core.mongo import Collection

T = TypeVar("T")
_PING_S = 1.0


class OverBudgetError(Exception):
    """The query was still running when its time was up."""


def busy() -> OverloadedError:
    """The error of a query that is past its budget though cheap by its plan: something else made it slow."""
    return OverloadedError("MongoDB is busy: this took longer than it should. Try again soon.")


async def within(budget_s: float, users: Collection, work: Awaitable[T]) -> T:
    """The result of `work`. OverBudgetError if it takes longer while the server answers others."""
    try:
        with pymongo.timeout(budget_s):
            return await work
    except ExecutionTimeout:
        raise OverBudgetError from None
    except NetworkTimeout:
        # PyMongo gives the server all of its own time, so it mostly hangs up before the server reports that
        # the time is up. Only a server that does not answer a ping is out of service.
        with pymongo.timeout(_PING_S):
            await users.database.command("ping")
        raise OverBudgetError from None

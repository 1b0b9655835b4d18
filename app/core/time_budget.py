"""Time budgets of queries: what takes longer is not waited for."""

from collections.abc import Awaitable
from typing import TypeVar

import pymongo
from pymongo.errors import ExecutionTimeout, NetworkTimeout

from app.core.errors import OverloadedError
from app.core.mongo import Collection

T = TypeVar("T")
_PING_S = 1.0


class OverBudgetError(Exception):
    """The query was still running when its time was up; MongoDB has stopped it."""


def busy() -> OverloadedError:
    """For a query past its budget that is cheap by its plan: something else made it slow."""
    return OverloadedError("MongoDB is busy: this took longer than it should. Try again soon.")


async def within(budget_s: float, users: Collection, work: Awaitable[T]) -> T:
    """What `work` returns. OverBudgetError if it takes longer on a server that is otherwise well."""
    try:
        with pymongo.timeout(budget_s):
            return await work
    except ExecutionTimeout:
        raise OverBudgetError from None
    except NetworkTimeout:
        # PyMongo gives the server all the time it has itself, so it mostly hangs up before the server says
        # that the time is up. Only a server that answers nothing at all is out of service.
        with pymongo.timeout(_PING_S):
            await users.database.command("ping")
        raise OverBudgetError from None

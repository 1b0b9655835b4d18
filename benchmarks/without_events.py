"""`python -m benchmarks.without_events worker`: the worker as it would be without events and webhooks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app import worker
from app.__main__ import main


@asynccontextmanager
async def _doing_nothing(*_: Any, **__: Any) -> AsyncIterator[None]:
    yield


if __name__ == "__main__":
    vars(worker).update(relaying=_doing_nothing, delivering=_doing_nothing)
    main()

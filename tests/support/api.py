"""The service as its users meet it: the app over a real MongoDB and Redis, spoken to by HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app import container
from app.core.settings import Settings
from app.main import create_app
from tests.support.tokens import mint


@asynccontextmanager
async def serving(mongo_uri: str, redis_url: str, **overrides: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app of its own, signed in with every scope as someone who is in no directory.

    `client.app` reaches into it (`client.app.state.container`). Without `jobs_inside=True` it works on
    no jobs.
    """
    settings = Settings(
        _env_file=None,
        mongo_uri=SecretStr(mongo_uri),
        redis_url=SecretStr(redis_url),
        **{"jobs_inside": False} | overrides,
    )
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://localhost"
        ) as client,
    ):
        client.app = app  # type: ignore[attr-defined]  # a handle for tests
        client.headers["Authorization"] = f"Bearer {await mint(app.state.container)}"
        yield client


@asynccontextmanager
async def serving_prepared(
    mongo_uri: str, redis_url: str, **overrides: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The same on a database that has its indexes: the start does not look for each of them."""
    async with AsyncExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(container, "opened", partial(container.opened, apply_indexes=False))
            client = await running.enter_async_context(serving(mongo_uri, redis_url, **overrides))
        yield client

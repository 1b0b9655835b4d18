"""`Prefer: wait=N` (RFC 7240)."""

import pytest
from fastapi import FastAPI

from app.http.dependencies import Patience
from tests.support.small_app import client_of

app = FastAPI()


@app.get("/patience")
async def read_patience(patience: Patience) -> float | None:
    return patience


async def read(prefer: str | None) -> object:
    headers = [] if prefer is None else [(b"Prefer", prefer.encode())]
    async with client_of(app) as client:
        return (await client.get("/patience", headers=headers)).json()


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=10", 10),
        ("wait=0", 0),
        ("wait=31", 30),
        ("wait=999999", 30),
        ("respond-async, wait=5", 5),
        ("respond-async;wait=5", 5),
        ('WAIT = "7" , x=1', 7),
    ],
)
async def test_the_wait_is_read_and_bounded(prefer: str, seconds: int) -> None:
    assert await read(prefer) == seconds


@pytest.mark.parametrize(
    "prefer",
    [None, "", "wait", "wait=", "wait=x", "wait=-1", "await=5", "wait=٣", "x wait=5"],
)
async def test_what_is_no_wait_is_ignored(prefer: str | None) -> None:
    assert await read(prefer) is None

"""Reads whose answer comes whole in one reply, so that no cursor stays open in MongoDB."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.mongo import Collection, Row

INDEX = "search_words"
_MOST = 3_002
"""More rows than any read asks for."""


async def aggregate(users: Collection, pipeline: Sequence[Row], hint: str = INDEX) -> list[Row]:
    asked = {"aggregate": users.name, "pipeline": [*pipeline], "cursor": {"batchSize": _MOST}, "hint": hint}
    return await _batch(users, asked)


async def find(users: Collection, asked: Mapping[str, Any]) -> list[Row]:
    """The rows of a `find` with these parts of the command, `hint` and `limit` among them."""
    return await _batch(users, {"find": users.name, **asked, "batchSize": _MOST, "singleBatch": True})


async def find_keys(users: Collection, asked: Mapping[str, Any]) -> list[Row]:
    """The keys of the index of postings, each with the paths that the index has."""
    return await find(users, {**asked, "hint": INDEX, "returnKey": True})


async def _batch(users: Collection, command: dict[str, Any]) -> list[Row]:
    reply = await users.database.command(command, codec_options=users.codec_options)
    rows: list[Row] = reply["cursor"]["firstBatch"]
    return rows

"""A private redis-server that keeps all it has acknowledged and evicts nothing."""

import contextlib
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.commands.embedded import ports


def command(binary: Path, data: Path, port: int) -> list[str]:
    return [
        *(str(binary), "--dir", str(data), "--port", str(port), "--bind", ports.LOOPBACK),
        *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
    ]


def url(port: int) -> str:
    return f"redis://{ports.LOOPBACK}:{port}/0"


def find_ready(port: int) -> int | None:
    """The pid of the server at the port, once it has loaded its file: before, it refuses every command."""
    with (
        contextlib.suppress(RedisError),
        Redis.from_url(
            url(port), socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
        ) as client,
    ):
        client.ping()
        return int(client.info("server")["process_id"])
    return None

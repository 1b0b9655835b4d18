"""The command line: `python -m app serve | sample | indexes | openapi`."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from types import FrameType
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
import typer
import uvicorn
from pydantic import SecretStr
from rich.console import Console
from rich.progress import Progress

from app import embedded, indexes, resources, samples, settings
from app.errors import StartError
from app.main import create_app
from app.settings import Settings

cli = typer.Typer(help="Roster, a self-hosted user directory.", no_args_is_help=True, add_completion=False)
indexes_cli = typer.Typer(help="The indexes and the validator of the users collection.", no_args_is_help=True)
cli.add_typer(indexes_cli, name="indexes")
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

SAMPLE_PEOPLE = 1_000
"""Put into an empty embedded directory, so that a newcomer has something to page through."""

_LISTENING_S = 60
T = TypeVar("T")


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
) -> None:
    """Serve HTTP; with no ROSTER_MONGO_URI or ROSTER_REDIS_URL, on servers of its own."""
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    with backends(settings.load(**given)) as (config, is_embedded):
        if is_embedded:
            _run(_fill_if_empty, config)
        threading.Thread(target=_announce, args=(config,), daemon=True).start()
        uvicorn.run(
            "app.main:create_app",
            factory=True,
            host=config.host,
            port=config.port,
            workers=workers,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=30,
        )


@cli.command()
def sample(count: Annotated[int, typer.Argument(min=1, max=100_000_000, help="How many people.")]) -> None:
    """Add sample people: always the same ones, so a second run adds only those that are missing."""
    with backends(settings.load()) as (config, _), Progress(console=err, transient=True) as progress:
        task = progress.add_task("people", total=count)
        added = _run(
            lambda opened: samples.add(opened, count, on_batch=lambda n: progress.advance(task, n)), config
        )
    out.print(f"{added} people added, {count - added} were there already.")


@indexes_cli.command("check")
def check_indexes() -> None:
    """Say what differs from the declared indexes; exit 1 if anything does."""
    with backends(settings.load()) as (config, _):
        found = _run(lambda opened: indexes.check(opened.database), config, apply_indexes=False)
    for sentence in found:
        out.print(sentence)
    if found:
        raise typer.Exit(1)
    out.print("All indexes and the validator are as declared.")


@indexes_cli.command("apply")
def apply_indexes() -> None:
    """Create what is missing; MongoDB builds indexes without blocking reads and writes."""
    with backends(settings.load()) as (config, _):
        _run(lambda opened: indexes.check(opened.database), config)
    out.print("Indexes and validator applied.")


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    document = create_app(Settings(_env_file=None)).openapi()
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


@contextmanager
def backends(config: Settings) -> Iterator[tuple[Settings, bool]]:
    """Settings that name both backends, and whether MongoDB is our own; what is not set is started."""
    _stop_on_sigterm()
    needs = {"mongo": config.mongo_uri is None, "redis": config.redis_url is None}
    with embedded.running(config.data_dir, **needs) as servers:
        uris = {"mongo_uri": servers.mongo_uri, "redis_url": servers.redis_url}
        started = {name: uri for name, uri in uris.items() if uri is not None}
        for name, uri in {**started, "host": config.host, "port": str(config.port)}.items():
            os.environ[f"ROSTER_{name.upper()}"] = uri  # for the worker processes
        yield config.model_copy(update={k: SecretStr(uri) for k, uri in started.items()}), needs["mongo"]


def _stop_on_sigterm() -> None:
    """SIGTERM unwinds the stack, so that what was started is stopped."""

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


def _run(
    work: Callable[[resources.Resources], Coroutine[Any, Any, T]],
    config: Settings,
    *,
    apply_indexes: bool = True,
) -> T:
    async def run() -> T:
        async with resources.opened(config, apply_indexes=apply_indexes) as opened:
            return await work(opened)

    return asyncio.run(run())


async def _fill_if_empty(opened: resources.Resources) -> None:
    if not await opened.users.find_one({}, {"_id": 1}):
        await samples.add(opened, SAMPLE_PEOPLE)


def _announce(config: Settings) -> None:
    """Once the server answers, the lines a newcomer can paste."""
    for _ in range(_LISTENING_S * 10):
        with suppress(OSError):
            connection = HTTPConnection(config.host, config.port, timeout=1)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:  # noqa: PLR2004
                out.print(_welcome(f"http://{config.host}:{config.port}"))
                return
        time.sleep(0.1)


def _welcome(base: str) -> str:
    return f"""
Roster is listening. Its pages for people: {base}/docs

  curl '{base}/users?limit=3&sort=name'
  curl '{base}/users' -H 'Content-Type: application/json' -d '{{"name": "Zoë", "email": "zoe@example.com"}}'
  curl -o users.xlsx '{base}/users/export?format=xlsx'
"""


def main() -> None:
    try:
        cli()
    except StartError as error:
        err.print(f"Roster cannot start. {error}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()

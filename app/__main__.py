"""The command line: `python -m app serve | sample | indexes | openapi`."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
import typer
from pydantic import SecretStr
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import Progress

from app import embedded, indexes, resources, samples, serving, settings
from app.errors import StartError
from app.main import create_app
from app.settings import Settings

cli = typer.Typer(
    help="Roster, a self-hosted user directory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and with them addresses and passwords
)
indexes_cli = typer.Typer(help="The indexes and the validator of the users collection.", no_args_is_help=True)
cli.add_typer(indexes_cli, name="indexes")
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

SAMPLE_PEOPLE = 1_000
"""Put into an empty embedded directory, so that a newcomer has something to page through."""

_STARTING_S = 60
T = TypeVar("T")


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
) -> None:
    """Serve HTTP; with no ROSTER_MONGO_URI or ROSTER_REDIS_URL, on servers of its own."""
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    config = settings.load(**given)
    with serving.listen(config.host, config.port) as listening, backends(config, own=True) as (found, fill):
        _run(_fill_if_empty if fill else _do_nothing, found)
        threading.Thread(target=_announce, args=(serving.find_url(listening),), daemon=True).start()
        _leave_on_sigterm(status=0)
        serving.run(listening, workers=workers)


@cli.command()
def sample(count: Annotated[int, typer.Argument(min=1, max=100_000_000, help="How many people.")]) -> None:
    """Add sample people: always the same ones, so a second run adds only those that are missing."""
    with backends(settings.load()) as (config, _), _progress() as progress:
        task = progress.add_task("people", total=count)
        added = _run(
            lambda opened: samples.add(opened, count, on_batch=lambda n: progress.advance(task, n)), config
        )
    out.print(f"{added} people added, {count - added} were there already.")


def _progress() -> Progress:
    return Progress(console=err, transient=True, disable=not err.is_terminal)


@indexes_cli.command("check")
def check_indexes() -> None:
    """Say what differs from the declared indexes; exit 1 if anything does."""
    with backends(settings.load()) as (config, _):
        found = _run(lambda opened: indexes.check(opened.database), config, apply_indexes=False)
    for sentence in found:
        out.print(sentence, markup=False)
    if found:
        raise typer.Exit(1)
    out.print("All indexes and the validator are as declared.")


@indexes_cli.command("apply")
def apply_indexes() -> None:
    """Create what is missing; MongoDB builds indexes without blocking reads and writes."""
    with backends(settings.load()) as (config, _):
        left = _run(lambda opened: indexes.check(opened.database), config)
    for sentence in left:
        out.print(sentence, markup=False)
    out.print("Indexes and validator applied.")


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document; it depends on no setting."""
    document = create_app(Settings.model_construct()).openapi()
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


@contextmanager
def backends(config: Settings, *, own: bool = False) -> Iterator[tuple[Settings, bool]]:
    """Settings that name both backends, and whether MongoDB is embedded; what is not set is started.

    Unless they must be its `own`, a command shares the embedded servers of a process that already runs them.
    """
    _leave_on_sigterm(status=128 + signal.SIGTERM)
    needs = {"mongo": config.mongo_uri is None, "redis": config.redis_url is None}
    with embedded.running(config.data_dir, **needs, share=not own) as servers:
        uris = {"mongo_uri": servers.mongo_uri, "redis_url": servers.redis_url}
        started = {name: uri for name, uri in uris.items() if uri is not None}
        for name, uri in {**started, "host": config.host, "port": str(config.port)}.items():
            os.environ[f"ROSTER_{name.upper()}"] = uri  # for the worker processes
        yield config.model_copy(update={k: SecretStr(uri) for k, uri in started.items()}), needs["mongo"]


def _leave_on_sigterm(*, status: int) -> None:
    """SIGTERM unwinds the stack, so that what was started is stopped."""

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(status)

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


async def _do_nothing(_: resources.Resources) -> None:
    """To open the backends is enough: what is wrong with them is said once, and not by each worker."""


def _announce(url: str) -> None:
    """Once the server answers (the socket listens already), the lines a newcomer can paste."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=_STARTING_S)
    with suppress(OSError, HTTPException):
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        out.print(_welcome(url), markup=False)
    connection.close()


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
    except (PyMongoError, RedisError) as error:
        err.print(f"Roster had to stop: {error}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()

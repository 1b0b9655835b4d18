"""The command line: `python -m app serve | sample | indexes | openapi`."""

import sys
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Annotated

import orjson
import typer
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app import resources, samples, serving, settings
from app.commands import clients, indexes
from app.commands.running import backends, err, leave_on_sigterm, out, progress, run
from app.errors import StartError
from app.main import create_app
from app.settings import Settings

cli = typer.Typer(
    help="Roster, a self-hosted user directory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and with them addresses and passwords
)
cli.add_typer(indexes.cli, name="indexes")
cli.add_typer(clients.cli, name="clients")

SAMPLE_PEOPLE = 1_000
"""Put into an empty embedded directory, so that a newcomer has something to page through."""

_STARTING_S = 60


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
        run(_fill_if_empty if fill else _do_nothing, found)
        threading.Thread(target=_announce, args=(serving.find_url(listening),), daemon=True).start()
        leave_on_sigterm(status=0)
        serving.run(listening, workers=workers)


@cli.command()
def sample(count: Annotated[int, typer.Argument(min=1, max=100_000_000, help="How many people.")]) -> None:
    """Add sample people: always the same ones, so a second run adds only those that are missing."""
    with backends(settings.load()) as (config, _), progress() as bar:
        task = bar.add_task("people", total=count)
        added = run(
            lambda opened: samples.add(opened, count, on_batch=lambda n: bar.advance(task, n)), config
        )
    out.print(f"{added} people added, {count - added} were there already.")


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document; it depends on no setting."""
    document = create_app(Settings.model_construct()).openapi()
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


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

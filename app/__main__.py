"""The command line: `python -m app serve | worker | import | export | create-admin | clients | …`."""

import os
import sys
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.commands import (
    admins,
    checking,
    clients,
    exporting,
    files,
    first_start,
    importing,
    indexes,
    keys,
    mail,
    samples,
    search,
    serving,
    webhooks,
    worker,
)
from app.commands.running import backends, err, leave_on_sigterm, out, progress, run, show_once
from app.core import settings
from app.core.errors import StartError
from app.core.settings import Settings
from app.mail.messages import Messages
from app.main import create_app
from app.monitoring import logs
from app.monitoring.metrics_port import exposed
from app.pages import Pages

cli = typer.Typer(
    help="Roster, a self-hosted user directory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and so addresses and passwords
)
cli.command("check")(checking.check)
cli.command("create-admin")(admins.create_admin)
cli.command()(exporting.export)
cli.command("import")(importing.import_users)
cli.command("revert-import")(importing.revert_import)
cli.command()(worker.worker)
cli.add_typer(indexes.cli, name="indexes")
cli.add_typer(keys.cli, name="keys")
cli.add_typer(search.cli, name="search")
cli.add_typer(files.cli, name="files")
cli.add_typer(clients.cli, name="clients")
cli.add_typer(mail.cli, name="mail")
cli.add_typer(webhooks.cli, name="webhooks")

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
    Pages(config)  # what is wrong with a template is said before anything else starts
    Messages(config)
    with serving.listen(config.host, config.port) as listening, backends(config, own=True) as (found, embeds):
        url = serving.find_url(listening)
        os.environ["ROSTER_ISSUER"] = found.issuer or url  # the port may have been any
        prepare = first_start.prepare_embedded if embeds else first_start.prepare
        admin = run(prepare, found, wait_s=found.start_wait_s)
        threading.Thread(target=_announce, args=(url, admin, found.mail_folder), daemon=True).start()
        leave_on_sigterm(status=0)
        with exposed(found, workers=workers):
            serving.run(
                listening,
                workers=workers,
                keep_alive_s=found.keep_alive_s,
                stop_delay_s=found.stop_delay_s,
                stop_grace_s=found.stop_grace_s,
            )


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


def _announce(url: str, admin: first_start.Admin | None, mail_folder: Path | None) -> None:
    """Print lines that a newcomer can paste, once the server answers (the socket listens already)."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=_STARTING_S)
    with suppress(OSError, HTTPException):
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        show_once(first_start.welcome(url, admin, mail_folder))
    connection.close()


def main() -> None:
    sys.stdout = sys.stdout or sys.stderr  # None where it is closed, but what is shown only once must be seen
    logs.escape_unprintable()
    try:
        cli()
    except StartError as error:
        err.print(f"Roster cannot start. {error}", markup=False)
        sys.exit(1)
    except (PyMongoError, RedisError) as error:
        err.print(f"Roster stopped: {error}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()

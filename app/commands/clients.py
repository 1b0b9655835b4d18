"""`python -m app clients add | list | renew-secret | remove`."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar, cast, get_args

import typer
from pymongo.asynchronous.database import AsyncDatabase

from app import clients, settings
from app.commands.running import backends, err, out, run, show_once
from app.errors import InvalidError
from models.values import Scope

cli = typer.Typer(help="The OAuth clients that may ask for tokens and about them.", no_args_is_help=True)

T = TypeVar("T")
_Id = Annotated[str, typer.Argument(metavar="ID", help="The client's id.")]


def _check_scopes(names: list[str] | None) -> list[str] | None:
    if names and not set(names).issubset(get_args(Scope)):
        raise typer.BadParameter(f"The scopes are {', '.join(get_args(Scope))}.")
    return names


@cli.command("add")
def add_client(
    name: Annotated[str, typer.Argument(help="What people know it by.")],
    *,
    public: Annotated[
        bool, typer.Option("--public", help="It cannot keep a secret: an app in a browser or on a phone.")
    ] = False,
    client_id: Annotated[
        str | None, typer.Option("--id", help="Its id; made from the name by default.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A scope it may be given; repeat for more. None: any.", callback=_check_scopes),
    ] = None,
) -> None:
    """Register a client; prints its id and, this once, its secret."""
    scopes = cast("list[Scope]", scope) or None
    client, secret = _run(
        lambda database: clients.register(
            database, name, client_id=client_id, is_public=public, scopes=scopes
        )
    )
    out.print(f"id: {client.id}", markup=False)
    if secret is not None:
        _show(secret)


@cli.command("list")
def list_clients() -> None:
    """List the registered clients: id, name, whether it has a secret, the scopes it may be given."""
    for client in _run(clients.list_all):
        kind = "public" if client.is_public else "confidential"
        scopes = "any scope" if client.scopes is None else " ".join(sorted(client.scopes))
        typer.echo(f"{client.id}\t{client.name}\t{kind}\t{scopes}")  # rich would spoil tabs and `:cat:`


@cli.command("renew-secret")
def renew_secret(client_id: _Id) -> None:
    """Give a client a new secret, printed this once; the old one is good no longer."""
    _show(_run(lambda database: clients.renew_secret(database, client_id)))


@cli.command("remove")
def remove_client(client_id: _Id) -> None:
    """Remove a client: it is unknown from the next request on."""
    _run(lambda database: clients.remove(database, client_id))
    out.print(f"{client_id} is removed.", markup=False)


def _show(secret: str) -> None:
    show_once(f"secret: {secret}\n")
    err.print("Keep the secret now: it cannot be shown again.")


def _run(work: Callable[[AsyncDatabase[dict[str, Any]]], Coroutine[Any, Any, T]]) -> T:
    try:
        with backends(settings.load()) as (config, _):
            return run(lambda opened: work(opened.database), config, apply_indexes=False)
    except InvalidError as error:
        err.print(error.detail, markup=False)
        raise typer.Exit(1) from None

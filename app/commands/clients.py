"""`python -m app clients add | list | change | renew-secret | remove`."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar, cast, get_args

import typer

from app.auth import accounts
from app.auth.clients import Client
from app.commands.running import backends, err, out, run, show_once
from app.container import Container
from app.core import settings
from app.core.errors import InvalidError
from models.values import Scope

cli = typer.Typer(help="The OAuth clients that may request and inspect tokens.", no_args_is_help=True)

T = TypeVar("T")
_Id = Annotated[str, typer.Argument(metavar="ID", help="The client's id.")]


def _check_scopes(names: list[str] | None) -> list[str] | None:
    if names and not set(names).issubset(get_args(Scope)):
        raise typer.BadParameter(f"The scopes are {', '.join(get_args(Scope))}.")
    return names


@cli.command("add")
def add_client(
    name: Annotated[str, typer.Argument(help="The name that people know it by.")],
    *,
    public: Annotated[
        bool,
        typer.Option(
            "--public", help="For a client that cannot keep a secret: an app in a browser or on a phone."
        ),
    ] = False,
    client_id: Annotated[
        str | None, typer.Option("--id", help="Its id; made from the name by default.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A scope it may be given; repeat for more. None: any.", callback=_check_scopes),
    ] = None,
) -> None:
    """Register a client; prints its id and, only once, its secret."""
    scopes = cast("list[Scope]", scope) or None
    client, secret = _run(
        lambda opened: opened.auth.clients.register(
            name, client_id=client_id, is_public=public, scopes=scopes
        )
    )
    out.print(f"id: {client.id}", markup=False)
    if secret is not None:
        _show(secret)


@cli.command("list")
def list_clients() -> None:
    """List the registered clients: id, name, whether it has a secret, the scopes it may be given."""
    for client in _run(lambda opened: opened.auth.clients.list_all()):
        _tell(client)


def _tell(client: Client) -> None:
    kind = "public" if client.is_public else "confidential"
    scopes = "any scope" if client.scopes is None else " ".join(sorted(client.scopes))
    typer.echo(f"{client.id}\t{client.name}\t{kind}\t{scopes}")  # rich would change tabs and `:cat:`


@cli.command("change")
def change_client(
    client_id: _Id,
    *,
    name: Annotated[str | None, typer.Option(help="The name that people know it by.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A scope it may be given; repeat for more.", callback=_check_scopes),
    ] = None,
    any_scope: Annotated[bool, typer.Option("--any-scope", help="It may be given any scope.")] = False,
) -> None:
    """Change a client's name or scopes; its secret and its sessions go on.

    Sign-ins and refreshes grant by the new scopes from now on; access tokens keep theirs until they expire.
    """
    if bool(scope) == any_scope and (any_scope or name is None):
        raise typer.BadParameter("Give --name, and --scope or --any-scope, not both.")
    scopes = cast("list[Scope]", scope) or None
    changed = _run(
        lambda opened: opened.auth.clients.change(client_id, name=name, scopes=scopes, any_scope=any_scope)
    )
    _tell(changed)


@cli.command("renew-secret")
def renew_secret(client_id: _Id) -> None:
    """Give a client a new secret, printed only once; the old one is no longer valid."""
    _show(_run(lambda opened: opened.auth.clients.renew_secret(client_id)))


@cli.command("remove")
def remove_client(client_id: _Id) -> None:
    """Remove a client, which ends its sessions and takes effect with the next request."""
    _run(lambda opened: accounts.remove_client(opened.auth, client_id))
    out.print(f"{client_id} is removed.", markup=False)


def _show(secret: str) -> None:
    show_once(f"secret: {secret}\n")
    err.print("Keep the secret now: it cannot be shown again.")


def _run(work: Callable[[Container], Coroutine[Any, Any, T]]) -> T:
    try:
        with backends(settings.load()) as (config, _):
            return run(work, config, apply_indexes=False)
    except InvalidError as error:
        err.print(error.detail, markup=False)
        raise typer.Exit(1) from None

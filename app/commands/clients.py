"""`python -m app clients add | list | change | renew-secret | remove`."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import typer

from app import oauth
from app.clients import Client, NewClient
from app.commands.running import backends, err, out, run, show_once
from app.container import Container
from app.core import sealing, settings
from app.core.errors import RosterError
from models.account import MONTH_S
from models.client import DAY_S, OLDER_GRANT_TYPES, AuthMethod, GrantType
from models.values import ALL_SCOPES, IDENTITY_SCOPES

cli = typer.Typer(help="The OAuth clients that may request and inspect tokens.", no_args_is_help=True)

T = TypeVar("T")
_GRANT_TYPES: dict[str, GrantType] = {each.rpartition(":")[2]: each for each in get_args(GrantType)}
"""By the names that are typed: the last part of an URN."""


def _check_scopes(names: list[str] | None) -> list[str] | None:
    known = (*ALL_SCOPES, *IDENTITY_SCOPES)
    if names and not set(names).issubset(known):
        raise typer.BadParameter(f"The scopes are {', '.join(known)}.")
    return names


def _check_grant_types(names: list[str] | None) -> list[str] | None:
    if names and not set(names).issubset(_GRANT_TYPES):
        raise typer.BadParameter(f"The grant types are {', '.join(_GRANT_TYPES)}.")
    return names


def _read_keys(path: Path | None) -> tuple[dict[str, Any], ...]:
    """The keys of a file with a JWK Set (RFC 7517, section 5)."""
    if path is None:
        return ()
    try:
        keys = sealing.read_object(path.read_bytes()).get("keys")
    except (OSError, ValueError):
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise typer.BadParameter("Name a file with a JWK Set: an object with the list `keys`.")
    return tuple(keys)


_Id = Annotated[str, typer.Argument(metavar="ID", help="The client's id.")]
_Scope = Annotated[
    list[str] | None,
    typer.Option(help="A scope it may be given; repeat for more. None: any.", callback=_check_scopes),
]
_Grant = Annotated[
    list[str] | None,
    typer.Option(
        "--grant",
        help=f"A grant type that it may use; repeat for more: {', '.join(_GRANT_TYPES)}.",
        callback=_check_grant_types,
    ),
]
_Redirect = Annotated[
    list[str] | None,
    typer.Option("--redirect-uri", help="Where sign-ins may end; repeat for more."),
]
_LogoutRedirect = Annotated[
    list[str] | None,
    typer.Option("--logout-redirect-uri", help="Where sign-outs may end; repeat for more."),
]
_Backchannel = Annotated[
    str | None,
    typer.Option("--backchannel-logout-uri", help="Where Roster says that a session has ended."),
]
_Jwks = Annotated[
    Path | None,
    typer.Option(
        help="A file with its public keys (a JWK Set), by which it signs assertions.", dir_okay=False
    ),
]
_FirstParty = Annotated[
    bool | None,
    typer.Option("--first-party/--third-party", help="Whether its users are not asked for their consent."),
]
_Par = Annotated[
    bool | None,
    typer.Option("--require-par/--no-require-par", help="Whether it must push its authorization requests."),
]
_BackchannelSession = Annotated[
    bool | None,
    typer.Option(
        "--backchannel-logout-session/--no-backchannel-logout-session",
        help="Whether logout tokens must name the session.",
    ),
]


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
    scope: _Scope = None,
    grant: _Grant = None,
    redirect_uri: _Redirect = None,
    logout_redirect_uri: _LogoutRedirect = None,
    first_party: _FirstParty = None,
    require_par: _Par = None,
    backchannel_logout_uri: _Backchannel = None,
    backchannel_logout_session: _BackchannelSession = None,
    jwks: _Jwks = None,
) -> None:
    """Register a client; prints its id and, only once, its secret.

    Without --grant it may use authorization_code and refresh_token if it has a --redirect-uri, else password
    and refresh_token.
    """
    if public and jwks is not None:
        raise typer.BadParameter("Give --public or --jwks, not both.")
    method: AuthMethod = "none" if public else "client_secret_basic" if jwks is None else "private_key_jwt"
    by_default = ("authorization_code", "refresh_token") if redirect_uri else OLDER_GRANT_TYPES
    given = _given(
        scopes=scope or None, grant_types=grant or by_default, redirect_uris=redirect_uri,
        post_logout_redirect_uris=logout_redirect_uri, is_first_party=first_party, requires_par=require_par,
        backchannel_logout_uri=backchannel_logout_uri,
        backchannel_logout_session_required=backchannel_logout_session, keys=_read_keys(jwks),
    )  # fmt: skip
    new = NewClient(name=name, auth_method=method, **given)
    client, secret = _run(lambda opened: opened.auth.clients.register(new, client_id=client_id))
    out.print(f"id: {client.id}", markup=False)
    if secret is not None:
        _show(secret)


@cli.command("list")
def list_clients() -> None:
    """List the registered clients: id, name, whether it can authenticate, its scopes and its grant types."""
    for client in _run(lambda opened: opened.auth.clients.list_all()):
        _tell(client)


def _tell(client: Client) -> None:
    kind = "public" if client.is_public else "confidential"
    scopes = "any scope" if client.scopes is None else " ".join(sorted(client.scopes))
    grants = " ".join(name for name, urn in _GRANT_TYPES.items() if urn in client.grant_types)
    # rich would change tabs and `:cat:`
    typer.echo(f"{client.id}\t{client.name}\t{kind}\t{scopes}\t{grants}")


@cli.command("change")
def change_client(
    client_id: _Id,
    *,
    name: Annotated[str | None, typer.Option(help="The name that people know it by.")] = None,
    scope: _Scope = None,
    any_scope: Annotated[bool, typer.Option("--any-scope", help="It may be given any scope.")] = False,
    grant: _Grant = None,
    redirect_uri: _Redirect = None,
    logout_redirect_uri: _LogoutRedirect = None,
    first_party: _FirstParty = None,
    require_par: _Par = None,
    backchannel_logout_uri: _Backchannel = None,
    backchannel_logout_session: _BackchannelSession = None,
    jwks: _Jwks = None,
) -> None:
    """Change what a client is registered with; its secret and its sessions go on.

    A list is replaced as a whole, and "" empties it. Sign-ins and refreshes grant by the new scopes from now
    on; access tokens keep theirs until they expire.
    """
    given = _given(
        name=name, scopes=scope, grant_types=grant, redirect_uris=redirect_uri,
        post_logout_redirect_uris=logout_redirect_uri, is_first_party=first_party, requires_par=require_par,
        backchannel_logout_uri=backchannel_logout_uri,
        backchannel_logout_session_required=backchannel_logout_session, keys=_read_keys(jwks) or None,
    )  # fmt: skip
    if any_scope == ("scopes" in given) and (any_scope or not given):
        raise typer.BadParameter("Give what to change, and --scope or --any-scope, not both.")
    changes = given | ({"scopes": None} if any_scope else {})
    _tell(_run(lambda opened: oauth.change_client(opened.auth, client_id, changes)))


def _given(**options: Any) -> dict[str, Any]:
    """The fields of a client that options set; an empty text in a list, or for a URI, is none."""
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, list | tuple):
            kept = (_GRANT_TYPES.get(each, each) if name == "grant_types" else each for each in value if each)
            given[name] = frozenset(kept) if name in {"scopes", "grant_types"} else tuple(kept)
        elif name == "backchannel_logout_uri":
            given[name] = value or None
    return given


@cli.command("renew-secret")
def renew_secret(
    client_id: _Id,
    *,
    overlap: Annotated[
        int, typer.Option(min=0, max=MONTH_S, help="Seconds for which the old one is good, too.")
    ] = DAY_S,
) -> None:
    """Give a client a new secret, printed only once; the old one is good for another day unless told."""
    _show(_run(lambda opened: opened.auth.clients.renew_secret(client_id, overlap_s=overlap)))


@cli.command("remove")
def remove_client(client_id: _Id) -> None:
    """Remove a client, which ends its sessions and takes effect with the next request."""
    _run(lambda opened: oauth.remove_client(opened.auth, client_id))
    out.print(f"{client_id} is removed.", markup=False)


def _show(secret: str) -> None:
    show_once(f"secret: {secret}\n")
    err.print("Keep the secret now: it cannot be shown again.")


def _run(work: Callable[[Container], Coroutine[Any, Any, T]]) -> T:
    try:
        with backends(settings.load()) as (config, _):
            return run(work, config, apply_indexes=False)
    except RosterError as error:
        err.print(error.detail, markup=False)
        raise typer.Exit(1) from None

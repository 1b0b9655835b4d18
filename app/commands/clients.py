"""`python -m app clients add | list | change | renew-secret | token | tokens | end-token | remove`."""

from collections.abc import Callable, Collection
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from app import accounts, oauth
from app.clients import Client, NewClient
from app.commands.running import err, out, read_input, run_once, show_once
from app.container import Container
from app.core import sealing
from models.account import MONTH_S
from models.client import DAY_S, OLDER_GRANT_TYPES, AuthMethod, GrantType
from models.opaque_token import OpaqueTokenInput
from models.values import ALL_SCOPES, IDENTITY_SCOPES

cli = typer.Typer(help="The OAuth clients that may request and inspect tokens.", no_args_is_help=True)

_GRANT_TYPES: dict[str, GrantType] = {each.rpartition(":")[2]: each for each in get_args(GrantType)}
"""By the names that are typed: the last part of an URN."""
_SCOPES = (*ALL_SCOPES, *IDENTITY_SCOPES)
_OPTIONS: dict[str, tuple[type, str, str]] = {
    "scopes": (list[str], "--scope", "A scope it may be given; repeat for more. None: any."),
    "grant_types": (
        list[str], "--grant", f"A grant type that it may use; repeat for more: {', '.join(_GRANT_TYPES)}."
    ),
    "redirect_uris": (list[str], "--redirect-uri", "Where sign-ins may end; repeat for more."),
    "post_logout_redirect_uris": (
        list[str], "--logout-redirect-uri", "Where sign-outs may end; repeat for more."
    ),
    "is_first_party": (
        bool, "--first-party/--third-party", "Whether its users are not asked for their consent."
    ),
    "requires_par": (
        bool, "--require-par/--no-require-par", "Whether it must push its authorization requests."
    ),
    "backchannel_logout_uri": (
        str, "--backchannel-logout-uri", "Where Roster says that a session has ended."
    ),
    "backchannel_logout_session_required": (
        bool, "--backchannel-logout-session/--no-backchannel-logout-session",
        "Whether logout tokens must name the session.",
    ),
    "keys": (
        Path, "--jwks", "A file with its public keys (a JWK Set), by which it signs assertions."
    ),
}  # fmt: skip
"""What sets a field of a client: its type, its names and its help."""
_Id = Annotated[str, typer.Argument(metavar="ID", help="The client's id.")]


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with `_OPTIONS` besides its own, which it gets as `fields` of a client."""

    @wraps(command)
    def run_command(**options: Any) -> None:
        fields = _read_fields({name: options.pop(name) for name in _OPTIONS})
        command(fields=fields, **options)

    parameters = [each for each in signature(command).parameters.values() if each.name != "fields"]
    for name, (kind, names, text) in _OPTIONS.items():
        option = typer.Option(None, names, help=text)
        parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=option, annotation=kind | None))
    vars(run_command)["__signature__"] = Signature(parameters)
    return run_command


def _read_fields(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that options set; an empty text in a list, or for a URI, is none."""
    fields = {name: value for name, value in options.items() if value is not None}
    for name, value in fields.items():
        if name == "scopes":
            fields[name] = frozenset(_check(value, "scopes", _SCOPES))
        elif name == "grant_types":
            fields[name] = frozenset(
                _GRANT_TYPES[each] for each in _check(value, "grant types", _GRANT_TYPES)
            )
        elif name == "keys":
            fields[name] = _read_keys(value)
        elif isinstance(value, list):
            fields[name] = tuple(filter(None, value))
        elif value == "":
            fields[name] = None
    return fields


def _check(names: list[str], kind: str, known: Collection[str]) -> list[str]:
    if not set(names).issubset(known):
        raise typer.BadParameter(f"The {kind} are {', '.join(known)}.")
    return names


def _read_keys(path: Path) -> tuple[dict[str, Any], ...]:
    """The keys of a file with a JWK Set (RFC 7517, section 5)."""
    try:
        keys = sealing.read_object(path.read_bytes()).get("keys")
    except (OSError, ValueError):
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise typer.BadParameter("Name a file with a JWK Set: an object with the list `keys`.")
    return tuple(keys)


@cli.command("add")
@_with_options
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
    fields: dict[str, Any],
) -> None:
    """Register a client; prints its id and, only once, its secret.

    Without --grant it may use authorization_code and refresh_token if it has a --redirect-uri, else password
    and refresh_token.
    """
    if public and "keys" in fields:
        raise typer.BadParameter("Give --public or --jwks, not both.")
    method: AuthMethod = (
        "none" if public else "private_key_jwt" if "keys" in fields else "client_secret_basic"
    )
    by_default = ("authorization_code", "refresh_token") if fields.get("redirect_uris") else OLDER_GRANT_TYPES
    new = NewClient(name=name, auth_method=method, **{"grant_types": frozenset(by_default)} | fields)
    client, secret = run_once(lambda opened: opened.auth.clients.register(new, client_id=client_id))
    out.print(f"id: {client.id}", markup=False)
    if secret is not None:
        _show(secret)


@cli.command("list")
def list_clients() -> None:
    """List the registered clients: id, name, whether it can authenticate, its scopes and its grant types."""
    for client in run_once(lambda opened: opened.auth.clients.list_all()):
        _tell(client)


def _tell(client: Client) -> None:
    kind = "public" if client.is_public else "confidential"
    scopes = "any scope" if client.scopes is None else " ".join(sorted(client.scopes))
    grants = " ".join(name for name, urn in _GRANT_TYPES.items() if urn in client.grant_types)
    # rich would change tabs and `:cat:`
    typer.echo(f"{client.id}\t{client.name}\t{kind}\t{scopes}\t{grants}")


@cli.command("change")
@_with_options
def change_client(
    client_id: _Id,
    *,
    name: Annotated[str | None, typer.Option(help="The name that people know it by.")] = None,
    any_scope: Annotated[bool, typer.Option("--any-scope", help="It may be given any scope.")] = False,
    fields: dict[str, Any],
) -> None:
    """Change what a client is registered with; its secret and its sessions go on.

    A list is replaced as a whole, and "" empties it. Sign-ins and refreshes grant by the new scopes from now
    on; access tokens keep theirs until they expire.
    """
    changes = fields if name is None else fields | {"name": name}
    if any_scope == ("scopes" in changes) and (any_scope or not changes):
        raise typer.BadParameter("Give what to change, and --scope or --any-scope, not both.")
    changes |= {"scopes": None} if any_scope else {}
    _tell(run_once(lambda opened: oauth.change_client(opened.auth, client_id, changes)))


@cli.command("renew-secret")
def renew_secret(
    client_id: _Id,
    *,
    overlap: Annotated[
        int, typer.Option(min=0, max=MONTH_S, help="Seconds for which the old one is good, too.")
    ] = DAY_S,
) -> None:
    """Give a client a new secret, printed only once; the old one is good for another day unless told."""
    _show(run_once(lambda opened: opened.auth.clients.renew_secret(client_id, overlap_s=overlap)))


@cli.command("token")
def create_token(
    client_id: _Id,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scopes: Annotated[list[str], typer.Option("--scope", help="What it may do; repeat for more.")],
    expires_in: Annotated[int, typer.Option(min=60, max=366 * DAY_S, help="Seconds.")] = 90 * DAY_S,
) -> None:
    """Make a token that a client keeps, for a program that can only be given one; printed only once."""
    given = {"name": name, "scopes": _check(scopes, "scopes", ALL_SCOPES), "expires_in": expires_in}
    asked = read_input(OpaqueTokenInput, given)
    text, stored = run_once(lambda opened: oauth.create_client_token(opened.auth, client_id, asked))
    out.print(f"id: {stored['_id']}", markup=False)
    show_once(f"token: {text}\n")
    err.print("Keep the token now: it cannot be shown again.")


@cli.command("tokens")
def list_tokens(client_id: _Id) -> None:
    """List the tokens that a client keeps: id, name, scopes, when each expires and was used last."""

    async def find(opened: Container) -> list[dict[str, Any]]:
        client = await opened.auth.clients.read(client_id)
        return await opened.auth.opaque_tokens.list_all(client.subject)

    for token in run_once(find):
        used = token["last_used_at"]
        moments = (token["expires_at"].isoformat(), used.isoformat() if used else "unused")
        typer.echo("\t".join((token["_id"], token["name"], " ".join(token["scopes"]), *moments)))


@cli.command("end-token")
def end_token(
    client_id: _Id, token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="As `tokens` has it.")]
) -> None:
    """End a token that a client keeps, with the next request."""

    async def end(opened: Container) -> None:
        client = await opened.auth.clients.read(client_id)
        await accounts.end_token(opened.auth, client.subject, token_id)

    run_once(end)
    out.print(f"{token_id} has ended.", markup=False)


@cli.command("remove")
def remove_client(client_id: _Id) -> None:
    """Remove a client, which ends its sessions and takes effect with the next request."""
    run_once(lambda opened: oauth.remove_client(opened.auth, client_id))
    out.print(f"{client_id} is removed.", markup=False)


def _show(secret: str) -> None:
    show_once(f"secret: {secret}\n")
    err.print("Keep the secret now: it cannot be shown again.")

"""`python -m app keys list | rotate`."""

from datetime import datetime
from typing import Annotated

import typer

from app.commands.running import out, run_once
from app.keys.keyring import PUBLISH_AHEAD_S

cli = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)

_LINE = "{:43}  {:9}  {:9}  {:20}  {:20}  {}"  # a thumbprint has 43 letters, all of them needed


@cli.command("list")
def list_keys() -> None:
    """Show the keys, newest first."""
    keys = run_once(lambda opened: opened.auth.keyring.list())
    out.print(_LINE.format("kid", "algorithm", "state", "created", "signs from", "verifies until"))
    for key in keys:
        until = _write(key.verifies_until) if key.verifies_until else "another takes over"
        dates = (_write(key.created_at), _write(key.signs_from), until)
        out.print(_LINE.format(key.kid, key.algorithm, key.state.replace("_", " "), *dates), markup=False)


@cli.command("rotate")
def rotate_keys(
    *,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="For a stolen key: refuse the old keys' tokens from now on.")
    ] = False,
) -> None:
    """Make a new key; tokens of the old ones stay valid until they expire."""
    made = run_once(lambda opened: opened.auth.keyring.rotate(at_once=at_once))
    when = "from now on; the old keys are gone" if at_once else f"in {PUBLISH_AHEAD_S} s"
    out.print(f"{made.kid} signs {when}.", markup=False)


def _write(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"

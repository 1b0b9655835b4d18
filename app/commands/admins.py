"""`python -m app create-admin EMAIL`."""

import sys
from typing import Annotated

import typer
from pydantic import SecretStr

from app import accounts
from app.commands.running import out, run_once


def create_admin(
    email: Annotated[str, typer.Argument(help="The e-mail by which the administrator signs in.")],
) -> None:
    """Create an administrator, or make the user with this e-mail one; asks for the password.

    From a pipe, the password is the first line of the input, so that no process list shows it.
    """
    password = SecretStr(_ask() if sys.stdin and sys.stdin.isatty() else _read())
    is_new = run_once(lambda opened: accounts.create_admin(opened.auth, email, password), apply_indexes=True)
    out.print("The administrator was created." if is_new else "The user is an administrator now, signed out.")


def _ask() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _read() -> str:
    """The first line of the input, in UTF-8 whatever the locale, as passwords come over HTTP."""
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n") if sys.stdin else ""
    except UnicodeDecodeError:
        raise typer.BadParameter("The password that came through the pipe is not UTF-8.") from None

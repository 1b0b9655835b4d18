"""`python -m app mail preview`."""

import typer

from app.commands.mail_preview import preview

cli = typer.Typer(help="The mails that Roster sends.", no_args_is_help=True)
cli.command("preview")(preview)

"""`python -m app mail queue | send | test | preview`."""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import Annotated, get_args

import typer
from pydantic import ValidationError

from app.commands.mail_preview import preview
from app.commands.running import out, refuse, run_once
from app.core import mailboxes, settings
from app.core.settings import Settings
from app.mail.addresses import sender
from app.mail.delivery import AwayError, Delivery, RefusedError, ways
from models.mail import MailQuery, MailState, StoredMail

cli = typer.Typer(
    help="Mails: those that wait, whether the mail server takes any, and how they look.", no_args_is_help=True
)
cli.command()(preview)

_STATES = get_args(MailState)


@cli.command()
def queue(
    state: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(_STATES)}; repeat for more. None: waiting, failed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 50,
) -> None:
    """List mails, the newest first: id, kind, state, tries, when due or sent, to whom, why not yet."""
    try:
        asked = MailQuery(state=state or ("waiting", "failed"), limit=limit)
    except ValidationError:
        raise typer.BadParameter(f"The states are {', '.join(_STATES)}.") from None
    for mail in run_once(lambda opened: opened.outbox.page(asked)).items:
        _tell(mail)


@cli.command()
def send(mail_id: Annotated[str, typer.Argument(metavar="ID", help="The mail's id.")]) -> None:
    """Have a mail that waits or has failed sent now, by the workers that run."""
    _tell(run_once(lambda opened: opened.outbox.send_again(mail_id)))


@cli.command("test")
def send_test(address: Annotated[str, typer.Argument(help="To whom.")]) -> None:
    """Send a short mail at once, without the queue, and say what the mail server answers."""
    config = settings.load()
    try:
        message = _make_test(config, address)
    except ValueError:
        refuse("ADDRESS must be one e-mail address, in ASCII.")
    found = ways(config)
    if not found:
        refuse("There is no mail server to try: set ROSTER_SMTP_URL and ROSTER_MAIL_FROM.")
    asyncio.run(_send(found[0], message))
    out.print("It was taken.")


def _make_test(config: Settings, address: str) -> EmailMessage:
    """ValueError: it is no address."""
    message = EmailMessage(SMTP)
    message["From"] = sender(config)
    message["To"] = mailboxes.read(address)
    message["Subject"] = f"{config.brand_name} sends mail"
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = make_msgid(domain=sender(config).domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("Somebody who operates this service tried whether it can send mail. It can.\n")
    return message


async def _send(delivery: Delivery, message: EmailMessage) -> None:
    try:
        await delivery.open()
        await delivery.send(message)
    except AwayError as error:
        refuse(f"The mail server cannot be used: {error}.")
    except RefusedError as error:
        refuse(f"The mail was not taken: {error.reason}.")
    finally:
        await delivery.close()


def _tell(mail: StoredMail) -> None:
    moment = mail.sent_at if mail.state == "sent" else mail.due_at if mail.state == "waiting" else None
    when = "-" if moment is None else moment.isoformat(timespec="seconds")
    # rich would change tabs and `:cat:`
    typer.echo(
        "\t".join((str(mail.id), mail.kind, mail.state, str(mail.tries), when, mail.to, mail.reason or ""))
    )

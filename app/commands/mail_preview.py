"""`python -m app mail preview`: each mail as files to look at, made of the templates that are set."""

from datetime import UTC, datetime
from email.message import EmailMessage
from itertools import product
from pathlib import Path
from typing import Annotated

import typer

from app.commands.running import refuse
from app.core import settings
from app.core.catalogue import LANGUAGES, Language
from app.mail import contents
from app.mail.messages import KINDS, Messages
from models.mail import MailKind

_SENT_AT = datetime(2026, 11, 30, 9, 5, tzinfo=UTC)


def preview(
    kind: Annotated[MailKind | None, typer.Argument(help="All by default.")] = None,
    *,
    language: Annotated[Language | None, typer.Option(help="Both by default.")] = None,
    folder: Annotated[Path | None, typer.Option(help="By default `mail-preview` in the data folder.")] = None,
) -> None:
    """Write mails as they would be sent: as .html for a browser, as .txt, and as .eml for a mail program.

    Needs no database and sends nothing. Exits with 1 where one of your templates is wrong, and says where.
    """
    config = settings.load()
    messages = Messages(config)
    place = folder or config.data_dir / "mail-preview"
    for each, spoken in product([kind] if kind else KINDS, [language] if language else LANGUAGES):
        mail = contents.sample(each, spoken, issuer=config.issuer_url)
        message = messages.compose(mail, message_id=f"<{each}.{spoken}@example.com>", sent_at=_SENT_AT)
        try:
            place.mkdir(parents=True, exist_ok=True)
            _write(place / f"{each}.{spoken}", message)
        except OSError as error:
            refuse(f"The mails cannot be written ({error.strerror}): {place}.")
        typer.echo(f"{place / f'{each}.{spoken}.html'}\t{message['Subject']}")


def _write(place: Path, message: EmailMessage) -> None:
    text, html = message.iter_parts()
    Path(f"{place}.txt").write_text(text.get_content())
    Path(f"{place}.html").write_text(html.get_content())
    Path(f"{place}.eml").write_bytes(message.as_bytes())

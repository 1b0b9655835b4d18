"""Composes mails: a text and an HTML part that say the same, and headers that programs heed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from itertools import product
from pathlib import Path
from typing import Any, Final, get_args

import idna

from app.core.catalogue import LANGUAGES, TAGS, texts
from app.core.errors import StartError
from app.core.settings import Settings
from app.mail import contents
from app.mail.addresses import sender
from app.mail.harmless import harmless, isolate
from app.mail.mails import Mail
from app.pages import brand, templates
from models.mail import MailKind

KINDS: Final[tuple[MailKind, ...]] = get_args(MailKind)
SETTING: Final = f"{templates.SETTING}/mail"
_FORMS: Final = ("txt", "html")
_OURS: Final = Path(__file__).parent / "templates"
_UNITS: Final = {"days": "mail.days", "hours": "mail.hours", "minutes": "mail.minutes"}


class _OneLine(UnstructuredHeader, BaseHeader):
    """A header that is an address, of which the library would make encoded words where it is long."""

    def fold(self, **_: object) -> str:
        return f"{self.name}: {self}\r\n"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLine)
_POLICY: Final = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)
"""In seven bits: no server on the way has to encode it anew, which would break its DKIM signature."""


class Messages:
    """Every kind of mail; StartError says what is wrong with a template of the operator's."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.issuer_url
        self._brand = brand.read(settings)
        self._from = sender(settings)
        folder = _find_folder(settings.templates)
        self._environment = templates.load(
            folder,
            _OURS,
            setting=SETTING,
            more=[f"{kind}.{form}" for kind, form in product(KINDS, _FORMS)],
        )
        for kind, language in (
            product(KINDS, LANGUAGES) if folder else ()
        ):  # ours alone are tried by the tests
            self._check(contents.sample(kind, language, issuer=self._issuer))

    def compose(self, mail: Mail, *, message_id: str, sent_at: datetime) -> EmailMessage:
        told = self._tell(mail)
        message = EmailMessage(_POLICY)
        message["From"] = self._from
        message["To"] = _mailbox(harmless(mail.name), mail.to)
        message["Subject"] = told["subject"]
        message["Date"] = sent_at
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5: so that nobody's absence answers
        message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
        if told["unsubscribe"]:
            message["List-Unsubscribe"] = f"<{told['unsubscribe']}>"
        message.set_content(self._render(mail.kind, "txt", told))
        message.add_alternative(self._render(mail.kind, "html", told), subtype="html")
        return message

    def _tell(self, mail: Mail) -> dict[str, Any]:
        """The variables of a template."""
        known, told, name = texts(mail.language), mail.values, harmless(mail.values.get("name"))
        link = told.get("link") or self._issuer + contents.PAGES[mail.kind]
        values = {"brand": self._brand.name} | _values(known, told)
        said = {part: known.get(f"mail_{mail.kind}.{part}", "") for part in contents.PARTS}
        return {part: text.format(**values) for part, text in said.items()} | {
            "t": lambda key, **more: known[key].format(**values, **more),
            "tag": TAGS[mail.language],
            "brand": self._brand,
            "name": name and isolate(name),
            "link": link,
            "page": link.partition("?")[0],
            "code": told.get("code"),
            "unsubscribe": told.get("unsubscribe"),
        }

    def _render(self, kind: MailKind, form: str, told: Mapping[str, object]) -> str:
        return self._environment.select_template([f"{kind}.{form}", f"mail.{form}"]).render(told)

    def _check(self, mail: Mail) -> None:
        """StartError: a template cannot be rendered, or does not show the link or the code."""
        least = {name: value for name, value in mail.values.items() if name not in {"name", "code"}}
        most = {**mail.values, "unsubscribe": self._issuer}
        for values, form in product((most, least), _FORMS):
            told = self._tell(replace(mail, values=values))
            with templates.explained(f"{mail.kind}.{form}", SETTING):
                part = self._render(mail.kind, form, told)
            for shown in ("link", "code"):
                if (told[shown] or "") not in part:
                    raise StartError(
                        f"{SETTING}: the mail {mail.kind} does not show its {shown} in {form}: "
                        f"write {{{{ {shown} }}}} in its template."
                    )


def _find_folder(of_pages: Path | None) -> Path | None:
    """None where the operator has templates of pages alone."""
    if of_pages is None or (of_pages.is_dir() and not (of_pages / "mail").is_dir()):
        return None
    return of_pages / "mail"


def _mailbox(name: str | None, address: str) -> Address:
    """With the domain in ASCII (RFC 5890): only what stands before the @ may need SMTPUTF8 (RFC 6531)."""
    local, _, domain = address.rpartition("@")
    return Address(name or "", local, idna.encode(domain, uts46=True).decode())


def _values(known: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """What texts are filled in with, in words; KeyError follows where one needs what the mail is not told."""
    values = {}
    if "when" in told:
        moment = datetime.fromisoformat(told["when"]).astimezone(UTC)
        values["when"] = known["mail.when"].format(moment=moment)
    if "device" in told:
        values["device"] = isolate(harmless(told["device"]) or known["mail.device"])
    for unit in told.keys() & contents.MINUTES.keys():
        values["lasts"] = _last(known, int(told[unit]) * contents.MINUTES[unit])
    return values


def _last(known: Mapping[str, str], minutes: int) -> str:
    """So many minutes, in the largest unit of which they are several and no fraction."""
    fitting = [unit for unit, size in contents.MINUTES.items() if minutes > size and minutes % size == 0]
    unit = next(iter(fitting), "minutes")
    key = _UNITS[unit] if fitting else "mail.minute"
    return known[key].format(count=minutes // contents.MINUTES[unit])

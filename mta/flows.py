"""People of each language go through the flows by what is in their mailbox, link or code."""

import re
from email.message import EmailMessage
from typing import Any, Final

import httpx

from app.core.catalogue import LANGUAGES, Language, texts
from models.mail import MailKind
from mta.postfix import Postfix
from tests.support.live import LiveServer, wait_until

_FIRST: Final = "a first staple in the rain"
_SECOND: Final = "a second staple in the rain"


def walk(server: LiveServer, mta: Postfix) -> None:
    """AssertionError, or an error of HTTP: a mail or what it allows is not as it should be."""
    with server.client() as administrator:
        for language in LANGUAGES:
            _Person(server, mta, language).forget(administrator)


class _Person:
    def __init__(self, server: LiveServer, mta: Postfix, language: Language) -> None:
        self._server, self._mta, self._language = server, mta, language
        self._email = f"walks.{language}@example.com"

    def forget(self, administrator: httpx.Client) -> None:
        """They are created by others, activate their account, and forget the password."""
        new = {"email": self._email, "name": "Walks", "locale": self._language}
        user = administrator.post("/users", json=new).raise_for_status().json()
        administrator.post(f"/users/{user['id']}/activation").raise_for_status()
        self._post("/auth/activate", token=self._read_token("activate"), password=_FIRST)
        self._server.sign_in(self._email, _FIRST).raise_for_status()
        self._post("/auth/password/forgotten", email=self._email)
        code = self._read_code("reset_password")
        self._post("/auth/password/reset", email=self._email, code=code, password=_SECOND)
        self._server.sign_in(self._email, _SECOND).raise_for_status()
        self._read("password_changed")

    def _post(self, path: str, **body: str) -> Any:
        with self._server.client(headers={}) as anybody:
            return anybody.post(path, json=body).raise_for_status()

    def _read_token(self, kind: MailKind) -> str:
        return self._find(kind, r"\?(?:token|invitation)=([\w-]+)")

    def _read_code(self, kind: MailKind) -> str:
        return self._find(kind, r"\n {4}(\d{6})\n")

    def _find(self, kind: MailKind, pattern: str) -> str:
        [found] = re.findall(pattern, self._read(kind).replace("\r\n", "\n"))
        return str(found)

    def _read(self, kind: MailKind) -> str:
        """The text of the mail of the kind, once it is there."""
        wait_until(lambda: self._arrived(kind))
        [message] = self._arrived(kind)
        text, _ = message.iter_parts()
        return str(text.get_content())

    def _arrived(self, kind: MailKind) -> list[EmailMessage]:
        subject = texts(self._language)[f"mail_{kind}.subject"].format(brand="Roster")
        return [
            each
            for each in self._mta.read_mailbox()
            if (str(each["Delivered-To"]), str(each["Subject"])) == (self._email, subject)
        ]

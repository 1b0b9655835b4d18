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
_ANOTHER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def walk(server: LiveServer, mta: Postfix, admin: str, password: str) -> None:
    """AssertionError, or an error of HTTP: a mail or what it allows is not as it should be."""
    with _signed_in(server, admin, password) as administrator:
        for language in LANGUAGES:
            _Person(server, mta, language, "activated").activate(administrator)
            _Person(server, mta, language, "registered").register(administrator)
            _Person(server, mta, language, "invited").accept(administrator)


def _signed_in(server: LiveServer, name: str, password: str, **headers: str) -> httpx.Client:
    form = {"grant_type": "password", "username": name, "password": password}
    with server.client(headers=headers) as anybody:
        token = anybody.post("/auth/token", data=form).raise_for_status().json()["access_token"]
    return server.client(headers=headers | {"Authorization": f"Bearer {token}"})


class _Person:
    def __init__(self, server: LiveServer, mta: Postfix, language: Language, name: str) -> None:
        self._server, self._mta, self._language = server, mta, language
        self._email = f"{name}.{language}@example.com"
        self._new = {"email": self._email, "name": name, "locale": language}

    def activate(self, administrator: httpx.Client) -> None:
        """Others created them; later they forget the password, and ask for a file."""
        created = self._new | {"scopes": ["me", "users:read", "users:write", "users:export"]}
        user = administrator.post("/users", json=created).raise_for_status().json()
        administrator.post(f"/users/{user['id']}/activation").raise_for_status()
        self._post("/auth/activate", token=self._read_token("activate"), password=_FIRST)
        _signed_in(self._server, self._email, _FIRST).close()
        self._post("/auth/password/forgotten", email=self._email)
        code = self._read_code("reset_password")
        self._post("/auth/password/reset", email=self._email, code=code, password=_SECOND)
        self._read("password_changed")
        self._export_and_import()

    def _export_and_import(self) -> None:
        with _signed_in(self._server, self._email, _SECOND, **{"User-Agent": _ANOTHER_AGENT}) as user:
            self._read("new_device")
            user.post("/users/exports", json={"format": "csv", "notify": True}).raise_for_status()
            self._read("export_done")
            file = {"file": ("users.csv", f"email,name\n{self._email},Renamed\n".encode())}
            plan = user.post("/users/import", files=file).raise_for_status().json()
            user.post(f"/users/imports/{plan['id']}/apply?notify=true").raise_for_status()
            self._read("import_done")

    def register(self, administrator: httpx.Client) -> None:
        """They register twice, change their address, take that back, and are signed out."""
        self._post("/auth/register", **self._new, password=_FIRST)
        self._post("/auth/email/verify", token=self._read_token("verify_email"))
        self._post("/auth/register", **self._new, password=_SECOND)
        self._read("registered_again")
        with _signed_in(self._server, self._email, _FIRST) as user:
            changed = {"email": f"changed.{self._language}@example.com", "current_password": _FIRST}
            user.post("/users/me/email", json=changed).raise_for_status()
            found = user.get("/users/me").raise_for_status().json()
        new = _Person(self._server, self._mta, self._language, "changed")
        new._post("/auth/email/confirm", email=new._email, code=new._read_code("change_email"))
        self._post("/auth/email/take-back", token=self._read_token("email_changed"))
        administrator.delete(f"/users/{found['id']}/sessions").raise_for_status()
        self._read("sessions_ended")

    def accept(self, administrator: httpx.Client) -> None:
        """They register by an invitation that is sent."""
        asked = {"email": self._email, "scopes": ["me"], "send": True}
        spoken = {"Accept-Language": self._language}
        administrator.post("/auth/invitations", json=asked, headers=spoken).raise_for_status()
        code = self._read_token("invitation")
        self._post("/auth/register", **self._new, password=_FIRST, invitation=code)
        _signed_in(self._server, self._email, _FIRST).close()

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

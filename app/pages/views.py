"""The pages and what each is told. A page's template is named as its class: `SignIn` is `sign_in.html`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from models.mail import Purpose


@dataclass(frozen=True)
class View:
    """A page: its dataclass fields are variables of its template."""

    labels: ClassVar[Mapping[str, str]] = {}
    """The key of the label of each field of its form."""
    is_personal: ClassVar[bool] = False
    """Whether its form is for the session that it is shown to, and for no later one of the same browser."""
    kept: ClassVar[tuple[str, ...]] = ()
    """Fields that its address has in its query, and keeps in another language."""

    @classmethod
    def template(cls) -> str:
        return re.sub(r"(?<!^)([A-Z])", r"_\1", cls.__name__).lower() + ".html"


@dataclass(frozen=True)
class SignIn(View):
    labels: ClassVar = {"username": "sign_in.name", "password": "sign_in.password"}

    client: str | None
    """The application that the sign-in is for."""
    name: str
    can_sign_up: bool
    can_reset: bool
    """Whether a forgotten password can be replaced by mail."""


@dataclass(frozen=True)
class Account(View):
    """For those who signed in without an application to go on to."""

    name: str
    can_verify: bool
    """Whether their address is not verified, and can be by mail."""


@dataclass(frozen=True)
class SignUp(View):
    labels: ClassVar = {
        "invitation": "sign_up.invitation",
        "name": "sign_up.name",
        "email": "sign_up.email",
        "password": "sign_up.password",
    }
    kept: ClassVar = ("invitation",)

    client: str | None
    name: str
    email: str
    by_invitation: bool
    invitation: str


@dataclass(frozen=True)
class Password(View):
    is_personal: ClassVar = True
    labels: ClassVar = {"current_password": "password.current", "new_password": "password.new"}

    name: str


@dataclass(frozen=True)
class Email(View):
    is_personal: ClassVar = True
    labels: ClassVar = {"email": "email.new", "current_password": "password.current"}

    name: str
    email: str
    is_confirmed: bool
    """Whether a mail asks the new address first."""


@dataclass(frozen=True)
class MailRequest(View):
    """Asks to which address a mail shall go, with a link that does what its text says."""

    labels: ClassVar = {"email": "sign_up.email"}

    place: str
    """The page of ours that takes it."""
    title: str
    text: str
    """Both are keys."""
    email: str


@dataclass(frozen=True)
class Mailed(View):
    """Does what a mail is for: by its link, or by its code where that is typed."""

    labels: ClassVar = {"email": "sign_up.email", "code": "mailed.code", "password": "password.new"}
    kept: ClassVar = ("token",)

    purpose: Purpose
    email: str
    token: str | None
    """Of the link; without one the code is asked for."""
    is_sent: bool
    """Whether the mail was asked for a moment ago."""


@dataclass(frozen=True)
class Consent(View):
    is_personal: ClassVar = True
    client: str
    name: str
    scopes: tuple[str, ...]
    """The keys of their texts."""
    is_vouched_for: bool
    """Whether an administrator registered the application; others may bear any name."""
    is_assured: bool
    """Whether no other program of the device could pass for the application."""
    place: str
    """Where the browser goes afterwards: the host, or the scheme of an application on the device."""


@dataclass(frozen=True)
class Device(View):
    is_personal: ClassVar = True
    labels: ClassVar = {"user_code": "device.code"}

    code: str


@dataclass(frozen=True)
class DeviceConfirm(View):
    is_personal: ClassVar = True
    client: str
    name: str
    code: str
    scopes: tuple[str, ...]
    is_vouched_for: bool


@dataclass(frozen=True)
class SignOut(View):
    is_personal: ClassVar = True
    client: str | None
    """The application that asks for it."""
    name: str


@dataclass(frozen=True)
class Result(View):
    """Of an export or an import."""

    title: str
    text: str
    """Both are keys."""
    rows: str
    """How many."""
    job: str | None
    """Its id, where there is a file."""


@dataclass(frozen=True)
class Notice(View):
    """Something is done, and nothing is left to do here."""

    title: str
    text: str
    """Both are keys."""
    offers_sign_in: bool = False


@dataclass(frozen=True)
class Error(View):
    number: str
    """The request's id, by which the log has more."""
    again: str | None
    """The address to try again, where that may help."""
    detail: str | None
    """For those who made the application, in English, as problems have it."""


def scope_texts(scopes: Iterable[str]) -> tuple[str, ...]:
    """The keys of what pages say of scopes."""
    return tuple(f"scope.{scope}" for scope in sorted(scopes))

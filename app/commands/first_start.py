"""The first start of `serve`: an administrator, sample people, and a welcome for newcomers."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import SecretStr

from app import accounts
from app.commands import samples
from app.commands.running import err
from app.container import Container
from app.core.settings import Settings

log = structlog.get_logger("roster.start")

SAMPLE_PEOPLE = 1_000
"""How many people an empty embedded directory gets, so that newcomers have something to page through."""

EMBEDDED_ADMIN = "admin@example.com"


@dataclass(frozen=True, slots=True)
class Admin:
    email: str
    password: str | None
    """None unless it was made just now."""


async def prepare(opened: Container) -> Admin | None:
    """Make the administrator that the environment names, unless there is one already."""
    settings = opened.settings
    await _look(opened)
    if await accounts.has_admin(opened.auth):
        return None
    if settings.admin_email is None or settings.admin_password is None:
        err.print(
            "This directory has no administrator yet: run `python -m app create-admin EMAIL`, "
            "or set ROSTER_ADMIN_EMAIL and ROSTER_ADMIN_PASSWORD."
        )
        return None
    await accounts.create_admin(opened.auth, settings.admin_email, settings.admin_password)
    return None


async def prepare_embedded(opened: Container) -> Admin | None:
    """Fill a new directory with people, and make an administrator whose password is shown once."""
    if not await opened.connections.users.find_one({}, {"_id": 1}):
        await samples.add(opened, SAMPLE_PEOPLE)
    if opened.settings.admin_email is not None:
        return await prepare(opened)
    await _look(opened)
    if await accounts.has_admin(opened.auth):
        return Admin(EMBEDDED_ADMIN, None)
    password = secrets.token_urlsafe(12)
    await accounts.create_admin(opened.auth, EMBEDDED_ADMIN, SecretStr(password))
    return Admin(EMBEDDED_ADMIN, password)


async def _look(opened: Container) -> None:
    """StartError for a bucket that refuses what we need.

    Warn of the rest, and go on: only `q` misses users whose search fields are old.
    """
    await opened.files.probe()
    _advise_on_passwords(opened.settings)
    if await opened.search.is_outdated():
        log.warning("search_is_outdated", run="python -m app search reindex")


def _advise_on_passwords(settings: Settings) -> None:
    """Where others use the service; on loopback a script of one's own may as well send a password."""
    if settings.password_grant and settings.issuer_url.startswith("https:"):
        log.warning(
            "password_grant_is_on",
            advice="RFC 9700: applications must not be given passwords; sign users in at /auth/authorize",
            switch_off="ROSTER_PASSWORD_GRANT=false",
        )


def welcome(base: str, admin: Admin | None, mail_folder: Path | None = None) -> str:
    """Lines to paste: sign in, page through, create, download; and where mails go that are not sent."""
    email = admin.email if admin else "YOU@EXAMPLE.COM"
    password = admin.password if admin and admin.password else "YOUR-PASSWORD"
    shown = "Forgot your password? Run: python -m app create-admin EMAIL"
    if admin and admin.password:
        shown = f"Sign in as {email} with the password {password} (shown this once)."
    written = "" if mail_folder is None else f"\nMails are not sent, but written to {mail_folder}."
    return f"""
Roster is listening. Its console: {base}/console, its API: {base}/docs
{shown}{written}

  TOKEN=$(curl -s '{base}/auth/token' -d grant_type=password -d username={email} \\
    --data-urlencode 'password={password}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

  curl '{base}/users?limit=3&sort=name' -H "Authorization: Bearer $TOKEN"
  curl '{base}/users' -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{{"name": "Zoe", "email": "zoe@example.com"}}'
  curl -o users.xlsx '{base}/users/export?format=xlsx' -H "Authorization: Bearer $TOKEN"
"""

"""Absolute links to this service, for mails."""

from urllib.parse import urlencode

from app.core.settings import Settings


def url(settings: Settings, path: str, **query: str) -> str:
    """The issuer's address of a path, such as `/auth/forgotten`."""
    return f"{settings.issuer_url}{path}{'?' if query else ''}{urlencode(query)}"

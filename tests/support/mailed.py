"""What the tests of mailed codes share: the last mail to somebody, and its link's token."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.mail import Mail
from tests.support.identity import call
from tests.support.mail import read_mails


async def mails_to(client: httpx.AsyncClient, email: str) -> list[Mail]:
    """What waits for this address, the oldest first."""
    return await read_mails(client, to=email)


async def last_mail(client: httpx.AsyncClient, email: str) -> Mail:
    return (await mails_to(client, email))[-1]


def token_in(mail: Mail) -> str:
    """The token of the mail's link."""
    return parse_qs(urlsplit(mail.values["link"]).query)["token"][0]


async def ask(
    client: httpx.AsyncClient, email: str, path: str = "/auth/password/forgotten", **more: Any
) -> httpx.Response:
    """The request of somebody who is not signed in."""
    return await call(client, "POST", path, json={"email": email}, **more)

"""What the tests of pages share: a browser that has cookies and sends the forms that it is shown."""

import html
import re
from collections.abc import Mapping

import httpx

_INPUT = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_ACTION = re.compile(r'<form method="post" action="([^"]+)"')
_TITLE = re.compile(r"<title>([^<]*)</title>")


class Browser:
    """A browser of its own, without JavaScript, on the app that `client` speaks to."""

    def __init__(self, client: httpx.AsyncClient, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.client = httpx.AsyncClient(transport=client._transport, base_url=client.base_url, headers=named)

    async def open(self, path: str, **query: str) -> httpx.Response:
        return await self.client.get(path, params=query or None)

    async def send(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Send the form of a page, as a browser would from there."""
        action = _ACTION.search(page.text)
        url = page.url.join(html.unescape(action[1])) if action else page.url
        return await self.client.post(url, data=hidden(page) | fields)

    async def sign_in(self, name: str, password: str, path: str = "/auth/sign-in") -> httpx.Response:
        return await self.send(await self.open(path), username=name, password=password)


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the page's form."""
    return {name: html.unescape(value) for name, value in _INPUT.findall(page.text)}


def title(page: httpx.Response) -> str:
    """Of a page, which must be HTML."""
    assert page.headers["content-type"] == "text/html; charset=utf-8", page.headers
    found = _TITLE.search(page.text)
    assert found is not None
    return html.unescape(found[1])


def words(page: httpx.Response) -> str:
    """The text of a page without its head."""
    body = page.text.partition("<main>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def attributes(cookie: str) -> Mapping[str, str]:
    """Of a Set-Cookie header, without its value."""
    name, *rest = (part.strip() for part in cookie.split(";"))
    named = (part.partition("=") for part in rest)
    return {"name": name.partition("=")[0]} | {key.lower(): value for key, _, value in named}

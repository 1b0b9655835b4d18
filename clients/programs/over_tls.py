"""The application of docs/sign-in.md where Roster is behind a proxy that ends TLS: what the browser keeps."""

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Response

from clients.programs import chromium
from clients.programs.harness import ISSUER, ORIGIN, USER, step

_NAME = "__Host-roster_session"
_HOST = urlsplit(ISSUER).hostname
_KEPT = {"path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax", "expires": -1, "domain": _HOST}
"""A cookie of this host alone: that of a domain would begin with a dot."""
_CALL = """async (url) => {
  const user = await manager.getUser();
  const reply = await fetch(url, { headers: { Authorization: `Bearer ${user.access_token}` } });
  return reply.json();
}"""
_PLANT = "name => { document.cookie = `${name}=planted; Path=/; Secure; Domain=roster.test` }"


def _find_cookies(page: Page) -> dict[str, dict[str, Any]]:
    """What the browser keeps for Roster, by name, without the values."""
    kept: Any = page.context.cookies(ISSUER)
    return {each["name"]: {key: each[key] for key in _KEPT} for each in kept}


def _sign_in(page: Page) -> list[str]:
    """The cookies as Roster sent them on the way."""
    sent: list[str] = []

    def note(response: Response) -> None:
        found = response.headers_array()
        sent.extend(each["value"] for each in found if each["name"].lower() == "set-cookie")

    page.on("response", note)
    page.goto(ORIGIN)
    page.click("#sign-in")
    chromium.go_through(page)
    page.wait_for_selector(f"#user:has-text('Hello, {USER['name']}')")
    return sent


def main() -> None:
    with chromium.opened() as page:
        with step("discovery, code with PKCE"):
            sent = _sign_in(page)
        with step("the cookies are `__Host-`, Secure, HttpOnly, SameSite=Lax, Path=/ and without Domain"):
            kept = _find_cookies(page)
            assert kept == {_NAME: _KEPT, "__Host-roster_form": _KEPT}, kept
            assert sent, "Chromium told of no Set-Cookie"
            assert not any("domain" in each.lower() for each in sent), sent
        with step("the address of the session is the one that the trusted proxy tells"):
            sessions = page.evaluate(_CALL, f"{ISSUER}/users/me/sessions")
            assert "203.0.113.7" in str(sessions), sessions
        with step("no script of Roster's origin reads them, and no other host of its domain plants one"):
            page.goto(f"{ISSUER}/auth/sign-in")
            assert page.evaluate("document.cookie") == ""
            page.goto(ISSUER.replace("users.", "planted."))
            for name in (_NAME, "unguarded"):
                page.evaluate(_PLANT, name)
            planted = _find_cookies(page)
            assert planted.pop("unguarded")["domain"] == ".roster.test"
            assert planted == kept, planted
        with step("logout takes the session's"):
            page.goto(ORIGIN)
            page.click("#sign-out")
            page.wait_for_url(f"{ORIGIN}/signed-out")
            assert _NAME not in _find_cookies(page)


main()

"""oidc-client-ts in Chromium: the single-page application of docs/sign-in.md."""

from typing import Any

import httpx
from playwright.sync_api import Page

from clients.programs import chromium
from clients.programs.harness import ISSUER, ORIGIN, USER, step

_SIGNED_IN = f"#user:has-text('Hello, {USER['name']}')"
_CALL = """async (url) => {
  const user = await manager.getUser();
  const reply = await fetch(url, { headers: { Authorization: `Bearer ${user.access_token}` } });
  return [reply.status, await reply.json()];
}"""


def _ask(page: Page, path: str) -> Any:
    return page.evaluate(_CALL, f"{ISSUER}{path}")


def main() -> None:
    with chromium.opened() as page:
        page.goto(ORIGIN)
        with step("discovery, code with PKCE"):
            page.click("#sign-in")
            chromium.go_through(page)
            page.wait_for_selector(_SIGNED_IN)
        with step("userinfo, and the API from another origin"):
            assert _ask(page, "/auth/userinfo")[1]["sub"] == USER["id"]
            assert _ask(page, "/users/me")[1]["email"] == USER["email"]
        with step("refresh"):
            before = page.evaluate("async () => (await manager.getUser()).access_token")
            after = page.evaluate("async () => (await manager.signinSilent()).access_token")
            assert before != after
        with step("a second sign-in asks for consent alone, as any program may listen on loopback"):
            page.evaluate("manager.removeUser()")
            page.click("#sign-in")
            page.wait_for_selector("button[name=answer]")
            chromium.go_through(page)
            page.wait_for_selector(_SIGNED_IN)
        with step("revocation"):
            held = page.evaluate("async () => (await manager.getUser()).access_token")
            page.evaluate("manager.revokeTokens()")
            reply = httpx.get(f"{ISSUER}/users/me", headers={"Authorization": f"Bearer {held}"})
            assert reply.status_code == httpx.codes.UNAUTHORIZED
        with step("logout"):
            page.evaluate("manager.removeUser()")
            page.click("#sign-in")
            chromium.go_through(page)
            page.wait_for_selector(_SIGNED_IN)
            page.click("#sign-out")
            page.wait_for_url(f"{ORIGIN}/signed-out")
            page.goto(ORIGIN)
            page.click("#sign-in")
            page.wait_for_selector("input[name=password]")


main()

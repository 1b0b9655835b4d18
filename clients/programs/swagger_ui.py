"""Swagger UI at `/docs`: signs in by code and PKCE, and by password, and tries a request."""

from playwright.sync_api import Page

from clients.programs import chromium
from clients.programs.harness import ISSUER, USER, step


def _open(page: Page, flow: str) -> str:
    """The form of one flow, in the dialog for signing in; its selector."""
    page.goto(f"{ISSUER}/docs")
    page.click("button.authorize >> nth=0")
    return f".auth-container:has(h4:has-text('{flow}'))"


def _try_request(page: Page) -> None:
    page.click(".close-modal")
    page.click("#operations-me-read_me .opblock-summary-control")
    page.click("#operations-me-read_me .try-out__btn")
    page.click("#operations-me-read_me .execute")
    page.wait_for_selector(f"#operations-me-read_me .live-responses-table :text('{USER['email']}')")


def main() -> None:
    with chromium.opened() as page, step("code with PKCE"):
        form = _open(page, "authorizationCode with PKCE")
        page.click("label[for='me-authorizationCode-checkbox-OAuth2']")
        with page.expect_popup() as popped:
            page.click(f"{form} button.authorize")
        window = popped.value
        window.wait_for_load_state()
        window.fill("input[name=username]", USER["email"])
        window.fill("input[name=password]", USER["password"])
        window.click("form[method=post] button")
        page.wait_for_selector(f"{form} :text('authorized')")
        _try_request(page)
    with chromium.opened() as page, step("password"):
        form = _open(page, "OAuth2, password")
        page.fill("#oauth_username", USER["email"])
        page.fill("#oauth_password", USER["password"])
        page.click(f"{form} button.authorize")
        page.wait_for_selector(f"{form} :text('authorized')")
        _try_request(page)


main()

"""Chromium, and a person in it who signs in and consents."""

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

from clients.programs.harness import CHROMIUM, ISSUER, TRUST, USER

_MOST_PAGES = 10


@contextlib.contextmanager
def opened(**options: Any) -> Iterator[Page]:
    """A window of a browser of its own; `options` are those of playwright's `new_context`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *TRUST])
        try:
            context = browser.new_context(**options)
            context.on("console", lambda message: print(message.type, message.text))
            context.on("weberror", lambda error: print(error.error))
            context.on("requestfailed", lambda request: print(request.url, request.failure))
            yield context.new_page()
        finally:
            browser.close()


def go_through(page: Page) -> None:
    """Fill in what Roster's pages ask, once they are there, until they lead elsewhere."""
    page.wait_for_url(is_ours)
    for _ in range(_MOST_PAGES):
        page.wait_for_load_state()
        if not is_ours(page.url):
            return
        if page.locator("input[name=password]").count():
            page.fill("input[name=username]", USER["email"])
            page.fill("input[name=password]", USER["password"])
        with page.expect_navigation():
            page.locator("form[method=post] button").first.click()
    raise AssertionError(f"The pages go on and on: {page.url}")


def is_ours(url: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(ISSUER)[:2]

"""Shows a page of Chromium to axe-core."""

from typing import Final

from playwright.sync_api import Page

from tools import browser

_AXE: Final = browser.AXE.read_text()


def judge(page: Page, without: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds by all rules but some, and whether the page is wider than its window."""
    page.evaluate(_AXE)
    wrong = browser.tell(page.evaluate(browser.JUDGE, list(without)))
    wide = page.evaluate(browser.IS_WIDE)
    return [*wrong, *(["it scrolls sideways"] if wide else [])]

"""Shows a page of Chromium to axe-core."""

from typing import Final

from playwright.sync_api import Page

from clients import environment

_AXE: Final = (environment.MODULES / "axe-core" / "axe.min.js").read_text()
_RUN: Final = """(without) => axe.run(document, {
  resultTypes: ['violations', 'incomplete'],
  rules: Object.fromEntries(without.map((rule) => [rule, {enabled: false}])),
})"""


def judge(page: Page, without: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds by all rules but some, and whether the page is wider than its window."""
    page.evaluate(_AXE)
    found = page.evaluate(_RUN, list(without))
    wrong = [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*wrong, *(["it scrolls sideways"] if wide else [])]

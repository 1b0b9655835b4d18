"""Each view: found in order in both themes and languages, as fast as the API, and pictured."""

from statistics import median

import pytest
from playwright.async_api import Page

from tests.support.console import VIEWS, Door, judge, settle, shot
from tests.support.shown import find_places

MOST_MS = 200
_TIMES = 3
_ROWS = "#view :is(tbody tr, dd, .timeline li, svg, form)"
_WATCH = f"""new MutationObserver((_, watching) => {{
  if (!document.querySelector('{_ROWS}')) return;
  watching.disconnect();
  requestAnimationFrame(() => {{ window.shownAt = performance.now(); }});
}}).observe(document, {{ childList: true, subtree: true }})"""
_LATE = """() => {
  const asked = performance.getEntriesByType('resource').filter(({ name, initiatorType }) =>
    initiatorType === 'fetch' && !name.includes('/console/') && !name.includes('/auth/'));
  const replies = asked.map(({ responseEnd }) => responseEnd).filter((at) => at <= window.shownAt);
  return window.shownAt - Math.max(...replies, 0);
}"""
PICTURED = {
    path: path.split("/")[1] for path in VIEWS if path not in {"/people/new", "/bulk", "/imports"}
} | {"/people/:id": "person"}
CHINESE = {"/people", "/imports/:id", "/overview"}
"""What README.zh-CN.md shows."""


@pytest.fixture(scope="module")
def places(opened: Door) -> dict[str, str]:
    return find_places(opened)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("view", VIEWS)
async def test_nothing_is_found_in_any_view_in_both_themes(
    door: Door, places: dict[str, str], view: str, locale: str
) -> None:
    async with door.visit(places[view], locale=locale) as page:
        await settle(page)
        assert await judge(page) == []


async def _measure(page: Page, url: str) -> float:
    await page.goto(url)
    await settle(page)
    late: float = await page.evaluate(_LATE)
    return late


@pytest.mark.parametrize("view", VIEWS)
async def test_the_first_rows_are_there_soon_after_the_api_s_reply(
    door: Door, places: dict[str, str], view: str
) -> None:
    async with door.visit() as page:
        await page.context.add_init_script(_WATCH)
        late = [await _measure(page, f"{door.url}/console{places[view]}") for _ in range(_TIMES)]
    assert median(late) <= MOST_MS, late


@pytest.mark.parametrize("view", PICTURED)
async def test_each_view_is_pictured(door: Door, places: dict[str, str], view: str) -> None:
    for locale, end in (("en-GB", ""), ("zh-CN", ".zh-CN"))[: 2 if view in CHINESE else 1]:
        async with door.visit(places[view], locale=locale, timezone_id="UTC") as page:
            await settle(page)
            await shot(page, PICTURED[view] + end)

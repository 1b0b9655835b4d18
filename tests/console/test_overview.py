"""The overview: counts as charts, as tables and as CSV."""

import time
from itertools import pairwise

import pytest
from playwright.async_api import expect

from tests.support.console import Door, judge

_TRIES, _PAUSE_S = 200, 0.5


@pytest.fixture(autouse=True)
def counted(door: Door) -> None:
    """Wait for the first count, which is made again after a minute where MongoDB was too busy for it."""
    with door.api() as http:
        for _ in range(_TRIES):
            if http.get("/statistics").raise_for_status().json()["as_of"] is not None:
                return
            time.sleep(_PAUSE_S)  # between two looks
    raise AssertionError("Nothing was counted.")


async def test_charts_are_shown_with_their_figures_in_both_languages(door: Door) -> None:
    for locale in ("en-GB", "zh-CN"):
        async with door.visit("/overview", locale=locale) as page:
            await expect(page.locator("svg.chart").first).to_be_visible()
            await page.locator("details").first.locator("summary").click()
            assert await judge(page) == []


async def test_axes_have_whole_numbers_one_two_or_five_times_a_power_of_ten_apart(door: Door) -> None:
    async with door.visit("/overview?days=365") as page:
        charts = page.locator("svg.chart[role=img]")
        await expect(charts).to_have_count(3)
        for chart in await charts.all():
            marks = await chart.locator(".rule + text").all_text_contents()
            numbers = [int(mark.replace(",", "")) for mark in marks]
            [step] = {after - before for before, after in pairwise(numbers)}
            assert str(step).rstrip("0") in {"1", "2", "5"}
            assert numbers[0] % step == 0


async def test_a_share_leads_to_its_people_and_a_series_is_downloaded(door: Door) -> None:
    async with door.visit("/overview?days=7") as page:
        chart = page.get_by_role("region", name="By department")
        async with page.expect_download() as downloaded:
            await chart.get_by_role("button", name="CSV").click()
        assert (await downloaded.value).suggested_filename == "department.csv"
        await chart.get_by_role("link").first.click()
        await expect(page.get_by_role("heading", name="People")).to_be_visible()
        assert "department=" in page.url

"""Tasks at the table of people."""

import re

from playwright.async_api import expect

from tests.console.tasks.task import task
from tests.support.hand import Hand

ROWS = "tbody tr"


@task("see who signed in last, and the page after")
async def see_last_sign_ins(hand: Hand) -> None:
    page = hand.page
    await hand.click("Last sign-in")
    await expect(page.get_by_role("columnheader", name="Last sign-in")).to_have_attribute(
        "aria-sort", "ascending"
    )
    await hand.click("Last sign-in")
    await expect(page).to_have_url(re.compile("sort=-last_login_at"))
    await expect(page.locator(".sheet")).to_have_attribute("aria-busy", "false")
    first = await page.locator(".who").first.inner_text()
    await hand.click("Next page", "link")
    await expect(page.locator(".who").first).not_to_have_text(first)


@task("see who is inactive in a country")
async def see_inactive_of_a_country(hand: Hand) -> None:
    await hand.click("Filter")
    form = hand.page.get_by_role("dialog", name="Filters")
    await hand.click("Country", "combobox", form)
    await hand.type("Germany")
    await hand.choose("Status", "false", form)
    await hand.click("Apply", within=form)
    with hand.door.api() as http:
        asked = {"country": "Germany", "is_active": "false", "count": "exact"}
        total = http.get("/users", params=asked).json()["total"]["value"]
    await expect(hand.page.locator("h1 + span")).to_have_text(re.compile(f"^{total:,} (people|person)$"))


@task("show phones in the table")
async def show_phones(hand: Hand) -> None:
    await hand.click("Columns")
    choice = hand.page.get_by_role("dialog", name="Columns")
    await hand.click("Phone", "checkbox", choice)
    await hand.click("Done", within=choice)
    await expect(hand.page.get_by_role("columnheader", name="Phone")).to_be_visible()


@task("save a view and come back to it")
async def save_a_view(hand: Hand) -> None:
    page = hand.page
    await page.goto(f"{hand.door.url}/console/people?department=Sales&sort=-name")
    await page.wait_for_selector(ROWS)
    await hand.click("Views")
    await hand.click("Save or remove views…", "menuitem")
    await hand.click("Name of the view", "textbox")
    await hand.type("Sellers")
    await hand.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.goto(f"{hand.door.url}/console/people")
    await hand.click("Views")
    await hand.click("Sellers", "menuitem")
    await expect(page).to_have_url(re.compile(r"people\?department=Sales&sort=-name"))

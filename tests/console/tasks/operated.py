"""Tasks of those who operate the service."""

from playwright.async_api import expect

from tests.console.tasks.task import task
from tests.support.hand import Hand


@task("see which jobs failed")
async def see_failed_jobs(hand: Hand) -> None:
    await hand.press("g", "j")
    await expect(hand.page.locator("h1")).to_have_text("Jobs")
    await hand.choose("State", "failed")
    await expect(hand.page.get_by_text("No jobs")).to_be_visible()


@task("see all that one administrator changed")
async def see_what_one_changed(hand: Hand) -> None:
    person = hand.door.find(sort="name")
    me = hand.door.administrator()
    with me:
        me.patch(f"/users/{person['id']}", json={"profile": {"title": "Warden"}}).raise_for_status()
    await hand.press("g", "a")
    row = hand.page.locator("tbody tr", has_text="Warden").first
    await hand.click("Changes by the one who made this", within=row)
    await expect(hand.page.locator("tbody tr", has_text="Warden").first).to_be_visible()
    assert "by=" in hand.page.url


@task("make a new signing key")
async def make_a_key(hand: Hand) -> None:
    page = hand.page
    await hand.press("g", "h")
    rows = page.get_by_role("region", name="Keys, the newest first").locator("tbody tr")
    await expect(rows.first).to_be_visible()
    before = await rows.count()
    await hand.click("New key")
    await hand.click("New key", within=page.get_by_role("dialog"))
    await expect(rows).to_have_count(before + 1)


@task("register an application")
async def register(hand: Hand) -> None:
    page = hand.page
    await hand.press("g", "c")
    await hand.click("Register")
    form = page.get_by_role("dialog", name="Register")
    await hand.click("Name", "textbox", form)
    await hand.type("Wiki")
    await hand.click("Redirect addresses", "combobox", form)
    await hand.type("https://wiki.example.com/back")
    await hand.press("Enter")
    await hand.click("Register", within=form)
    await expect(page.get_by_role("dialog", name="The secret").locator("code")).to_be_visible()

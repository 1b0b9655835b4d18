"""Tasks that change many people at once."""

from playwright.async_api import expect

from tests.console.tasks.task import task
from tests.support.console import Door
from tests.support.hand import Hand

COUNT = 300


def bring_in(door: Door, lines: list[str]) -> None:
    """People of a spreadsheet, whose first line is its heading."""
    wait = {"Prefer": "wait=30"}
    with door.api() as http:
        file = {"file": ("people.csv", "\n".join(lines).encode(), "text/csv")}
        plan = http.post("/users/import", files=file, headers=wait).raise_for_status().json()
        http.post(f"/users/imports/{plan['id']}/apply", headers=wait).raise_for_status()


@task("deactivate 300 by department and undo it")
async def deactivate_a_department(hand: Hand) -> None:
    lines = [f"keeper-{n}@console.example.com,Keeper {n},Lighthouses" for n in range(COUNT)]
    bring_in(hand.door, ["email,name,department", *lines])
    await hand.press("/")
    await hand.type("department:lighthouses")
    await hand.press("Enter")
    page = hand.page
    await expect(page.locator(".who").first).to_contain_text("Keeper")
    await hand.click_at(page.get_by_label("Select all on this page"))
    await hand.click_at(page.get_by_role("button", name="Select all that match"))
    await hand.click("Change…", "link")
    await hand.choose("Change", "deactivate")
    await hand.click("Show the plan")
    await _apply(hand, COUNT)
    assert hand.door.count(department="Lighthouses", is_active="false") == COUNT
    await hand.click("Undo…")
    await _apply(hand, COUNT)
    assert hand.door.count(department="Lighthouses", is_active="true") == COUNT


async def _apply(hand: Hand, changes: int) -> None:
    await hand.click(f"Apply {changes} changes")
    await expect(hand.page.locator("h1 + span")).to_have_text("Applied")


@task("tag three people")
async def tag_three(hand: Hand) -> None:
    page = hand.page
    await hand.press(*("j", "x") * 3)
    await expect(page.get_by_text("3 selected")).to_be_visible()
    await hand.click("Change…", "link")
    await hand.choose("Change", "add_tags")
    await hand.click("Tag", "combobox")
    await hand.type("evening,")
    await hand.click("Show the plan")
    await _apply(hand, 3)
    assert hand.door.count(tag="evening") == 3

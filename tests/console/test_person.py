"""A person in the console: edited by two at once, undone, signed out, added, invited, deleted."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.console import PASSWORD, Door, judge, sign_in
from tests.support.pictures import encode, halves

_NUMBERS = count()


@pytest.fixture
def http(door: Door) -> Iterator[httpx.Client]:
    with door.api() as client:
        yield client


def add(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    """Somebody new, so that no test sees the changes of another."""
    address = f"person-{next(_NUMBERS)}@console.example.com"
    made: dict[str, Any] = http.post("/users", json={"name": "Ida Lund", "email": address} | fields).json()
    return made


def patch(http: httpx.Client, person: dict[str, Any], **fields: Any) -> None:
    http.patch(f"/users/{person['id']}", json=fields).raise_for_status()


def read(http: httpx.Client, person: dict[str, Any]) -> dict[str, Any]:
    """Nothing, once they are deleted."""
    found: list[dict[str, Any]] = http.get("/users", params={"id": person["id"]}).json()["items"]
    return found[0] if found else {}


def set_password(http: httpx.Client, person: dict[str, Any]) -> None:
    http.put(f"/users/{person['id']}/password", json={"password": PASSWORD}).raise_for_status()


def button(place: Page | Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


async def choose(page: Page, name: str) -> None:
    await button(page, "More actions").click()
    await page.get_by_role("menuitem", name=name).click()


async def test_a_person_is_shown_in_both_themes_and_languages(door: Door, http: httpx.Client) -> None:
    home = {"label": "Home", "street": "Main 1", "city": "Bergen", "country": "Norway"}
    strange = {"bio": "<img src=x onerror=alert(1)>", "title": "x" * 128, "addresses": [home]}
    person = add(http, name="سارة <b>", profile=strange, tags=["staff", "t" * 64])
    patch(http, person, phone="+4755123456", profile={"title": "Keeper"}, is_active=False)
    for locale in ("en-GB", "zh-CN"):
        async with door.visit(f"/people/{person['id']}", locale=locale) as page:
            await expect(page.locator("h1")).to_have_text("سارة <b>")
            await expect(page.locator(".timeline li")).to_have_count(2)
            assert await page.locator("#view img, #view b").count() == 0
            assert await judge(page) == []


async def test_two_administrators_edit_one_person_and_nothing_is_lost(door: Door, http: httpx.Client) -> None:
    person = add(http, profile={"title": "Clerk", "addresses": [{"city": "Bergen", "country": "Norway"}]})
    async with door.visit(f"/people/{person['id']}") as page:
        await expect(button(page, "Edit")).to_be_visible()
        await page.keyboard.press("e")
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()
        assert await judge(page) == []
        await page.get_by_label("City").fill("Oslo")
        await page.get_by_label("Title").fill("Mine")
        theirs = {"city": "Bergen", "country": "Norge"}
        patch(http, person, phone="+4755123457", profile={"title": "Theirs", "addresses": [theirs]})
        await button(page, "Save").click()
        dialog = page.get_by_role("dialog", name="Somebody else has changed this person")
        await expect(dialog.get_by_role("radio", checked=True)).to_have_count(3)
        await expect(button(dialog, "Save")).to_be_disabled()
        assert await judge(page) == []
        await dialog.get_by_role("radio", name="Yours: Mine").check()
        await button(dialog, "Save").click()
        await expect(page.locator("form")).to_have_count(0)
        await expect(page.get_by_text("Mine").first).to_be_visible()
    stored = read(http, person)
    assert stored["phone"] == "+4755123457"
    assert stored["profile"]["title"] == "Mine"
    [address] = stored["profile"]["addresses"]
    assert (address["city"], address["country"]) == ("Oslo", "Norge")


async def test_what_the_api_refuses_stands_beside_its_field(door: Door) -> None:
    address = f"person-{next(_NUMBERS)}@console.example.com"
    async with door.visit("/people") as page:
        await page.wait_for_selector("tbody tr")
        await page.keyboard.press("n")
        await page.get_by_label("Name", exact=True).fill("Nils Berg")
        await page.locator("form").first.get_by_label("E-mail").fill(address)
        await page.get_by_label("Phone").fill("12")
        await button(page, "Add the person").click()
        await expect(page.get_by_label("Phone")).to_have_attribute("aria-invalid", "true")
        assert await judge(page) == []
        await page.get_by_label("Phone").fill("")
        await page.get_by_label("Age", exact=True).fill("41")
        await button(page, "Add an address").click()
        await page.get_by_label("City").fill("Moss")
        await button(page, "Add the person").click()
        await expect(page.locator("h1")).to_have_text("Nils Berg")
    made = door.find(email=address)
    assert (made["profile"]["age"], made["profile"]["addresses"][0]["city"]) == (41, "Moss")
    assert made["scopes"] == ["me"]


async def test_a_change_is_undone_but_for_what_others_added_and_what_no_one_can(
    door: Door, http: httpx.Client
) -> None:
    person = add(http, phone="+4755123458", tags=["old"], profile={"title": "Clerk"})
    patch(http, person, phone="+4755123459", tags=["new"], is_active=False)
    patch(http, person, tags=["new", "later"], phone="+4755123460")
    set_password(http, person)
    async with door.visit(f"/people/{person['id']}") as page:
        entries = page.locator(".timeline > li")
        await expect(entries.nth(0)).to_contain_text("Cannot be undone")
        await button(entries.nth(2), "Undo").click()
        dialog = page.get_by_role("dialog", name="Undo this change?")
        await expect(dialog).to_contain_text("Changed again since, and undone with it: Phone.")
        await expect(dialog).to_contain_text("Sessions that have ended stay ended.")
        assert await judge(page) == []
        await button(dialog, "Undo").click()
        await expect(page.get_by_text("The change was undone.")).to_be_visible()
        await expect(entries).to_have_count(5)
    stored = read(http, person)
    assert (stored["phone"], stored["is_active"]) == ("+4755123458", True)
    assert sorted(stored["tags"]) == ["later", "old"]


async def test_sessions_end_one_by_one_and_all_and_a_wait_is_lifted(door: Door, http: httpx.Client) -> None:
    person = add(http)
    set_password(http, person)
    assert door.server.sign_in(person["email"], "not this one").status_code == 400
    assert door.server.sign_in(person["email"], PASSWORD).status_code == 200
    assert door.server.sign_in(person["email"], "nor this").status_code == 400
    async with door.visit(f"/people/{person['id']}") as page:
        lines = page.get_by_role("region", name="Sessions").get_by_role("listitem")
        await expect(lines).to_have_count(1)
        await expect(page.get_by_text(re.compile("failed sign-in"))).to_be_visible()
        assert await judge(page) == []
        await button(page, "Let them sign in now").click()
        await expect(page.get_by_text(re.compile("failed sign-in"))).to_be_hidden()
        await lines.get_by_role("button", name=re.compile("^End: ")).click()
        await expect(page.get_by_text("Not signed in anywhere.")).to_be_visible()
        assert door.server.sign_in(person["email"], PASSWORD).status_code == 200
        await page.reload()
        await button(page, "End all").click()
        await button(page.get_by_role("dialog"), "End all").click()
        await expect(page.get_by_text("Not signed in anywhere.")).to_be_visible()
        await expect(page.locator(".timeline")).to_contain_text("Signed out")


async def test_a_person_is_deactivated_given_a_password_and_a_picture_and_deleted_by_their_address(
    door: Door, http: httpx.Client
) -> None:
    person = add(http)
    async with door.visit(f"/people/{person['id']}") as page:
        await choose(page, "Deactivate")
        await button(page.get_by_role("dialog"), "Deactivate").click()
        await expect(page.locator(".badge", has_text="Inactive")).to_be_visible()
        await choose(page, "Activate")
        await expect(page.locator(".badge", has_text=re.compile("^Active$"))).to_be_visible()
        await choose(page, "Set password")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("New password").fill("short")
        await button(dialog, "Set password").click()
        await expect(dialog.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
        await dialog.get_by_label("New password").fill(PASSWORD)
        await button(dialog, "Set password").click()
        await expect(dialog).to_be_hidden()
        assert door.server.sign_in(person["email"], PASSWORD).status_code == 200
        picture = encode(halves(), "PNG")
        await page.locator("input[type=file]").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": picture}
        )
        await expect(page.locator(".avatar img")).to_have_attribute(
            "src", re.compile(r"/avatars/[\w-]+\?size=128$")
        )
        await choose(page, "Delete")
        await expect(button(dialog, "Delete")).to_be_disabled()
        assert await judge(page) == []
        await dialog.get_by_role("textbox").fill(person["email"])
        await button(dialog, "Delete").click()
        await expect(page).to_have_url(re.compile("/console/people$"))
        assert read(http, person) == {}
        await page.goto(f"{door.url}/console/people/{person['id']}")
        await expect(page.get_by_role("alert")).to_be_visible()


async def test_somebody_is_invited_by_a_link_that_is_shown_once(door: Door) -> None:
    async with door.visit("/people/new") as page:
        invite = page.get_by_role("region", name="Invite")
        await invite.get_by_role("switch").uncheck()
        await button(invite, "Invite").click()
        await expect(invite.locator("code")).to_have_text(re.compile(r"/auth/sign-up\?invitation=[\w-]{43}$"))
        assert await judge(page) == []
        await button(page, "Withdraw: Anyone with the link").click()
        await expect(button(page, "Withdraw: Anyone with the link")).to_have_count(0)


async def test_one_who_may_only_read_sees_no_way_to_change_anybody(door: Door, http: httpx.Client) -> None:
    person = add(http)
    reader = add(http, scopes=["me", "users:read"])
    set_password(http, reader)
    async with door.visit(f"/people/{person['id']}", signed_in=False) as page:
        await sign_in(page, reader["email"])
        await expect(page.get_by_role("region", name="Profile")).to_be_visible()
        await expect(page.locator("#view").get_by_role("button")).to_have_count(0)
        await expect(page.locator("#view .card")).to_have_count(1)


async def test_the_way_back_leads_to_the_list_as_it_was(door: Door) -> None:
    async with door.visit("/people?is_active=true&sort=-name") as page:
        await page.locator(".row-link").first.click()
        await page.get_by_role("link", name="Back").click()
        await expect(page).to_have_url(re.compile(r"/people\?is_active=true&sort=-name"))

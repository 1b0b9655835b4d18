"""Tasks that are about one person."""

import re
from typing import Any

from playwright.async_api import Locator, expect

from tests.console.tasks.task import task
from tests.support.console import PASSWORD, Door
from tests.support.hand import Hand


def add(door: Door, name: str, **fields: Any) -> dict[str, Any]:
    """Somebody new, under an address made of the name."""
    address = f"{name.partition(' ')[0].lower()}@console.example.com"
    with door.api() as http:
        made: dict[str, Any] = http.post("/users", json={"name": name, "email": address} | fields).json()
        return made


def read(door: Door, person: dict[str, Any]) -> dict[str, Any]:
    with door.api() as http:
        found: dict[str, Any] = http.get(f"/users/{person['id']}").raise_for_status().json()
        return found


def dialog(hand: Hand) -> Locator:
    return hand.page.get_by_role("dialog")


@task("change the city of somebody whose name is half known and misspelt")
async def change_a_city(hand: Hand) -> None:
    home = {"label": "Home", "city": "Bergen", "country": "Norway"}
    person = add(hand.door, "Thorvald Ingebrigtsen", profile={"addresses": [home]})
    await hand.press("/")
    await hand.type("ingebritsen")
    await hand.click("Thorvald Ingebrigtsen", "link")
    await expect(hand.page.locator("h1")).to_have_text(person["name"])
    await hand.press("e")
    await hand.click("City", "textbox")
    await hand.press("ControlOrMeta+a")
    await hand.type("Trondheim")
    await hand.press("Enter")
    await expect(hand.page.get_by_text("Trondheim").first).to_be_visible()
    await expect(hand.page.locator("form")).to_have_count(0)
    [address] = read(hand.door, person)["profile"]["addresses"]
    assert address["city"] == "Trondheim"


@task("end the sessions of somebody who lost a laptop")
async def end_sessions(hand: Hand) -> None:
    person = add(hand.door, "Xanthippe Lostlaptop")
    with hand.door.api() as http:
        http.put(f"/users/{person['id']}/password", json={"password": PASSWORD}).raise_for_status()
    for _ in range(2):
        hand.door.server.sign_in(person["email"], PASSWORD).raise_for_status()
    await hand.go_to("xanthi", person["name"])
    await hand.click("End all")
    await hand.click("End all", within=dialog(hand))
    await expect(hand.page.get_by_text("Not signed in anywhere.")).to_be_visible()


@task("find who changed a phone number and put it back")
async def put_a_phone_back(hand: Hand) -> None:
    person = add(hand.door, "Yngvild Phonechange", phone="+4755123401")
    with hand.door.administrator() as http:
        http.patch(f"/users/{person['id']}", json={"phone": "+4755123402"}).raise_for_status()
        name = http.get("/users/me").json()["name"]
    await hand.go_to("yngvil", person["name"])
    entry = hand.page.locator(".timeline > li", has_text="+4755123402").first
    await expect(entry.get_by_role("link", name=name)).to_be_visible()
    await hand.click("Undo", within=entry)
    await hand.click("Undo", within=dialog(hand))
    await expect(hand.page.get_by_text("The change was undone.")).to_be_visible()
    assert read(hand.door, person)["phone"] == "+4755123401"


@task("create somebody")
async def create(hand: Hand) -> None:
    await hand.press("n")
    await hand.click("Name", "textbox")
    await hand.type("Zaida Newcomer")
    await hand.press("Tab")
    await hand.type("zaida@console.example.com")
    await hand.press("Enter")
    await expect(hand.page.locator("h1")).to_have_text("Zaida Newcomer")
    assert hand.door.find(email="zaida@console.example.com")["scopes"] == ["me"]


@task("delete somebody")
async def delete(hand: Hand) -> None:
    person = add(hand.door, "Quirina Goesaway")
    await hand.go_to("quirin", person["name"])
    await hand.click("More actions")
    await hand.click("Delete", "menuitem")
    await hand.click_at(dialog(hand).get_by_role("textbox"))
    await hand.type(person["email"])
    await hand.press("Enter")
    await expect(hand.page).to_have_url(re.compile("/console/people$"))
    with hand.door.api() as http:
        assert http.get(f"/users/{person['id']}").status_code == 404


@task("deactivate somebody")
async def deactivate(hand: Hand) -> None:
    person = add(hand.door, "Wolfram Onleave")
    await hand.go_to("wolfra", person["name"])
    await hand.click("More actions")
    await hand.click("Deactivate", "menuitem")
    await hand.click("Deactivate", within=dialog(hand))
    await expect(hand.page.locator(".badge", has_text="Inactive")).to_be_visible()
    assert read(hand.door, person)["is_active"] is False


@task("let somebody read the directory")
async def let_read(hand: Hand) -> None:
    person = add(hand.door, "Vendela Reader")
    await hand.go_to("vendel", person["name"])
    await hand.press("e")
    await hand.click("users:read", "checkbox")
    await hand.click("Save")
    await expect(hand.page.locator("form")).to_have_count(0)
    assert read(hand.door, person)["scopes"] == ["me", "users:read"]


@task("invite somebody to choose a password")
async def invite(hand: Hand) -> None:
    await hand.press("n")
    form = hand.page.get_by_role("region", name="Invite")
    await hand.click("E-mail", "textbox", form)
    await hand.type("ulrika@console.example.com")
    await hand.click("Send it by e-mail", "switch", form)
    await hand.click("Invite", within=form)
    await expect(form.locator("code")).to_have_text(re.compile(r"/auth/sign-up\?invitation=[\w-]{43}$"))

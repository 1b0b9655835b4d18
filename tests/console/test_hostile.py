"""What users wrote is text in every view: nothing runs, leaves, turns the page round or breaks its layout."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from tests.support.console import PASSWORD, VIEWS, Door, settle
from tests.support.hostile import HOSTILE, make_hostile, refuse_nothing, remove_hostile
from tests.support.servers import MongoServer

TAG = "hostile-values"
WORDLESS = {"/jobs", "/operations", "/overview", "/people/new"}
"""Views that show nothing that users wrote."""
_ANY = re.compile("|".join(re.escape(value[:9]) for value in HOSTILE.values()))
_WAIT = {"Prefer": "wait=30"}
_CHECK = r"""() => {
  const bad = [];
  const view = document.querySelector('#view');
  if (window.ran) bad.push('it ran');
  if (view.querySelector('script, [onerror], img[src=x]')) bad.push('markup was made of text');
  for (const link of document.querySelectorAll('[href]'))
    if (/^\s*javascript:/i.test(link.getAttribute('href'))) bad.push('a link runs');
  const walker = document.createTreeWalker(view, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const around = node.parentElement;
    if (!/[\u202a-\u202e\u2066-\u2069]/.test(node.data) || around.tagName === 'OPTION') continue;
    const { unicodeBidi } = getComputedStyle(around);
    const isAlone = around.closest('[dir], bdi') || /isolate|plain/.test(unicodeBidi);
    if (!isAlone) bad.push(`text turns its neighbours round: ${around.outerHTML.slice(0, 200)}`);
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return bad;
  const isWide = (each) => each.getBoundingClientRect().right > clientWidth;
  const wide = [...view.querySelectorAll('*')].filter(isWide);
  return [...bad, `it scrolls sideways by ${wide.map((each) => each.outerHTML.slice(0, 90)).join('; ')}`];
}"""


def _person(marker: str) -> dict[str, Any]:
    address = dict.fromkeys(("label", "street", "city", "region", "zipcode", "country"), f"{marker}9")
    profile = {"bio": marker, "title": marker, "department": marker, "age": 30, "addresses": [address]}
    email = f"{marker}@console.example.com"
    return {"name": marker, "username": marker, "email": email, "tags": [marker, TAG], "profile": profile}


def _make_people(door: Door, uri: str) -> list[str]:
    """A user of each marker who has a past: changes, a session, a personal token."""
    ids = []
    with door.api() as http:
        for marker in HOSTILE:
            made = http.post("/users", json=_person(marker)).raise_for_status().json()
            path = f"/users/{made['id']}"
            http.patch(path, json={"profile": {"title": f"{marker} again"}}).raise_for_status()
            http.put(f"{path}/password", json={"password": PASSWORD}).raise_for_status()
            login = {"grant_type": "password", "username": marker, "password": PASSWORD}
            agent = {b"User-Agent": HOSTILE[marker][:8_000].encode(), b"Authorization": b""}
            signed = http.post("/auth/token", data=login, headers=agent)
            own = {"Authorization": f"Bearer {signed.raise_for_status().json()['access_token']}"}
            token = {"name": marker, "scopes": ["me"]}
            http.post("/users/me/tokens", json=token, headers=own).raise_for_status()
            refuse_nothing(uri, made["id"], marker)
            ids.append(made["id"])
    return ids


def _make_others(door: Door) -> dict[str, str]:
    """One of each thing that has a place of its own in the console, by that place."""
    csv = "email,name,tags,age\n" + "".join(f"{m}@new.example.com,{m},{m},{m}\n" for m in HOSTILE)
    with door.api() as http, door.administrator() as own:
        for marker in HOSTILE:
            uris = [f"https://app.example.com/{'long' if marker == 'Zq3X' else marker}"]
            named = {"name": marker, "grant_types": ["authorization_code"], "redirect_uris": uris}
            client = http.post("/clients", json=named).raise_for_status().json()
            schedule = {"name": marker, "cron": "0 6 * * 1", "export": {"format": "csv"}}
            http.post("/users/exports/schedules", json=schedule).raise_for_status()
            view = {"name": marker, "query": "sort=name", "is_shared": True}
            own.post("/views", json=view).raise_for_status()
            change = {"action": "add_tags", "tags": [marker, f"{marker}-too"]}
            asked = {"filter": {"tag": [TAG]}, "change": change}
            bulk = http.post("/users:bulk", json=asked, headers=_WAIT).raise_for_status().json()
            file = {"file": (f"{marker}.csv", csv.encode(), "text/csv")}
            plan = http.post("/users/import", files=file, headers=_WAIT).raise_for_status().json()
        export = http.post("/users/exports", json={"format": "csv", "tag": [TAG]}, headers=_WAIT)
    ids = {"bulk": bulk, "imports": plan, "exports": export.raise_for_status().json(), "clients": client}
    return {name: made["id"] for name, made in ids.items()}


@pytest.fixture(scope="module")
def places(opened: Door, mongo_server: MongoServer) -> Iterator[dict[str, list[str]]]:
    """Where each view is to be looked at."""
    uri = mongo_server.uri_of("console")
    people = _make_people(opened, uri)
    others = _make_others(opened)
    make_hostile(uri)
    found = {path: [path] for path in VIEWS}
    found["/people"] = [f"/people?tag={TAG}&cols={_COLUMNS}"]
    found["/people/:id"] = [f"/people/{person}" for person in people]
    for name, made in others.items():
        found[f"/{name}/:id"] = [f"/{name}/{made}"]
    yield found
    remove_hostile(uri)


_COLUMNS = (
    "name,email,username,phone,locale,tags,profile.department,profile.title,"
    "profile.addresses.city,profile.addresses.country"
)


@pytest.mark.parametrize("view", VIEWS)
async def test_no_value_of_a_user_runs_or_leads_away_or_breaks_the_layout(
    door: Door, places: dict[str, list[str]], view: str
) -> None:
    for place in places[view]:
        async with door.visit(place) as page:
            await settle(page)
            await expect(page.get_by_role("alert")).to_have_count(0)
            if view not in WORDLESS:
                await expect(page.get_by_text(_ANY).first).to_be_attached()
            for width in (320, 1_280):
                await page.set_viewport_size({"width": width, "height": 800})
                assert await page.evaluate(_CHECK) == [], f"{place} at {width} pixels"


async def test_hostile_values_can_be_read_in_the_table_and_in_the_names_of_views(
    door: Door, places: dict[str, list[str]]
) -> None:
    async with door.visit(places["/people"][0]) as page:
        await page.get_by_role("button", name="Views", exact=True).click()
        for value in HOSTILE.values():
            await expect(page.locator("tbody td").get_by_text(value, exact=True).first).to_be_attached()
            await expect(page.get_by_role("menu").get_by_text(value, exact=True)).to_be_attached()
        assert await page.evaluate(_CHECK) == []

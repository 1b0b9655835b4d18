"""The shell of the console: signing in and out, ended sessions, keys, themes, languages, what goes wrong."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.console import ADMIN, PASSWORD, Door, judge, sign_in

TOKEN = "**/auth/browser-token"
START = re.compile(r"/console/overview$")


async def end_session(page: Page) -> None:
    """End the browser's session, as another device of its user might."""
    await page.evaluate("""async () => {
      const body = JSON.stringify({ client_id: 'roster-console' });
      const asked = { method: 'POST', body, headers: { 'Content-Type': 'application/json' } };
      const { access_token } = await (await fetch('/auth/browser-token', asked)).json();
      const headers = { Authorization: `Bearer ${access_token}` };
      const { items } = await (await fetch('/users/me/sessions', { headers })).json();
      const { id } = items.find((each) => each.current);
      await fetch(`/users/me/sessions/${id}`, { method: 'DELETE', headers });
    }""")


async def test_a_stranger_signs_in_and_comes_to_the_place_that_they_asked_for(door: Door) -> None:
    async with door.visit("/people?department=Sales&sort=-name", signed_in=False) as page:
        await sign_in(page)
        await expect(page).to_have_url(f"{door.url}/console/people?department=Sales&sort=-name")
        await expect(page.locator("h1")).to_have_text("People")
        stored = await page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
        assert "eyJ" not in stored


async def test_one_who_is_signed_in_comes_in_without_a_page_between(door: Door) -> None:
    async with door.visit() as page:
        await expect(page).to_have_url(START)
        await expect(page.locator("h1")).to_have_text("Overview")


async def test_a_sign_out_ends_the_session_of_the_browser_and_leads_back(door: Door) -> None:
    async with door.visit("/people?density=compact", signed_in=False) as page:
        await sign_in(page)
        await page.get_by_role("button", name="account, theme and language").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(page.locator("h1")).to_have_text("You are signed out")
        assert await judge(page) == []
        await page.get_by_role("button", name="Sign in").click()
        await sign_in(page)
        await expect(page).to_have_url(START)


async def test_an_ended_session_says_why_keeps_what_was_typed_and_goes_on_after_a_new_sign_in(
    door: Door,
) -> None:
    async with door.visit("/people", signed_in=False) as page:
        await sign_in(page)
        await page.get_by_role("button", name="Filter").click()
        await page.get_by_role("combobox", name="Department").fill("half a wo")
        await end_session(page)
        await page.evaluate("history.pushState(null, '', '?sort=name'); dispatchEvent(new Event('popstate'))")
        lost = page.get_by_role("dialog", name="Your session has ended")
        await expect(lost).to_contain_text("It was ended")
        assert await judge(page) == []
        async with page.context.expect_page() as opened:
            await lost.get_by_role("link", name="Sign in again").click()
        again = await opened.value
        await again.fill("input[name=username]", ADMIN)
        await again.fill("input[name=password]", PASSWORD)
        await again.click("main button")
        await expect(lost).to_be_hidden()
        await expect(page.get_by_role("dialog", name="Filters")).to_contain_text("half a wo")
        await expect(page.locator("[aria-sort=ascending]")).to_have_text("Name")
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_the_token_is_renewed_through_the_browser_s_session_when_the_api_takes_it_no_more(
    console: Page,
) -> None:
    refused = 0

    async def refuse_once(route: Route) -> None:
        nonlocal refused
        refused += 1
        if refused > 1:
            await route.continue_()
            return
        problem = {"status": 401, "code": "token_expired", "title": "Expired", "detail": "", "errors": []}
        await route.fulfill(status=401, json=problem)

    await console.route(re.compile(r"/users\?"), refuse_once)
    async with console.expect_response(TOKEN) as renewed:
        await console.get_by_role("searchbox").or_(console.get_by_role("combobox")).first.fill("anna")
    assert (await renewed.value).status == 200
    await expect(console.locator("mark").first).to_be_visible()


async def test_offline_is_told_and_the_page_goes_on_by_itself(console: Page) -> None:
    await console.context.set_offline(offline=True)
    await console.get_by_role("button", name="Name").click()
    waiting = console.locator(".waiting")
    await expect(waiting).to_contain_text("No connection to the service")
    assert await judge(console) == []
    await console.context.set_offline(offline=False)
    await expect(waiting).to_be_empty()
    await expect(console.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")


async def test_a_service_that_is_busy_is_waited_for_and_asked_again(console: Page) -> None:
    answers = 0

    async def be_busy(route: Route) -> None:
        nonlocal answers
        answers += 1
        if answers > 2:
            await route.continue_()
            return
        problem = {"status": 503, "code": "unavailable", "title": "Busy", "detail": "", "errors": []}
        await route.fulfill(status=503, headers={"Retry-After": "1"}, json=problem)

    await console.route(re.compile(r"/users\?.*sort=name"), be_busy)
    await console.get_by_role("button", name="Name").click()
    await expect(console.locator(".waiting")).to_contain_text("The service is busy")
    await console.get_by_role("button", name="Try now").click()
    await expect(console.locator(".waiting")).to_be_empty()
    assert answers >= 2


async def test_keys_are_shown_by_a_question_mark_and_can_be_turned_off(console: Page) -> None:
    await console.keyboard.press("?")
    shown = console.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(shown.get_by_text("Next row")).to_be_visible()
    assert await judge(console) == []
    await shown.get_by_role("switch").uncheck()
    await console.keyboard.press("Escape")
    await expect(shown).to_be_hidden()
    await console.keyboard.press("/")
    await expect(console.get_by_role("combobox")).not_to_be_focused()


@pytest.mark.parametrize(("locale", "title"), [("en-GB", "People"), ("zh-CN", "人员")])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_has_the_language_and_the_theme_of_the_browser(
    door: Door, locale: str, title: str, scheme: str
) -> None:
    async with door.visit("/people", locale=locale, color_scheme=scheme) as page:
        await expect(page.locator("h1")).to_have_text(title)
        back = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (back == "rgb(16, 19, 23)") == (scheme == "dark")


async def test_theme_and_language_can_be_chosen_and_stay(door: Door) -> None:
    async with door.visit("/people") as page:
        menu = page.get_by_role("button", name="account, theme and language")
        await menu.click()
        assert await judge(page) == []
        await page.get_by_role("menuitemradio", name="Dark").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await menu.click()
        await page.get_by_role("menuitemradio", name="中文").click()
        await expect(page.locator("h1")).to_have_text("人员")
        await page.reload()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")


async def test_an_address_that_leads_nowhere_says_so(door: Door) -> None:
    async with door.visit("/nowhere") as page:
        await expect(page.locator("h1")).to_have_text("Nothing is here")
        assert await judge(page) == []
        await page.get_by_role("link", name="To the start").click()
        await expect(page).to_have_url(START)


async def test_who_may_not_see_the_directory_sees_no_view_of_it(door: Door) -> None:
    with door.api() as http:
        user = http.post(
            "/users", json={"name": "No Rights", "email": "none@console.example.com", "scopes": ["me"]}
        )
        http.put(f"/users/{user.json()['id']}/password", json={"password": "seven wet horses sing"})
    async with door.visit(signed_in=False) as page:
        await sign_in(page, "none@console.example.com")
        await expect(page.locator("h1")).to_have_text("Nothing to manage")
        await expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(0)
        assert await judge(page) == []


async def test_the_policy_lets_no_markup_be_made_of_text(console: Page) -> None:
    made = await console.evaluate("""() => {
      try { document.body.insertAdjacentHTML('beforeend', '<i>made</i>'); return 'made'; }
      catch (error) { return error.name; }
    }""")
    assert made == "TypeError"

"""/auth/sign-in and /auth/sign-out: a browser signs in without JavaScript, and only for its own user."""

import re
import time
import uuid
from typing import Any

import httpx
import pytest

from app.oauth.authorization import Flow
from tests.support.api import serving
from tests.support.identity import (
    PASSWORD,
    WRONG_PASSWORD,
    call,
    member,
    register_client,
    sign_in,
    wear_out,
)
from tests.support.pages import Browser, attributes, hidden, title, words

WRONG = "The name or the password is wrong."


@pytest.fixture
def browser(served: httpx.AsyncClient) -> Browser:
    return Browser(served)


async def listed(served: httpx.AsyncClient, user: dict[str, Any]) -> int:
    """How many sessions the user has, as administrators see it."""
    reply = await served.get(f"/users/{user['id']}/sessions")
    assert reply.status_code == 200, reply.text
    return len(reply.json()["items"] if isinstance(reply.json(), dict) else reply.json())


async def test_a_user_signs_in_by_a_form_and_out_again(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    page = await browser.open("/auth/sign-in")
    assert page.status_code == 200
    assert title(page) == "Sign in – Roster"
    reply = await browser.send(page, username=ana["email"].upper(), password=PASSWORD)
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-in")
    page = await browser.open("/auth/sign-in")
    assert title(page) == "You are signed in – Roster"
    assert f"As {ana['email']}." in words(page)
    assert await listed(served, ana) == 1
    page = await browser.open("/auth/sign-out")
    assert title(page) == "Sign out? – Roster"
    reply = await browser.send(page)
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-out")
    page = await browser.open("/auth/sign-out")
    assert title(page) == "You are signed out – Roster"
    assert await listed(served, ana) == 0
    assert title(await browser.open("/auth/sign-in")) == "Sign in – Roster"


@pytest.mark.parametrize("name", ["unknown", "ana", "inactive"])
async def test_a_wrong_name_a_wrong_password_and_a_deactivated_user_are_refused_alike(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any], name: str
) -> None:
    typed, password = {
        "unknown": (f"{uuid.uuid4().hex}@example.com", PASSWORD),
        "ana": (ana["email"], WRONG_PASSWORD),
        "inactive": (ana["email"], PASSWORD),
    }[name]
    if name == "inactive":
        assert (await served.patch(f"/users/{ana['id']}", json={"is_active": False})).status_code == 200
    page = await browser.sign_in(typed, password)
    assert page.status_code == 400
    assert title(page) == "Error: Sign in – Roster"
    assert words(page).startswith(f"There is a problem {WRONG} Sign in")
    assert f'value="{typed}"' in page.text
    assert password not in page.text
    assert not [cookie for cookie in page.headers.get_list("set-cookie") if "session" in cookie]


async def test_the_page_after_a_refusal_signs_in(browser: Browser, ana: dict[str, Any]) -> None:
    page = await browser.sign_in(ana["email"], WRONG_PASSWORD)
    assert (await browser.send(page, username=ana["email"], password=PASSWORD)).status_code == 303


async def test_empty_fields_are_named(browser: Browser) -> None:
    page = await browser.sign_in("", "")
    assert page.status_code == 422
    assert "Password: Must not be empty." in words(page)
    assert "E-mail, username or phone number: Must not be empty." in words(page)


async def test_people_who_have_to_wait_are_told_how_long(
    served: httpx.AsyncClient, ana: dict[str, Any]
) -> None:
    await wear_out(served, ana["email"])
    page = await Browser(served).sign_in(ana["email"], PASSWORD)
    assert page.status_code == 429
    assert f"Try again in {page.headers['retry-after']} seconds." in words(page)


async def test_a_very_long_name_is_shown_again_and_is_nobody(browser: Browser) -> None:
    name = "ä" * 20_000
    page = await browser.sign_in(name, PASSWORD)
    assert page.status_code == 400
    assert f'value="{name}"' in page.text


async def test_a_hostile_name_stays_text(browser: Browser) -> None:
    page = await browser.sign_in('"><script>alert(1)</script>', PASSWORD)
    assert page.status_code == 400
    assert "<script" not in page.text
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page.text


# --- what browsers are told


async def test_the_page_is_for_its_reader_alone_and_runs_nothing(browser: Browser) -> None:
    page = await browser.open("/auth/sign-in")
    (policy,) = page.headers.get_list("content-security-policy")
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; img-src data:; base-uri 'none'; "
        r"frame-ancestors 'none'; form-action 'self'",
        policy,
    )
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-frame-options"] == "DENY"
    assert "cross-origin-opener-policy" not in page.headers
    assert "content-encoding" not in page.headers
    assert len(page.content) < 10 * 1024


async def test_on_loopback_the_cookies_are_plain_and_kept_from_scripts_and_other_sites(
    browser: Browser, ana: dict[str, Any]
) -> None:
    page = await browser.open("/auth/sign-in")
    (cookie,) = page.headers.get_list("set-cookie")
    expected = {"path": "/", "httponly": "", "samesite": "lax"}
    assert attributes(cookie) == {"name": "roster_form"} | expected
    reply = await browser.send(page, username=ana["email"], password=PASSWORD)
    (cookie,) = reply.headers.get_list("set-cookie")
    assert attributes(cookie) == {"name": "roster_session"} | expected


async def test_by_https_the_cookies_are_of_this_host_alone(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, issuer="https://users.example.com") as served:
        user, browser = await member(served), Browser(served)
        browser.client.base_url = httpx.URL("https://users.example.com")
        page = await browser.open("/auth/sign-in")
        (cookie,) = page.headers.get_list("set-cookie")
        expected = {"path": "/", "secure": "", "httponly": "", "samesite": "lax"}
        assert attributes(cookie) == {"name": "__Host-roster_form"} | expected
        reply = await browser.send(page, username=user["email"], password=PASSWORD)
        (cookie,) = reply.headers.get_list("set-cookie")
        assert attributes(cookie) == {"name": "__Host-roster_session"} | expected
        assert title(await browser.open("/auth/sign-in")) == "You are signed in – Roster"
        reply = await browser.send(await browser.open("/auth/sign-out"))
        (cookie,) = reply.headers.get_list("set-cookie")
        assert attributes(cookie)["max-age"] == "0"


# --- forms of others


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
    ],
)
async def test_a_form_that_another_site_sends_signs_nobody_in(
    browser: Browser, ana: dict[str, Any], headers: dict[str, str]
) -> None:
    page = await browser.open("/auth/sign-in")
    browser.client.headers.update(headers)
    reply = await browser.send(page, username=ana["email"], password=PASSWORD)
    assert reply.status_code == 403
    assert title(reply) == "Error: This did not work – Roster"
    assert '<a href="/auth/sign-in">Try again</a>' in reply.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {"Origin": "null"}],
)
async def test_a_form_of_ours_is_taken_with_what_browsers_say_of_it(
    browser: Browser, ana: dict[str, Any], headers: dict[str, str]
) -> None:
    page = await browser.open("/auth/sign-in")
    browser.client.headers.update(headers)
    assert (await browser.send(page, username=ana["email"], password=PASSWORD)).status_code == 303


@pytest.mark.parametrize("token", [None, "", "forged", "A" * 64])
async def test_a_form_without_the_right_token_signs_nobody_in(
    browser: Browser, ana: dict[str, Any], token: str | None
) -> None:
    await browser.open("/auth/sign-in")
    fields = {"username": ana["email"], "password": PASSWORD} | (
        {} if token is None else {"form_token": token}
    )
    assert (await browser.client.post("/auth/sign-in", data=fields)).status_code == 403


async def test_the_token_of_another_browser_signs_nobody_in(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    stolen = hidden(await Browser(served).open("/auth/sign-in"))
    await browser.open("/auth/sign-in")
    fields = stolen | {"username": ana["email"], "password": PASSWORD}
    assert (await browser.client.post("/auth/sign-in", data=fields)).status_code == 403


async def test_a_browser_without_cookies_is_told_so(browser: Browser, ana: dict[str, Any]) -> None:
    page = await browser.open("/auth/sign-in")
    browser.client.cookies.clear()
    reply = await browser.send(page, username=ana["email"], password=PASSWORD)
    assert reply.status_code == 403
    assert "your browser takes no cookies" in words(reply)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"username=%zz", "application/x-www-form-urlencoded"),
        (b"username=a&username=b", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ],
)
async def test_what_is_no_form_is_refused_with_a_page(
    browser: Browser, body: bytes, content_type: str
) -> None:
    reply = await browser.client.post("/auth/sign-in", content=body, headers={"Content-Type": content_type})
    assert reply.status_code == 400
    assert title(reply) == "Error: This did not work – Roster"


# --- sessions


async def test_a_cookie_that_somebody_planted_is_not_signed_in(
    served: httpx.AsyncClient, ana: dict[str, Any]
) -> None:
    planted, victim = Browser(served), Browser(served)
    await planted.sign_in(ana["email"], PASSWORD)
    page = await victim.open("/auth/sign-in")
    victim.client.cookies.set("roster_session", planted.client.cookies["roster_session"])
    reply = await victim.send(page, username=ana["email"], password=PASSWORD)
    assert reply.status_code == 303
    assert title(await planted.open("/auth/sign-in")) == "Sign in – Roster"


async def test_another_user_in_the_same_browser_ends_the_session_of_the_first(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    ben = await member(served)
    first = await browser.open("/auth/sign-in")
    await browser.send(first, username=ana["email"], password=PASSWORD)
    await browser.send(first, username=ben["email"], password=PASSWORD)  # of a second tab
    assert ben["email"] in words(await browser.open("/auth/sign-in"))
    assert (await listed(served, ana), await listed(served, ben)) == (0, 1)


async def test_two_tabs_sign_in_one_after_the_other(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    tabs = [await browser.open("/auth/sign-in"), await browser.open("/auth/sign-in")]
    for tab in tabs:
        assert (await browser.send(tab, username=ana["email"], password=PASSWORD)).status_code == 303
    assert title(await browser.open("/auth/sign-in")) == "You are signed in – Roster"
    assert await listed(served, ana) == 1


async def test_the_form_of_one_session_does_nothing_in_the_next(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    ben = await member(served)
    page = await browser.open("/auth/sign-in")
    await browser.send(page, username=ana["email"], password=PASSWORD)
    old = await browser.open("/auth/sign-out")
    await browser.send(page, username=ben["email"], password=PASSWORD)
    assert (await browser.send(old)).status_code == 403
    assert await listed(served, ben) == 1


async def test_after_a_sign_out_the_way_back_leads_to_the_sign_in(
    browser: Browser, ana: dict[str, Any]
) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    old = await browser.open("/auth/password")
    await browser.send(await browser.open("/auth/sign-out"))
    reply = await browser.open("/auth/password")
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-in?next=password")
    assert (await browser.send(old, current_password=PASSWORD)).headers[
        "location"
    ] == "/auth/sign-in?next=password"


async def test_a_sign_out_twice_says_that_it_is_done(browser: Browser, ana: dict[str, Any]) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    page = await browser.open("/auth/sign-out")
    for _ in range(2):
        assert (await browser.send(page)).headers["location"] == "/auth/sign-out"


async def test_a_deactivated_user_is_signed_out_of_their_browsers(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    assert (await served.patch(f"/users/{ana['id']}", json={"is_active": False})).status_code == 200
    assert title(await browser.open("/auth/sign-in")) == "Sign in – Roster"


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "/users", "evil", ""])
async def test_a_sign_in_leads_to_pages_of_ours_alone(
    browser: Browser, ana: dict[str, Any], place: str
) -> None:
    page = await browser.open("/auth/sign-in", next=place)
    reply = await browser.send(page, username=ana["email"], password=PASSWORD)
    assert reply.headers["location"] == "/auth/sign-in"


async def test_a_sign_in_leads_to_the_page_that_asked_for_it(browser: Browser, ana: dict[str, Any]) -> None:
    page = await browser.open("/auth/sign-in", next="password")
    reply = await browser.send(page, username=ana["email"], password=PASSWORD)
    assert reply.headers["location"] == "/auth/password"
    assert (await browser.open("/auth/sign-in", next="password")).headers["location"] == "/auth/password"


async def test_a_token_of_the_api_and_a_browser_are_two_sessions_of_the_same_user(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    tokens = await sign_in(served, ana)
    await browser.sign_in(ana["email"], PASSWORD)
    assert await listed(served, ana) == 2
    reply = await call(served, "DELETE", "/users/me/sessions", tokens["access_token"])
    assert reply.status_code == 204
    assert title(await browser.open("/auth/sign-in")) == "Sign in – Roster"


# --- languages


@pytest.mark.parametrize(
    ("query", "accepted", "name"),
    [
        ({}, "zh-CN,zh;q=0.9", "登录 – Roster"),
        ({}, "fr", "Sign in – Roster"),
        ({"ui_locales": "zh"}, "en", "登录 – Roster"),
        ({"ui_locales": "tlh en"}, "zh", "Sign in – Roster"),
        ({"ui_locales": "tlh"}, "zh", "登录 – Roster"),
        ({"ui_locales": "x" * 5000}, "en", "Sign in – Roster"),
    ],
)
async def test_a_page_speaks_the_language_that_is_wished_or_that_the_browser_prefers(
    browser: Browser, query: dict[str, str], accepted: str, name: str
) -> None:
    browser.client.headers["Accept-Language"] = accepted
    page = await browser.open("/auth/sign-in", **query)
    assert title(page) == name
    assert page.headers["content-language"] == ("zh" if name.startswith("登录") else "en")


async def test_a_chosen_language_stays_and_unknown_ones_are_no_choice(
    browser: Browser, ana: dict[str, Any]
) -> None:
    assert title(await browser.open("/auth/sign-in", ui_locales="zh")) == "登录 – Roster"
    assert title(await browser.open("/auth/sign-in")) == "登录 – Roster"
    assert title(await browser.open("/auth/sign-in", ui_locales="tlh")) == "登录 – Roster"
    page = await browser.sign_in(ana["email"], WRONG_PASSWORD)
    assert title(page) == "错误：登录 – Roster"
    assert title(await browser.open("/auth/sign-in", ui_locales="en")) == "Sign in – Roster"
    assert title(await browser.open("/auth/sign-in")) == "Sign in – Roster"


# --- the way of an application


async def test_a_flow_that_is_forged_or_too_old_is_explained(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    client, _ = await register_client(served)
    old = seal(served, client.id, asked_at=time.time() - 3_601)
    for flow in ("forged", old):
        page = await browser.open("/auth/sign-in", flow=flow)
        assert page.status_code == 400
        assert title(page) == "Error: This did not work – Roster"
        assert "This took too long, or was answered already." in words(page)
        assert "expired" not in words(page)
    page = await browser.open("/auth/sign-in", flow=seal(served, client.id, asked_at=time.time() - 3_590))
    page = await browser.client.post(
        "/auth/sign-in",
        params={"flow": old},
        data=hidden(page) | {"username": ana["email"], "password": PASSWORD},
    )
    assert page.status_code == 400
    assert await listed(served, ana) == 0


async def test_the_page_of_a_flow_says_whose_it_is_and_leads_back_to_it(
    served: httpx.AsyncClient, ana: dict[str, Any]
) -> None:
    hostile = '<b onclick="x">Portal</b>'
    client, _ = await register_client(served, hostile, is_public=True)
    sealed = seal(served, client.id, login_hint=ana["email"], ui_locales="zh-CN fr")
    browser = Browser(served, Accept_Language="en")
    page = await browser.open("/auth/sign-in", flow=sealed)
    assert title(page) == "登录 – Roster"
    assert f"以继续使用 {hostile}" in words(page).replace("&lt;", "<")
    assert "<b " not in page.text
    assert f'value="{ana["email"]}"' in page.text
    assert "form-action" not in page.headers["content-security-policy"]
    reply = await browser.send(page, username=ana["email"], password=PASSWORD)
    assert (reply.status_code, reply.headers["location"]) == (303, f"/auth/continue?flow={sealed}")
    page = await browser.open("/auth/sign-in", flow=sealed)
    assert title(page) == "登录 – Roster"


async def test_the_page_of_a_flow_whose_application_is_gone_names_none(
    served: httpx.AsyncClient, browser: Browser
) -> None:
    page = await browser.open("/auth/sign-in", flow=seal(served, "gone"))
    assert (page.status_code, "to go on to" in words(page)) == (200, False)


def seal(served: httpx.AsyncClient, client_id: str, **more: Any) -> str:
    """A flow of the client, as the authorization endpoint would seal it now."""
    auth = served.app.state.container.auth  # type: ignore[attr-defined]  # set by `serving`
    flow = Flow(
        client_id=client_id,
        redirect_uri="https://app.example.com/callback",
        scopes=frozenset({"me"}),
        code_challenge="c" * 43,
        **{"asked_at": time.time()} | more,
    )
    return str(auth.authorization.seal(flow))

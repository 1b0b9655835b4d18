"""The pages that ask for a mail, and those that its link or its code leads to."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from app.mail import Mail
from tests.support.api import serving
from tests.support.identity import OTHER_PASSWORD, PASSWORD, ask_token, member
from tests.support.mail import read_mails
from tests.support.pages import Browser, hidden, title, words


@pytest.fixture
def browser(served: httpx.AsyncClient) -> Browser:
    return Browser(served)


async def mail_to(served: httpx.AsyncClient, address: str) -> Mail:
    """The newest to this address."""
    return [mail for mail in await read_mails(served) if mail.to == address][-1]


async def ask(browser: Browser, address: str, path: str = "/auth/forgotten") -> httpx.Response:
    return await browser.send(await browser.open(path), email=address)


async def follow(browser: Browser, mail: Mail) -> httpx.Response:
    """Open the mail's link."""
    link = urlsplit(mail.values["link"])
    return await browser.open(link.path, **dict(parse_qsl(link.query)))


async def signs_in(served: httpx.AsyncClient, address: str, password: str) -> bool:
    return (await ask_token(served, address, password)).status_code == 200


async def test_a_forgotten_password_is_replaced_by_the_link_of_a_mail(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    asked = await browser.open("/auth/sign-in")
    assert '<a href="/auth/forgotten">Forgot your password?</a>' in asked.text
    sent = await ask(browser, known["email"])
    assert (sent.status_code, title(sent)) == (200, "Look into your mail – Roster")
    page = await follow(browser, await mail_to(served, known["email"]))
    assert (page.status_code, title(page)) == (200, "Set a new password – Roster")
    assert known["email"] in words(page)
    done = await browser.send(page, password=OTHER_PASSWORD)
    assert (done.status_code, title(done)) == (200, "Your password is set – Roster")
    assert '<a href="/auth/sign-in">' in done.text
    assert await signs_in(served, known["email"], OTHER_PASSWORD)
    assert not await signs_in(served, known["email"], PASSWORD)


async def test_a_forgotten_password_is_replaced_by_the_code_of_a_mail(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    sent = await ask(browser, known["email"])
    code = (await mail_to(served, known["email"])).values["code"]
    done = await browser.send(
        sent, email=known["email"], code=f"{code[:3]} {code[3:]}", password=OTHER_PASSWORD
    )
    assert title(done) == "Your password is set – Roster"
    assert await signs_in(served, known["email"], OTHER_PASSWORD)


async def test_the_page_of_a_code_can_be_opened_without_a_link(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    await ask(browser, known["email"])
    code = (await mail_to(served, known["email"])).values["code"]
    page = await browser.open("/auth/mail/reset_password")
    assert '<a href="/auth/forgotten">Send a new mail</a>' in page.text
    done = await browser.send(page, email=known["email"], code=code, password=OTHER_PASSWORD)
    assert title(done) == "Your password is set – Roster"


async def test_known_and_unknown_addresses_get_the_same_page(browser: Browser, known: dict[str, Any]) -> None:
    pages = []
    for address in (known["email"], "nobody@example.com"):
        page = await ask(browser, address)
        pages.append((page.status_code, {*page.headers}, words(page).replace(address, "…")))
    assert pages[0] == pages[1]


async def test_programs_that_follow_each_link_change_nothing(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    await ask(browser, known["email"])
    mail = await mail_to(served, known["email"])
    for method in ("GET", "HEAD", "GET", "HEAD"):
        scanned = await served.request(method, mail.values["link"])
        assert scanned.status_code == 200
        assert scanned.headers["cache-control"] == "no-store"
        assert scanned.headers["referrer-policy"] == "no-referrer"
    assert await signs_in(served, known["email"], PASSWORD)
    done = await browser.send(await follow(browser, mail), password=OTHER_PASSWORD)
    assert title(done) == "Your password is set – Roster"


async def test_a_used_link_offers_a_new_mail(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    await ask(browser, known["email"])
    mail = await mail_to(served, known["email"])
    page = await follow(browser, mail)
    await browser.send(page, password=OTHER_PASSWORD)
    for again in (await browser.send(page, password=PASSWORD), await follow(browser, mail)):
        assert (again.status_code, title(again)) == (403, "Error: Forgot your password? – Roster")
        assert "The link or code is wrong, was used, or has expired." in words(again)
    sent = await browser.send(again, email=known["email"])
    assert title(sent) == "Look into your mail – Roster"


@pytest.mark.parametrize("token", ["unknown", "A" * 43, "A" * 10_000, "<script>"])
async def test_a_link_that_nobody_was_sent_offers_a_mail(browser: Browser, token: str) -> None:
    page = await browser.open("/auth/mail/activate", token=token)
    assert (page.status_code, title(page)) == (403, "Error: Forgot your password? – Roster")
    assert token not in page.text


async def test_a_link_is_good_for_its_own_purpose(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    await ask(browser, known["email"])
    mail = await mail_to(served, known["email"])
    token = mail.values["link"].partition("token=")[2]
    for purpose in ("activate", "verify_email", "change_email", "take_back_email"):
        assert (await browser.open(f"/auth/mail/{purpose}", token=token)).status_code == 403
    assert (await follow(browser, mail)).status_code == 200


async def test_a_weak_password_leaves_the_link_good(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    await ask(browser, known["email"])
    page = await follow(browser, await mail_to(served, known["email"]))
    for weak, told in (("", "Must not be empty."), ("short", "Must have at least 8 characters.")):
        page = await browser.send(page, password=weak)
        assert page.status_code == 422
        assert f"New password: {told}" in words(page)
    done = await browser.send(page, password=OTHER_PASSWORD)
    assert title(done) == "Your password is set – Roster"


async def test_a_wrong_code_is_asked_for_again(browser: Browser, known: dict[str, Any]) -> None:
    page = await ask(browser, known["email"])
    wrong = await browser.send(page, email=known["email"], code="000000", password=OTHER_PASSWORD)
    assert (wrong.status_code, title(wrong)) == (403, "Error: Set a new password – Roster")
    assert f'value="{known["email"]}"' in wrong.text
    assert '<a href="/auth/forgotten">Send a new mail</a>' in wrong.text


async def test_what_is_missing_is_named(browser: Browser) -> None:
    page = await browser.open("/auth/mail/reset_password")
    empty = await browser.send(page, email="", code="", password="")
    assert empty.status_code == 422
    assert "E-mail: Must not be empty. Code from the mail: Must not be empty." in words(empty)


@pytest.mark.parametrize(
    "address", ["ana", "<b>@example.com", "a" * 10_000, "ana@example.com\r\nBcc: x@y.com"]
)
async def test_what_is_no_address_is_named(browser: Browser, address: str) -> None:
    page = await ask(browser, address)
    assert page.status_code == 422
    assert "E-mail: Must be an address such as ana@example.com." in words(page)
    assert "<b>" not in page.text


async def test_an_empty_address_is_named(browser: Browser) -> None:
    page = await ask(browser, "", "/auth/verify")
    assert page.status_code == 422
    assert "E-mail: Must not be empty." in words(page)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/auth/forgotten", "/auth/verify", "/auth/mail/reset_password"])
async def test_another_site_sends_none_of_these_forms(
    browser: Browser, path: str, headers: dict[str, str]
) -> None:
    page = await browser.open(path)
    browser.client.headers.update(headers)
    assert (await browser.send(page, email="ana@example.com")).status_code == 403


async def test_another_language_keeps_the_link(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    await ask(browser, known["email"])
    page = await follow(browser, await mail_to(served, known["email"]))
    token = hidden(page)["token"]
    assert f'href="?token={token}&amp;ui_locales=zh"' in page.text
    chinese = await browser.open("/auth/mail/reset_password", token=token, ui_locales="zh")
    assert title(chinese) == "设置新密码 – Roster"
    assert title(await ask(browser, known["email"])) == "请查收邮件 – Roster"


async def test_an_address_is_verified_by_a_mail(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    account = await browser.client.get((await browser.sign_in(ana["email"], PASSWORD)).headers["location"])
    assert '<a href="/auth/verify">Verify your e-mail address</a>' in account.text
    asked = await browser.open("/auth/verify")
    assert f'value="{ana["email"]}"' in asked.text
    await browser.send(asked, email=ana["email"])
    page = await follow(browser, await mail_to(served, ana["email"]))
    assert title(page) == "Verify your e-mail address – Roster"
    assert title(await browser.send(page)) == "Your e-mail address is verified – Roster"
    assert (await served.get(f"/users/{ana['id']}")).json()["email_verified"] is True
    assert "/auth/verify" not in (await browser.open("/auth/sign-in")).text


async def test_an_address_is_changed_and_taken_back(
    served: httpx.AsyncClient, browser: Browser, known: dict[str, Any]
) -> None:
    await browser.sign_in(known["email"], PASSWORD)
    new = f"new-{known['email']}"
    sent = await browser.send(await browser.open("/auth/email"), email=new, current_password=PASSWORD)
    assert title(sent) == "Look into your mail – Roster"
    assert (await served.get(f"/users/{known['id']}")).json()["email"] == known["email"]
    page = await follow(browser, await mail_to(served, new))
    assert title(page) == "Change your e-mail address – Roster"
    assert new in words(page)
    assert title(await browser.send(page)) == "Your e-mail address is changed – Roster"
    assert (await served.get(f"/users/{known['id']}")).json()["email"] == new
    back = await follow(browser, await mail_to(served, known["email"]))
    assert title(back) == "Take your e-mail address back – Roster"
    assert title(await browser.send(back)) == "Your account has its earlier address again – Roster"
    assert (await served.get(f"/users/{known['id']}")).json()["email"] == known["email"]
    assert (await browser.open("/auth/mail/take_back_email")).status_code == 403
    gone = await browser.send(back)
    assert (gone.status_code, title(gone)) == (403, "Error: This did not work – Roster")


async def test_the_page_of_a_change_is_for_who_is_signed_in(browser: Browser, ana: dict[str, Any]) -> None:
    for reply in (await browser.open("/auth/email"), await browser.client.post("/auth/email")):
        assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-in?next=email")
    reply = await browser.sign_in(ana["email"], PASSWORD, "/auth/sign-in?next=email")
    assert reply.headers["location"] == "/auth/email"


async def test_a_change_of_address_needs_the_password(browser: Browser, ana: dict[str, Any]) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    page = await browser.send(
        await browser.open("/auth/email"), email="new@example.com", current_password=OTHER_PASSWORD
    )
    assert page.status_code == 403
    assert "Current password: Must be the current password." in words(page)
    assert 'value="new@example.com"' in page.text


async def test_there_is_no_page_for_another_purpose(browser: Browser) -> None:
    for reply in (await browser.open("/auth/mail/steal"), await browser.client.post("/auth/mail/steal")):
        assert reply.status_code == 404


async def test_without_mail_the_pages_say_that_it_is_off(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url) as served:
        browser, user = Browser(served), await member(served)
        assert "/auth/forgotten" not in (await browser.open("/auth/sign-in")).text
        for path in ("/auth/forgotten", "/auth/verify"):
            page = await browser.open(path)
            assert page.status_code == 409
            assert "No mail can be sent here." in words(page)
        await browser.sign_in(user["email"], PASSWORD)
        assert "/auth/verify" not in (await browser.open("/auth/sign-in")).text
        form = await browser.open("/auth/email")
        assert "We write to the new address first." not in words(form)
        done = await browser.send(form, email=f"new-{user['email']}", current_password=PASSWORD)
        assert title(done) == "Your e-mail address is changed – Roster"


async def test_an_open_registration_is_finished_by_a_mail_and_tells_nobody_who_is_there(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    async with serving(mongo_uri, redis_url, registration="open", mail_folder=tmp_path) as client:
        there = await member(client)
        new = "zoe@example.com"
        sent = []
        for address in (new, there["email"]):
            browser = Browser(client)
            form = await browser.open("/auth/sign-up")
            page = await browser.send(form, name="Zoë", email=address, password=OTHER_PASSWORD)
            assert title(page) == "Look into your mail – Roster"
            sent.append((page.status_code, {*page.headers}, words(page).replace(address, "…")))
        assert sent[0] == sent[1]
        assert (await mail_to(client, there["email"])).kind == "registered_again"
        assert not await signs_in(client, there["email"], OTHER_PASSWORD)
        page = await follow(browser, await mail_to(client, new))
        done = await browser.send(page)
        assert title(done) == "Your e-mail address is verified – Roster"
        assert await signs_in(client, new, OTHER_PASSWORD)

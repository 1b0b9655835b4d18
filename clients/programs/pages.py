"""Every page in Chromium: axe-core finds nothing, it is light, and it asks nobody but Roster for anything."""

import gzip
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from playwright.sync_api import Page, Response

from clients import outbox
from clients.programs import axe, chromium
from clients.programs.harness import CALLBACK, CLIENTS, ISSUER, OUTBOX, PICTURES, USER, step

_LIGHTEST = 10 * 1024
"""Bytes, gzipped, of all that a page needs."""
_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # of RFC 7636, appendix B
_LANGUAGES, _SCHEMES, _WIDTHS = ("en", "zh-CN"), ("light", "dark"), (320, 1280)


def _authorize(client: str, **more: str) -> str:
    asked = {
        "client_id": client,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile email phone address offline_access me",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{ISSUER}/auth/authorize?{urlencode(asked | more)}"


def _sign_in(page: Page) -> None:
    page.fill("input[name=username]", USER["email"])
    page.fill("input[name=password]", USER["password"])
    page.click("form[method=post] button")
    page.wait_for_load_state()


def _ask_for_code() -> str:
    form = {"client_id": CLIENTS["command-line"]["id"], "scope": "me"}
    return str(httpx.post(f"{ISSUER}/auth/device", data=form).raise_for_status().json()["user_code"])


def _walk_mails(page: Page) -> Iterator[str]:
    """The pages of a forgotten password, up to the new one, which nobody sets."""
    page.goto(f"{ISSUER}/auth/forgotten")
    yield "forgotten"
    page.click("form[method=post] button")
    yield "forgotten, wrong"
    page.fill("input[name=email]", USER["email"])
    page.click("form[method=post] button")
    yield "mail sent"
    page.fill("input[name=code]", "000000")
    page.fill("input[name=password]", USER["password"])
    page.click("form[method=post] button")
    yield "code, wrong"
    page.goto(outbox.find_link(Path(OUTBOX), "reset_password"))
    yield "link"
    page.click("form[method=post] button")
    yield "link, wrong"
    page.goto(f"{ISSUER}/auth/mail/verify_email?token=used")
    yield "link, used"
    page.goto(f"{ISSUER}/auth/mail/change_email")
    yield "change of address"


def _walk(page: Page) -> Iterator[str]:
    """Each page in turn, named once it is shown; the first half is signed out, the second signed in."""
    page.goto(_authorize("unknown"))
    yield "error"
    yield from _walk_mails(page)
    page.goto(f"{ISSUER}/auth/sign-up")
    yield "sign up"
    page.click("form[method=post] button")
    yield "sign up, wrong"
    page.goto(_authorize("server"))
    yield "sign in"
    page.click("form[method=post] button")
    yield "sign in, wrong"
    page.goto(_authorize("server"))
    _sign_in(page)
    yield "consent"
    page.goto(f"{ISSUER}/auth/sign-in")
    yield "account"
    page.goto(f"{ISSUER}/auth/password")
    yield "password"
    page.click("form[method=post] button")
    yield "password, wrong"
    page.goto(f"{ISSUER}/auth/email")
    yield "email"
    page.click("form[method=post] button")
    yield "email, wrong"
    page.goto(f"{ISSUER}/auth/results?job=none")
    yield "result, unknown"
    page.goto(f"{ISSUER}/auth/device")
    yield "device"
    page.fill("input[name=user_code]", _ask_for_code())
    page.click("form[method=post] button")
    yield "device, confirm"
    page.click("form[method=post] button")
    yield "device, done"
    page.goto(f"{ISSUER}/auth/sign-out")
    yield "sign out"
    page.click("form[method=post] button")
    yield "signed out"


class _Watch:
    """What a window asks for, and how much comes."""

    def __init__(self, page: Page) -> None:
        self.elsewhere: list[str] = []
        self.blocked: list[str] = []
        self.bytes: dict[str, int] = {}
        page.on("request", self._note)
        page.on("response", self._weigh)
        page.on("console", self._read)

    def _note(self, request: Any) -> None:
        if not request.url.startswith(("data:", ISSUER)):
            self.elsewhere.append(request.url)

    def _weigh(self, response: Response) -> None:
        if not httpx.codes.is_redirect(response.status) and not response.url.startswith("data:"):
            self.bytes[response.url] = len(gzip.compress(response.body()))

    def _read(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.blocked.append(message.text)

    def take(self) -> int:
        """The bytes since the last time."""
        total = sum(self.bytes.values())
        self.bytes.clear()
        return total


def _look(language: str, scheme: Any, width: int) -> tuple[list[str], int]:
    """What is wrong in one way of looking, and the bytes of the heaviest page."""
    wrong, heaviest = [], 0
    size: Any = {"width": width, "height": 800}
    with chromium.opened(locale=language, color_scheme=scheme, viewport=size) as page:
        watch = _Watch(page)
        for name in _walk(page):
            heaviest = max(heaviest, watch.take())
            wrong += [f"{name}, {language}, {scheme}, {width} px: {each}" for each in axe.judge(page)]
            picture = f"{name.replace(', ', '-').replace(' ', '-')}-{language}-{scheme}-{width}.png"
            page.screenshot(path=Path(PICTURES) / picture, full_page=True)
        wrong += [f"asked for {url}" for url in watch.elsewhere] + watch.blocked
    return wrong, heaviest


def main() -> None:
    wrong: list[str] = []
    heaviest = 0
    for language, scheme, width in product(_LANGUAGES, _SCHEMES, _WIDTHS):
        found, weight = _look(language, scheme, width)
        wrong += found
        heaviest = max(heaviest, weight)
    assert not wrong, "\n".join(wrong)
    with step(
        f"25 pages in 2 languages, light and dark, at {' and '.join(map(str, _WIDTHS))} px: no finding"
    ):
        assert heaviest <= _LIGHTEST, heaviest
    with step(f"at most {heaviest} bytes a page, gzipped; no request to another origin"):
        pass


main()

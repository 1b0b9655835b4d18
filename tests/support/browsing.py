"""A person whose browser runs no JavaScript: redirects, cookies, and what they answer to our forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

_MOST_STEPS = 20


@dataclass(slots=True)
class Form:
    """One that is sent by POST."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self.found.append(Form(given.get("action", "")))
        elif self.found and tag == "input" and "name" in given:
            self.found[-1].fields[given["name"]] = given.get("value", "")
        elif self.found and tag == "button" and "name" in given:
            self.found[-1].buttons.append((given["name"], given.get("value", "")))


def find_forms(page: str) -> list[Form]:
    return _Forms(page).found


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a walk ended: at another program's address, or at a page of ours with nothing to answer."""

    url: str
    page: str = ""
    status: int = 0
    """Of the page."""
    sent: dict[str, str] = field(default_factory=dict)
    """What a form would have posted to the other program (response_mode=form_post)."""

    @property
    def answer(self) -> dict[str, str]:
        """The parameters that the other program gets."""
        return self.sent or dict(parse_qsl(urlsplit(self.url).query))


@dataclass(frozen=True, slots=True)
class Person:
    """What they answer, by the name of the field; of several buttons they press the first, which agrees."""

    issuer: str
    answers: dict[str, str]

    def go_on(self, reply: httpx.Response) -> Arrival | dict[str, Any]:
        """The next request, as arguments of httpx, or where the walk ends."""
        here = str(reply.url)
        if reply.is_redirect:
            place = urljoin(here, reply.headers["location"])
            return {"method": "GET", "url": place} if self._is_ours(place) else Arrival(place)
        forms = find_forms(reply.text)
        if reply.is_error or not forms:
            return Arrival(here, reply.text, reply.status_code)
        place, filled = urljoin(here, forms[0].action), self.fill(forms[0])
        if not self._is_ours(place):
            return Arrival(place, sent=filled)
        headers = {"Origin": self._origin, "Sec-Fetch-Site": "same-origin"}
        return {"method": "POST", "url": place, "data": filled, "headers": headers}

    def fill(self, form: Form) -> dict[str, str]:
        filled = {name: self.answers.get(name, value) for name, value in form.fields.items()}
        button = next((each for each in form.buttons if self.answers.get(each[0]) == each[1]), None)
        return filled | dict([button] if button else form.buttons[:1])

    @property
    def _origin(self) -> str:
        return "{}://{}".format(*urlsplit(self.issuer)[:2])

    def _is_ours(self, place: str) -> bool:
        return urlsplit(place)[:2] == urlsplit(self.issuer)[:2]


def visit(browser: httpx.Client, person: Person, url: str) -> Arrival:
    """Go on until another program's address, or a page with nothing to answer."""
    step: Arrival | dict[str, Any] = {"method": "GET", "url": url}
    for _ in range(_MOST_STEPS):
        if isinstance(step, Arrival):
            return step
        step = person.go_on(browser.request(**step))
    raise AssertionError(f"the pages go on and on: {step}")


async def visit_within(browser: httpx.AsyncClient, person: Person, url: str) -> Arrival:
    """The same with a browser of an app in this process."""
    step: Arrival | dict[str, Any] = {"method": "GET", "url": url}
    for _ in range(_MOST_STEPS):
        if isinstance(step, Arrival):
            return step
        step = person.go_on(await browser.request(**step))
    raise AssertionError(f"the pages go on and on: {step}")

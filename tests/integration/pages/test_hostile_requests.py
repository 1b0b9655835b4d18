"""Whatever a browser is made to send to a page: the answer is a page or a redirect of ours, never a 500."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes, urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.http.pages import PageRoute
from app.http.route_paths import find_all
from tests.support.authorization import CALLBACK, Application, container_of, register, sign_in_browser

_EVIL = "https://evil.example"
_SCRIPT = "<script>alert(1)</script>"
_FORM = "application/x-www-form-urlencoded"
_NAMES = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"),
    *("max_age", "claims", "code_challenge", "code_challenge_method", "id_token_hint", "login_hint"),
    *("ui_locales", "request", "request_uri", "registration", "post_logout_redirect_uri", "flow", "logout"),
    *("next", "user_code", "form_token", "username", "password", "name", "email", "invitation", "answer"),
    *("current_password", "new_password", "token", "code", "%00", "a[]", ""),
)
_RAW = (
    *(
        b"",
        b"%",
        b"%zz",
        b"%00",
        b"%ff%fe",
        b"%ed%a0%80",
        b"%0d%0aSet-Cookie:%20a=b",
        b"+",
        b"a=b",
        b"a;b",
        b"#",
    ),
    *(
        b"\x01\x1f\x7f",
        b"\x80\xff",
        b"a" * 10_000,
        b"%F0%9F%92%A9" * 1_000,
        b"%e2%80%ae%00",
        b"null",
        b"none login",
    ),
    *(b"-1", b"0", b"9" * 30, b"[]", b"{%22id_token%22:{%22sub%22:{%22value%22:[]}}}", b"[" * 5_000),
    *(
        quote_from_bytes(text.encode()).encode()
        for text in (_SCRIPT, f'"><a href="{_EVIL}', f"{CALLBACK}@evil.example")
    ),
    *(
        _EVIL.encode(),
        b"//evil.example",
        b"/\\evil.example",
        b"javascript:alert(1)",
        b"../../evil",
        b"device/../evil",
    ),
    *(
        b"urn:ietf:params:oauth:request_uri:x",
        b"eyJhbGciOiJub25lIn0.e30.",
        b".." * 20,
        b"BCDF-GHJK",
        b"allow",
    ),
)
_VALUES = st.sampled_from(_RAW) | st.text(max_size=12).map(lambda text: text.encode(errors="surrogatepass"))
_BAD = st.tuples(st.sampled_from(_NAMES).map(str.encode), _VALUES)
_KINDS = st.sampled_from(
    [_FORM, f"{_FORM}; charset=utf-16", "multipart/form-data; boundary=x", "application/json", "", "\xff"]
)


@dataclass(frozen=True, slots=True)
class Attack:
    route: int
    missing: frozenset[int]
    """Places of what would be right."""
    bad: list[tuple[bytes, bytes]]
    doubles: bool
    """Whether what is bad stands beside what is right, or in its place."""
    kind: str
    is_signed_in: bool
    cookie: bytes

    def spoil(self, good: Mapping[str, str]) -> bytes:
        spoilt = set() if self.doubles else {name.decode() for name, _ in self.bad}
        kept = [
            pair
            for place, pair in enumerate(good.items())
            if place not in self.missing and pair[0] not in spoilt
        ]
        return b"&".join([urlencode(kept).encode(), *(b"=".join(pair) for pair in self.bad)])


_ATTACKS = st.builds(
    Attack,
    route=st.integers(0, 1_000),
    missing=st.frozensets(st.integers(0, 20), max_size=3),
    bad=st.lists(_BAD, max_size=3),
    doubles=st.booleans(),
    kind=st.just(_FORM) | _KINDS,
    is_signed_in=st.booleans(),
    cookie=st.just(b"") | st.binary(max_size=40),
)


@dataclass(slots=True)
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


async def send(
    http: httpx.AsyncClient, method: str, target: tuple[str, bytes], headers: Mapping[str, bytes], body: bytes
) -> Reply:
    """The request with these very bytes, which no library of clients would send."""
    reply = Reply()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    path, query = target

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def take(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {
                name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        else:
            reply.content += message.get("body", b"")

    await http.app({  # type: ignore[attr-defined]  # set by `serving`
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
        "headers": [(name.encode(), value) for name, value in headers.items()],
        "client": ("203.0.113.9", 1), "server": ("localhost", 80),
    }, receive, take)  # fmt: skip
    return reply


@pytest.fixture(scope="module")
async def portal(served: httpx.AsyncClient) -> Application:
    return await register(served, post_logout_redirect_uris=(CALLBACK,))


@pytest.fixture(scope="module")
async def flow(portal: Application) -> str:
    """One that leads through the pages."""
    return (await portal.ask()).headers["location"].partition("flow=")[2]


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(attack=_ATTACKS)
async def test_no_request_breaks_a_page_or_leads_to_a_strange_place(
    served: httpx.AsyncClient, portal: Application, flow: str, ana: dict[str, Any], attack: Attack
) -> None:
    routes = sorted(find_all(served.app.routes, PageRoute))  # type: ignore[attr-defined]  # set by `serving`
    method, path = routes[attack.route % len(routes)]
    auth = container_of(served).auth
    form_cookie = auth.form_tokens.make_cookie()
    session = await sign_in_browser(served, ana) if attack.is_signed_in else None
    browser = await auth.browsers.find(session)
    token = auth.form_tokens.make(form_cookie, browser.sid if browser else "")
    sent = attack.spoil(portal.request() | {"flow": flow, "form_token": token, "answer": "allow"})
    cookies = f"; roster_form={form_cookie}; roster_session={session}".encode()
    headers = {"host": b"localhost", "accept": b"text/html", "cookie": attack.cookie + cookies}
    query, body = sent, b""
    if method == "POST":
        query, body = urlencode({"flow": flow}).encode(), sent
        headers["content-type"] = attack.kind.encode("latin-1")
    _judge(await send(served, method, (path, query), headers, body))


def _judge(reply: Reply) -> None:
    assert 200 <= reply.status < 500, (reply.status, reply.content)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert "set-cookie: a" not in json.dumps(reply.headers).lower()
    if reply.status == 303:
        place = urlsplit(reply.headers["location"])
        assert (place.scheme, place.netloc) in {("", ""), tuple(urlsplit(CALLBACK)[:2])}, reply.headers
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["location"].isascii()
        assert reply.headers["location"].isprintable()
        return
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = reply.content.decode()
    assert page.lower().startswith("<!doctype html>")
    assert _SCRIPT not in page
    assert f'href="{_EVIL}' not in page

"""What the tests of the authorization endpoint share: applications, browsers that are signed in, answers."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httpx

from app.accounts import account_records
from app.clients import Client
from app.clients.client import NewClient
from app.container import Container
from models.client import GrantType
from tests.support.identity import basic, call, post_form

CALLBACK = "https://app.example.com/callback"
VERIFIER = "a-verifier-of-the-tests-that-has-enough-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CODE_AND_REFRESH: frozenset[GrantType] = frozenset({"authorization_code", "refresh_token"})


def container_of(http: httpx.AsyncClient) -> Container:
    container: Container = http.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    return container


async def sign_in_browser(http: httpx.AsyncClient, user: Mapping[str, Any], cookie: str | None = None) -> str:
    """The cookie of a browser in which the user has just signed in."""
    auth = container_of(http).auth
    account = await account_records.read(auth, user["id"])
    assert account is not None
    _, cookie = await auth.browsers.begin(
        account.user_id, account.generation, address="127.0.0.1", agent="Firefox", cookie=cookie
    )
    return cookie


async def age(http: httpx.AsyncClient, cookie: str, seconds: float) -> None:
    """Make the sign-in of this browser so much older."""
    container = container_of(http)
    browser = await container.auth.browsers.find(cookie)
    assert browser is not None
    then = int((browser.auth_at.timestamp() - seconds) * 1000)
    session = f"roster:{{{browser.user_id}}}:session:{browser.sid}"
    await container.connections.redis.hset(session, "auth_at", str(then))


async def browse(
    http: httpx.AsyncClient, method: str, path: str, cookie: str | None = None, **more: Any
) -> httpx.Response:
    """A request of a browser, which sends its cookie and follows no redirect by itself."""
    headers = {} if cookie is None else {"Cookie": f"roster_session={cookie}"}
    return await call(http, method, path, headers=headers, **more)


def answer_of(reply: httpx.Response, uri: str = CALLBACK) -> dict[str, str]:
    """The parameters that the browser takes to the client, without `iss`, which must be right."""
    assert reply.status_code == 303, reply.text
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["referrer-policy"] == "no-referrer"
    found = urlsplit(reply.headers["location"])
    assert found._replace(query="").geturl() == uri, reply.headers["location"]
    told = dict(parse_qsl(found.query, strict_parsing=True))
    assert told.pop("iss").startswith("http")
    return told


def page_of(reply: httpx.Response) -> str:
    """The name of the page of ours that the browser is sent to."""
    assert reply.status_code == 303, reply.text
    name, _, query = reply.headers["location"].partition("?")
    assert query.startswith(("flow=", "logout=")) or not query
    return str(name)


@dataclass(frozen=True, slots=True)
class Application:
    """A registered client that signs its users in."""

    http: httpx.AsyncClient
    client: Client
    secret: str

    def request(self, **more: str | None) -> dict[str, str]:
        """The parameters of a request that is in order, but for those that are told; None leaves one out."""
        usual: dict[str, str | None] = {
            "client_id": self.client.id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": "a state",
            "nonce": "a-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | more).items() if value is not None}

    async def ask(self, cookie: str | None = None, **more: str | None) -> httpx.Response:
        return await browse(self.http, "GET", "/auth/authorize", cookie, params=self.request(**more))

    async def ask_code(self, cookie: str, **more: str | None) -> str:
        return answer_of(await self.ask(cookie, **more), more.get("redirect_uri") or CALLBACK)["code"]

    @property
    def proof(self) -> dict[str, str]:
        """The header by which it authenticates; a public client has none."""
        return {"Authorization": basic(self.client.id, self.secret)} if self.secret else {}

    async def post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        sent = dict(form) if self.secret else {"client_id": self.client.id, **form}
        return await post_form(self.http, path, sent, **self.proof)

    async def exchange(self, code: str, **more: str) -> httpx.Response:
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return await self.post("/auth/token", usual | more)

    async def get_tokens(self, cookie: str, **more: str | None) -> dict[str, Any]:
        """The tokens of a new grant in this browser."""
        uri = more.get("redirect_uri") or CALLBACK
        reply = await self.exchange(await self.ask_code(cookie, **more), redirect_uri=uri)
        assert reply.status_code == 200, reply.text
        return cast("dict[str, Any]", reply.json())

    async def refresh(self, refresh_token: str, **more: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token} | more
        return await self.post("/auth/token", form)


async def register(http: httpx.AsyncClient, **more: Any) -> Application:
    """A first-party client with a secret, unless told otherwise."""
    usual: dict[str, Any] = {
        "name": "Portal",
        "redirect_uris": (CALLBACK,),
        "grant_types": CODE_AND_REFRESH,
        "is_first_party": True,
    }
    client, secret = await container_of(http).auth.clients.register(NewClient(**(usual | more)))
    return Application(http, client, secret or "")

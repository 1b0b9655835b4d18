"""What the tests of opaque tokens share: people, the tokens they make, and what becomes of these."""

from dataclasses import dataclass
from typing import Any, cast

import httpx

from models.values import ALL_SCOPES
from tests.support.applying import resources
from tests.support.identity import call
from tests.support.tokens import mint_for
from tests.support.users import create

ALIVE = "alive"


@dataclass(frozen=True, slots=True)
class Maker:
    """Somebody who has signed in, by this access token."""

    http: httpx.AsyncClient
    id: str
    session: str

    async def ask(self, **said: Any) -> httpx.Response:
        body = {"name": "nightly report", "scopes": ["me"]} | said
        return await call(self.http, "POST", "/users/me/tokens", self.session, json=body)

    async def make(self, **said: Any) -> dict[str, Any]:
        """A new token, as answered."""
        reply = await self.ask(**said)
        assert reply.status_code == 201, reply.text
        return cast("dict[str, Any]", reply.json())

    async def list_all(self, token: str | None = None) -> list[dict[str, Any]]:
        reply = await call(self.http, "GET", "/users/me/tokens", token or self.session)
        assert reply.status_code == 200, reply.text
        return cast("list[dict[str, Any]]", reply.json()["items"])


async def maker(http: httpx.AsyncClient, *scopes: str) -> Maker:
    """A new user who has signed in, with these scopes (all unless told)."""
    user = await create(http, scopes=list(scopes or ALL_SCOPES))
    token = await mint_for(resources(http), user["id"], *(scopes or ALL_SCOPES))
    return Maker(http, user["id"], token)


async def fate(http: httpx.AsyncClient, token: str) -> str:
    """`alive`, or the code of the refusal of a request with this token."""
    reply = await call(http, "GET", "/users/me/sessions", token)
    return ALIVE if reply.status_code == 200 else str(reply.json()["code"])

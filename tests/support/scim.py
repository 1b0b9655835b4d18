"""Provisioning clients, as Okta and Entra are registered: with a long-lived token."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.identity import call

SCIM = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider that fills the directory."""

    http: httpx.AsyncClient
    token: str
    client_id: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        more: dict[str, Any] = {} if body is None else {"json": body}
        sent = {"Content-Type": SCIM} if body is not None else {}
        return await call(
            self.http,
            method,
            f"/scim/v2{path}",
            headers={"Authorization": f"Bearer {self.token}", **sent, **headers},
            **more,
        )

    async def make(self, user_name: str, /, **more: Any) -> dict[str, Any]:
        reply = await self.ask("POST", "/Users", {"schemas": [USER], "userName": user_name, **more})
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = reply.json()
        return made

    async def patch(self, made: dict[str, Any], *operations: dict[str, Any]) -> httpx.Response:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return await self.ask("PATCH", f"/Users/{made['id']}", body)

    async def find(self, expression: str) -> list[dict[str, Any]]:
        reply = await self.ask("GET", str(httpx.URL("/Users", params={"filter": expression})))
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()["Resources"]
        return found


async def provider(http: httpx.AsyncClient, name: str = "Okta") -> Provider:
    asked = {"name": name, "grant_types": ["client_credentials"], "scopes": ["scim"]}
    client = (await http.post("/clients", json=asked)).json()
    path = f"/clients/{client['id']}/tokens"
    made = await http.post(path, json={"name": "provisioning", "scopes": ["scim"]})
    assert made.status_code == 201, made.text
    return Provider(http, made.json()["token"], client["id"])


def scim_error(reply: httpx.Response, status: int, kind: str | None = None) -> str:
    """Check a SCIM error (RFC 7644, section 3.12); what it tells."""
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == SCIM
    body = reply.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert (body["status"], body.get("scimType")) == (str(status), kind)
    return str(body["detail"])

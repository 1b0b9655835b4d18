"""The Model Context Protocol's SDK: a server that Roster guards, and a client that registers itself."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import uvicorn
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from clients.programs.harness import CALLBACK, CLIENTS, ISSUER, USER, step, visit


class Introspector:
    """Asks Roster about each token, as a registered client."""

    async def verify_token(self, token: str) -> AccessToken | None:
        auth = (CLIENTS["server"]["id"], CLIENTS["server"]["secret"])
        async with httpx.AsyncClient() as caller:
            told = (await caller.post(f"{ISSUER}/auth/introspect", data={"token": token}, auth=auth)).json()
        if not told["active"]:
            return None
        return AccessToken(
            token=token,
            client_id=told["client_id"],
            scopes=told["scope"].split(),
            expires_at=told["exp"],
            subject=told["sub"],
        )


class Memory:
    """What a client keeps."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def whoami() -> str:
    """The user's id."""
    token = get_access_token()
    return str(token.subject) if token else ""


@contextlib.asynccontextmanager
async def _guarded() -> AsyncIterator[str]:
    """The address of a server with one tool."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = AuthSettings(
        issuer_url=ISSUER,
        resource_server_url=f"{url}/mcp",
        required_scopes=["openid"],
        validate_token_resource=False,
    )
    server = MCPServer("guarded", token_verifier=Introspector(), auth=settings)

    server.add_tool(whoami)
    web = uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="warning"))
    serving = asyncio.create_task(web.serve(sockets=[listening]))
    try:
        yield f"{url}/mcp"
    finally:
        web.should_exit = True
        await serving


def _provider(url: str, memory: Memory) -> OAuthClientProvider:
    places: list[str] = []

    async def send(place: str) -> None:
        places.append(await asyncio.to_thread(visit, place))

    async def receive() -> AuthorizationCodeResult:
        answer = {name: values[0] for name, values in parse_qs(urlsplit(places.pop()).query).items()}
        return AuthorizationCodeResult(**answer)

    wanted = OAuthClientMetadata(
        client_name="An agent",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(url, wanted, memory, send, receive)


async def _ask(url: str, provider: OAuthClientProvider) -> Any:
    async with (
        httpx2.AsyncClient(auth=provider) as caller,
        Client(streamable_http_client(url, http_client=caller)) as client,
    ):
        return (await client.call_tool("whoami", {})).content[0].text


async def main() -> None:
    memory = Memory()
    async with _guarded() as url:
        provider = _provider(url, memory)
        with step("discovery, dynamic registration, code with PKCE"):
            assert await _ask(url, provider) == USER["id"]
            assert memory.client is not None
        with step("refresh"):
            assert memory.tokens is not None
            before = memory.tokens.access_token
            provider.context.token_expiry_time = 1
            assert await _ask(url, provider) == USER["id"]
            assert memory.tokens.access_token != before


asyncio.run(main())

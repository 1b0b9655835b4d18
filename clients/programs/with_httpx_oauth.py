"""httpx-oauth: its generic client for OpenID Connect, as fastapi-users has it."""

import asyncio
import base64
import hashlib

from httpx_oauth.clients.openid import OpenID
from httpx_oauth.oauth2 import RefreshTokenError

from clients.programs.harness import CALLBACK, CLIENTS, ISSUER, USER, refused, step, visit

_SCOPE = ["openid", "email", "offline_access"]
_VERIFIER = "an-httpx-verifier-of-more-than-43-characters-0123456789"


def _challenge() -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def main() -> None:
    with step("discovery"):
        place = f"{ISSUER}/.well-known/openid-configuration"
        client = OpenID(CLIENTS["server"]["id"], CLIENTS["server"]["secret"], place)
    with step("code with PKCE"):
        url = await client.get_authorization_url(
            CALLBACK, state="s", scope=_SCOPE, code_challenge=_challenge(), code_challenge_method="S256"
        )
        answer = await asyncio.to_thread(visit, url)
        code = answer.partition("code=")[2].partition("&")[0]
        tokens = await client.get_access_token(code, CALLBACK, _VERIFIER)
    with step("userinfo"):
        assert await client.get_id_email(tokens["access_token"]) == (USER["id"], USER["email"])
    with step("refresh"):
        tokens = await client.refresh_token(tokens["refresh_token"])
    with step("revocation"):
        await client.revoke_token(tokens["refresh_token"], "refresh_token")
        with refused(RefreshTokenError):
            await client.refresh_token(tokens["refresh_token"])


asyncio.run(main())

"""A client, and codes for it, without pages: `python -m benchmarks.granting EMAIL COUNT`.

The codes are made as the authorization endpoint makes them, in a process of its own on the same Redis.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from app import container
from app.accounts import account_records
from app.clients import NewClient
from app.core import sealing, settings
from app.oauth.authorization import steps
from app.oauth.oauth import OAuth
from benchmarks.servers import Database

CALLBACK = "https://app.example.com/callback"
VERIFIER = "a-verifier-of-the-benchmarks-that-is-long-enough"
_CHALLENGE = sealing.encode(hashlib.sha256(VERIFIER.encode()).digest())
_SCOPES = "openid me"
_EACH = 50
"""Codes of one browser session, which holds no more than a hundred grants."""


@dataclass(frozen=True, slots=True)
class Granted:
    client_id: str
    client_secret: str
    codes: list[str]


def prepare(port: int, database: Database, email: str, count: int) -> Granted:
    """A new first-party client and so many codes of this user's, or a few more, good for a minute."""
    environment = database.environment() | {"ROSTER_PORT": str(port)}  # which its tokens name
    command = [sys.executable, "-m", "benchmarks.granting", email, str(count)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return Granted(**json.loads(done.stdout))


async def _prepare(email: str, count: int) -> Granted:
    async with container.opened(settings.load(), apply_indexes=False) as opened:
        auth = opened.auth
        client, secret = await auth.clients.register(
            NewClient(
                name="Benchmark",
                scopes=frozenset({*_SCOPES.split(), "users:read"}),
                grant_types=frozenset({"authorization_code", "refresh_token", "client_credentials"}),
                redirect_uris=(CALLBACK,),
                is_first_party=True,
            )
        )
        codes: list[str] = []
        while len(codes) < count:
            cookie = await _sign_in(auth, email)
            codes += await asyncio.gather(*(_ask_code(auth, client.id, cookie) for _ in range(_EACH)))
        return Granted(client.id, secret or "", codes)


async def _sign_in(auth: OAuth, email: str) -> str:
    account = await account_records.find(auth, "keys.email", email.lower())
    assert account
    _, cookie = await auth.browsers.begin(
        account.user_id, account.generation, address="127.0.0.1", agent="", cookie=None
    )
    return cookie


async def _ask_code(auth: OAuth, client_id: str, cookie: str) -> str:
    asked = {
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": _SCOPES,
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    return (await steps.begin(auth, asked, cookie)).parameters["code"]


def main() -> None:
    print(json.dumps(asdict(asyncio.run(_prepare(sys.argv[1], int(sys.argv[2]))))))


if __name__ == "__main__":
    main()

"""`make races`: fifty exchanges of one code at once, two hundred times, at a server of two workers.

python -m benchmarks.races                200 rounds, into benchmarks/RESULTS.md (three minutes)
python -m benchmarks.races --rounds 10    as many as that; RESULTS.md stays as it is

Of each code one exchange at most gives tokens, and once it was used again these are dead.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from pymongo import MongoClient

from benchmarks import granting, results, tokens
from benchmarks.granting import Granted
from benchmarks.results import Finding
from benchmarks.servers import Database
from tests.support.live import PATIENCE_S, LiveServer
from tests.support.servers import MongoServer, RedisServer

ROUNDS = 200
AT_ONCE = 50
_WORKERS = 2
_CODES = 50
"""As many as are used up long before the first of them expires."""


@dataclass(frozen=True, slots=True)
class Round:
    given: int
    """Exchanges that gave tokens."""
    refused: int
    """Those that were told `invalid_grant`."""
    alive: int
    """Access and refresh tokens of these that were good afterwards."""


async def race(client: httpx.AsyncClient, granted: Granted, code: str) -> Round:
    """All exchanges of one code at once, and then what they gave."""
    form = {"code": code, "redirect_uri": granting.CALLBACK, "code_verifier": granting.VERIFIER}
    replies = await asyncio.gather(
        *(_ask(client, granted, "authorization_code", **form) for _ in range(AT_ONCE))
    )
    given = [reply.json() for reply in replies if reply.status_code == httpx.codes.OK]
    refused = sum(_is_refused(reply) for reply in replies)
    alive = 0
    for each in given:
        headers = {"Authorization": f"Bearer {each['access_token']}"}
        alive += (await client.get("/users/me", headers=headers)).status_code != httpx.codes.UNAUTHORIZED
        refreshed = await _ask(client, granted, "refresh_token", refresh_token=each["refresh_token"])
        alive += not _is_refused(refreshed)
    return Round(len(given), refused, alive)


async def _ask(client: httpx.AsyncClient, granted: Granted, grant_type: str, **form: str) -> httpx.Response:
    asked = {"grant_type": grant_type, "client_id": granted.client_id, "client_secret": granted.client_secret}
    return await client.post("/auth/token", data=asked | form)


def _is_refused(reply: httpx.Response) -> bool:
    return reply.status_code == httpx.codes.BAD_REQUEST and reply.json()["error"] == "invalid_grant"


async def run(server: LiveServer, database: Database, rounds: int) -> list[Round]:
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    done: list[Round] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S, limits=limits) as client:
        while len(done) < rounds:
            port, count = server.address[1], min(_CODES, rounds - len(done))
            granted = await asyncio.to_thread(granting.prepare, port, database, tokens.ADMIN_EMAIL, count)
            done += [await race(client, granted, code) for code in granted.codes[:count]]
    return done


def judge(rounds: list[Round]) -> list[Finding]:
    asked = f"{len(rounds)} rounds of {AT_ONCE} exchanges of one code at once, {_WORKERS} workers"
    twice = sum(each.given > 1 for each in rounds)
    once = sum(each.given == 1 for each in rounds)
    alive = sum(each.alive for each in rounds)
    other = sum(AT_ONCE - each.given - each.refused for each in rounds)
    return [
        Finding("races", f"{asked}: rounds in which one gave tokens", f"{once}", once, at_least=1),
        Finding("races", "the same: rounds in which more than one did", f"{twice}", twice, at_most=0),
        Finding("races", "the same: tokens that were good afterwards", f"{alive}", alive, at_most=0),
        Finding(
            "races", "the same: replies other than these and `invalid_grant`", f"{other}", other, at_most=0
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.races", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"codes ({ROUNDS})")
    asked = parser.parse_args()
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="roster-races-") as folder,
        MongoServer(Path(folder)) as mongo,
        RedisServer(Path(folder)) as redis,
    ):
        with MongoClient[dict[str, object]](mongo.uri) as client:
            mongod = str(client.server_info()["version"])
        with LiveServer(
            Path(folder) / "app",
            *("--workers", str(_WORKERS)),
            mongo_uri=mongo.uri,
            redis_url=redis.url,
            admin_email=tokens.ADMIN_EMAIL,
            admin_password=tokens.PASSWORD,
            log_level="warning",
        ) as server:
            findings = judge(asyncio.run(run(server, Database(mongo.uri, redis.url, 1), asked.rounds)))
            unforeseen = [line for line in server.log if line["level"] in {"error", "critical"}]
    keep = asked.rounds == ROUNDS
    results.conclude(findings, mongod=mongod, started=started, keep=keep, unforeseen=unforeseen)


if __name__ == "__main__":
    main()

"""The load of the soak: all that callers do, well and badly, each with what it made taken away again."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from benchmarks.tokens import PASSWORD

LIGHT_RATE = 12
"""Of a second. One is a handful of requests, as a caller makes them one after the other."""
HEAVY_EVERY_S = 4.0
MOST_OPEN = 40
"""At more than these at once the load waits: it is to be bounded, whatever the machine."""
_IMPORTED = 200
_BATCHED = 20
_PAGES = 4
_WORDS = ("anna", "zhang wei", "kumar", "berlin", "muller", "zw", "katha mü", "example.org")

Action = Callable[[], Awaitable[None]]


class Mixed:
    """`answers` counts all replies by their status; `wrong` are those that nobody hoped for."""

    def __init__(self, client: httpx.AsyncClient, metrics: str, people: list[str], ids: list[str]) -> None:
        """`client` is signed in with every scope; `people` are the e-mails of those with the password."""
        self._client = client
        self._metrics = metrics
        self._people = people
        self._ids = ids
        self._numbers = itertools.count(1)
        self._open: set[asyncio.Task[None]] = set()
        self.answers: Counter[int] = Counter()
        self.wrong: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._light: list[Action] = [
            *([self.visit] * 3), *([self.read] * 6), *([self.change] * 4), *([self.search] * 4),
            self.walk, self.batch, *([self.err] * 3), self.audit, self.scrape,
        ]  # fmt: skip
        self._heavy: list[Action] = [
            self.download, self.break_off, self.keep_export,
            self.plan_and_apply, self.break_off, self.drop_events,
        ]  # fmt: skip

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """At the end nothing is asked any more and all that was asked is answered."""
        tickers = [
            asyncio.create_task(self._tick(self._shuffled(), 1 / LIGHT_RATE)),
            asyncio.create_task(self._tick(itertools.cycle(self._heavy), HEAVY_EVERY_S)),
        ]
        try:
            yield
        finally:
            for ticker in tickers:
                ticker.cancel()
            await asyncio.gather(*tickers, return_exceptions=True)
            await asyncio.gather(*self._open)

    def _shuffled(self) -> Any:
        return (random.choice(self._light) for _ in itertools.count())

    async def _tick(self, actions: Any, every_s: float) -> None:
        due = time.perf_counter()
        for action in actions:
            due = max(due + every_s, time.perf_counter() - 1)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if len(self._open) < MOST_OPEN:
                task = asyncio.create_task(self._do(action))
                self._open.add(task)
                task.add_done_callback(self._open.discard)

    async def _do(self, action: Action) -> None:
        name = getattr(action, "__name__", "?")
        try:
            await action()
        except httpx.HTTPError as error:
            self.wrong[f"{name}: {type(error).__name__}"] += 1
        except _UnforeseenError as error:
            self.wrong[f"{name}: {error}"] += 1
        else:
            self.done[name] += 1

    async def _ask(self, method: str, path: str, hoped: int = 200, **more: Any) -> httpx.Response:
        reply = await self._client.request(method, path, **more)
        self._count(reply, hoped)
        return reply

    def _count(self, reply: httpx.Response, hoped: int) -> None:
        self.answers[reply.status_code] += 1
        if reply.status_code != hoped:
            raise _UnforeseenError(f"{reply.request.method} {reply.status_code} instead of {hoped}")

    # --- a handful of requests each

    async def visit(self) -> None:
        """Sign in, look, refresh, sign out."""
        tokens = await self._tokens(
            grant_type="password", username=random.choice(self._people), password=PASSWORD
        )
        await self._ask("GET", "/users/me", headers=_bearing(tokens))
        tokens = await self._tokens(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        await self._ask("GET", "/users/me/sessions", headers=_bearing(tokens))
        await self._ask("POST", "/auth/logout", 204, headers=_bearing(tokens))

    async def _tokens(self, **form: str) -> dict[str, str]:
        request = self._client.build_request("POST", "/auth/token", data=form)
        del request.headers["Authorization"]  # the client's own, which is no client authentication
        reply = await self._client.send(request)
        self._count(reply, 200)
        tokens: dict[str, str] = reply.json()
        return tokens

    async def read(self) -> None:
        await self._ask("GET", f"/users/{random.choice(self._ids)}")

    async def walk(self) -> None:
        asked = {"limit": "200", "sort": random.choice(("name", "-age"))}
        reply = await self._ask("GET", "/users", params=asked | {"count": "capped"})
        for _ in range(_PAGES):
            reply = await self._ask("GET", "/users", params=asked | {"cursor": reply.json()["next"]})

    async def search(self) -> None:
        word = random.choice(_WORDS)
        await self._ask("GET", "/users", params={"q": word, "limit": 20, "highlight": "true"})
        await self._ask("GET", "/users/suggest", params={"q": word[:3]})

    async def change(self) -> None:
        """One user made, changed, read, and deleted."""
        reply = await self._ask("POST", "/users", 201, json=self._person())
        path = reply.headers["location"]
        patch = {"profile": {"age": 31}}
        await self._ask("PATCH", path, json=patch, headers={"If-Match": reply.headers["etag"]})
        await self._ask("PATCH", path, 412, json=patch, headers={"If-Match": '"1"'})
        await self._ask("GET", path)
        await self._ask("DELETE", path, 204)

    async def batch(self) -> None:
        operations = [{"op": "create", "user": self._person()} for _ in range(_BATCHED)]
        key = {"Idempotency-Key": f"soak-{next(self._numbers)}"}
        reply = await self._ask("POST", "/users:batch", json={"operations": operations}, headers=key)
        await self._delete([result["id"] for result in reply.json()["results"]])

    async def err(self) -> None:
        """Nobody's token, nobody's id, a body that is none, an address that is taken."""
        await self._ask("GET", "/users", 401, headers={"Authorization": "Bearer not.a.token"})
        await self._ask("GET", "/users/0123456789abcdef01234567", 404)
        await self._ask("POST", "/users", 422, json={"name": "", "email": "nobody"})
        await self._ask("POST", "/users", 409, json={"name": "Ana", "email": random.choice(self._people)})
        await self._ask("GET", "/users?cursor=none", 400)

    async def audit(self) -> None:
        reply = await self._ask("GET", "/audit?limit=100")
        if (following := reply.json()["next"]) is not None:
            await self._ask("GET", "/audit", params={"limit": 100, "cursor": following})

    async def scrape(self) -> None:
        self._count(await self._client.get(self._metrics, headers={"Authorization": ""}), 200)

    # --- what takes its time

    async def download(self) -> None:
        """The whole directory, in each form in its turn."""
        form = ("csv", "xlsx", "ndjson")[next(self._numbers) % 3]
        async with self._client.stream("GET", f"/users/export?format={form}") as reply:
            self._count(reply, 200)
            async for _ in reply.aiter_raw():
                pass

    async def break_off(self) -> None:
        """A download that its caller gives up."""
        form = random.choice(("csv", "xlsx", "ndjson"))
        async with self._client.stream("GET", f"/users/export?format={form}") as reply:
            self._count(reply, 200)
            async for _ in reply.aiter_raw(1024):
                break

    async def keep_export(self) -> None:
        """A job, its events to the end, its file whole and in part."""
        made = await self._ask("POST", "/users/exports", 202, json={"format": "csv"})
        path = f"/users/exports/{made.json()['id']}"
        async with self._client.stream("GET", f"/jobs/{made.json()['job']}/events") as events:
            self._count(events, 200)
            async for line in events.aiter_lines():
                if line == "event: end":
                    break
        await self._ask("GET", f"{path}/file")
        await self._ask("GET", f"{path}/file", 206, headers={"Range": "bytes=100-999"})
        await self._ask("DELETE", path, 204)

    async def drop_events(self) -> None:
        """Events that their listener leaves in the midst of, and a job that is cancelled."""
        made = await self._ask("POST", "/users/exports", 202, json={"format": "xlsx"})
        async with self._client.stream("GET", f"/jobs/{made.json()['job']}/events") as events:
            self._count(events, 200)
            async for _ in events.aiter_lines():
                break
        await self._ask("DELETE", f"/users/exports/{made.json()['id']}", 204)

    async def plan_and_apply(self) -> None:
        """A file of new people, applied; its rows as a workbook; then all of it deleted."""
        tag = f"soak-{next(self._numbers)}"
        rows = [f"Ana,{self._person()['email']},{tag}" for _ in range(_IMPORTED)]
        file = "\r\n".join(["name,email,tags", *rows, f"Nobody,nobody,{tag}", ""])
        patient = {"Prefer": "wait=60"}
        reply = await self._ask(
            "POST", "/users/import", 201, content=file, headers={"Content-Type": "text/csv", **patient}
        )
        path = f"/users/imports/{reply.json()['id']}"
        await self._ask("POST", f"{path}/apply", headers=patient)
        await self._ask("GET", f"{path}/rows.xlsx?status=error")
        await self._ask("DELETE", path, 204)
        found = await self._ask("GET", f"/users?tag={tag}&fields=id&limit=1000")
        await self._delete([user["id"] for user in found.json()["items"]])

    async def _delete(self, ids: list[str]) -> None:
        operations = [{"op": "delete", "id": one} for one in ids]
        reply = await self._ask("POST", "/users:batch", json={"operations": operations})
        if {result["status"] for result in reply.json()["results"]} != {204}:
            raise _UnforeseenError("not all of them could be deleted")

    def _person(self) -> dict[str, str]:
        return {"name": "Ana Soak", "email": f"{random.randbytes(8).hex()}@soak.example.com"}


class _UnforeseenError(Exception):
    """An answer that is not the one which the request deserved."""


def _bearing(tokens: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}

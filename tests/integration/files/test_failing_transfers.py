"""A store that fails in the midst of a file: the caller is told, and nothing that is half a file stays."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from pymongo import common
from uvicorn.server import ServerState

from app.commands.http_protocol import BoundedHttp
from models.file import BUCKETS
from tests.support.api import serving
from tests.support.buckets import ANSWERS
from tests.support.jobs import backends, export
from tests.support.proxies import Proxy
from tests.support.servers import MongoServer, RedisServer, S3Server
from tests.support.users import database, problem, until

MIDST = 3_000_000
"""Bytes after which a store fails."""
BIO = "x" * 30_000
EMAILS = [f"p{place}@example.com" for place in range(200)]
FILE = "\n".join(["email,name,bio", *(f"{email},Ana,{BIO}" for email in EMAILS)]).encode()
"""More than one part of an upload."""
CREATIONS = [
    {"op": "create", "user": {"email": email, "name": "Ana", "profile": {"bio": BIO}}} for email in EMAILS
]

Fault = Callable[[Proxy], None]
FAULTS: Mapping[str, Fault] = {
    "killed": Proxy.cut,
    "frozen": Proxy.blackhole,
    "truncated": lambda proxy: proxy.truncate(150),
    "error": lambda proxy: proxy.answer(ANSWERS["error"]),
    "slow_down": lambda proxy: proxy.answer(ANSWERS["slow_down"]),
    "full": lambda proxy: proxy.answer(ANSWERS["full"]),
}
ALL = [("gridfs", "killed"), ("gridfs", "frozen"), *(("s3", fault) for fault in FAULTS)]
IN_JOBS = [("gridfs", "killed"), ("s3", "truncated"), ("s3", "slow_down")]
"""A job is put off whichever error it was."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An app that reaches its store by way of a proxy, and an export of it that is ready."""

    inside: httpx.AsyncClient
    client: httpx.AsyncClient
    """By a socket, on which a transfer breaks as it would for anybody."""
    proxy: Proxy
    made: dict[str, Any]

    @property
    def uses_s3(self) -> bool:
        return backends(self.inside).settings.files_url is not None

    async def heal(self) -> None:
        self.proxy.heal()
        await until(self._answers)

    async def _answers(self) -> bool:
        return (await self.client.get("/users?limit=1")).is_success

    async def count(self, path: str) -> int:
        return len((await self.client.get(path)).json()["items"])

    async def sweep(self) -> None:
        """Sweep as a day later; then each content has its entry, and each entry its content."""
        past = {"$set": {"metadata.expires_at": datetime.now(UTC) - timedelta(days=1)}}
        for bucket in BUCKETS.values():
            await database(self.inside)[f"{bucket}.files"].update_many({"length": {"$exists": False}}, past)
        await backends(self.inside).files.sweep()
        for bucket in BUCKETS.values():
            entries = await database(self.inside)[f"{bucket}.files"].find().to_list()
            assert all("length" in entry for entry in entries)
            chunks = await database(self.inside)[f"{bucket}.chunks"].distinct("files_id")
            assert set(chunks) <= {entry["_id"] for entry in entries}
        assert await backends(self.inside).files.check_bucket() == []


@asynccontextmanager
async def on_a_socket(inside: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    config = uvicorn.Config(inside.app, log_config=None, lifespan="off", proxy_headers=False)  # type: ignore[attr-defined]  # set by `serving`
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        headers = {"Authorization": inside.headers["Authorization"], "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            yield client


@asynccontextmanager
async def staged(uri: str, redis: RedisServer, proxy: Proxy, **settings: Any) -> AsyncIterator[Stage]:
    settings |= {"job_lease_s": 2, "mongo_timeout_ms": 500, "files_timeout_ms": 300, "jobs_inside": True}
    redis_url = redis.url.removesuffix("/0") + "/2"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "MIN_HEARTBEAT_INTERVAL", 0.03)
        patch.setattr("app.jobs.runs.FIRST_DELAY_MS", 10)
        patch.setattr("app.files.files.CLOSING_S", 0.3)
        patch.setattr("app.files.gridfs.LONGEST_UPLOAD", timedelta(seconds=-2))
        async with serving(uri, redis_url, **settings) as inside, on_a_socket(inside) as client:
            reply = await inside.post("/users:batch", json={"operations": CREATIONS})
            assert reply.status_code == 200
            yield Stage(inside, client, proxy, await export(inside, columns="email,name,bio"))
            proxy.heal()
            held = database(inside)
            await held.client.drop_database(held.name)


@pytest.fixture(scope="module")
async def gridfs(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[Stage]:
    options = "directConnection=true&serverMonitoringMode=poll"
    async with Proxy(mongo_server.server.port) as proxy:
        uri = f"mongodb://127.0.0.1:{proxy.port}/t_{uuid.uuid4().hex}?{options}"
        async with staged(uri, redis_server, proxy) as opened:
            yield opened


@pytest.fixture(scope="module")
async def s3(
    mongo_server: MongoServer, redis_server: RedisServer, s3_server: S3Server
) -> AsyncIterator[Stage]:
    s3_server.add_bucket("broken")  # parts of uploads may stay in it
    async with Proxy(s3_server.server.port) as proxy:
        bucket = {"files_url": "s3://broken", "files_endpoint": f"http://127.0.0.1:{proxy.port}"}
        uri = mongo_server.uri_of(f"t_{uuid.uuid4().hex}")
        async with staged(uri, redis_server, proxy, **bucket) as opened:
            yield opened


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    """That of the store in `request.param`; a module's fixture with parameters would start anew for each."""
    opened: Stage = request.getfixturevalue(request.param)
    return opened


@pytest.fixture(autouse=True)
async def healed(stage: Stage) -> AsyncIterator[None]:
    yield
    await stage.heal()


def each(*cases: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("stage", "fault"), cases, indirect=["stage"])


@each(*ALL)
async def test_an_upload_in_whose_midst_the_store_fails_is_refused_and_leaves_nothing(
    stage: Stage, fault: str
) -> None:
    due = stage.proxy.after(MIDST, lambda: FAULTS[fault](stage.proxy), to_server=True)
    reply = await stage.client.post("/users/import", content=FILE, headers={"Content-Type": "text/csv"})
    assert due.reached.is_set()
    problem(reply, 503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    await stage.heal()
    assert await stage.count("/users/imports") == 0
    await stage.sweep()


async def drain(reply: httpx.Response, received: bytearray) -> None:
    async for chunk in reply.aiter_raw():
        received += chunk


@each(*ALL)
async def test_a_download_in_whose_midst_the_store_fails_breaks_off_and_is_resumed(
    stage: Stage, fault: str
) -> None:
    def fail() -> None:
        if fault == "truncated":
            stage.proxy.truncate(50_000)
        else:
            FAULTS[fault](stage.proxy)

    received = bytearray()
    stage.proxy.after(MIDST, fail, to_server=False)
    async with stage.client.stream("GET", stage.made["file"]) as reply:
        assert (reply.status_code, reply.headers["Content-Length"]) == (200, str(stage.made["bytes"]))
        with pytest.raises(httpx.RemoteProtocolError):
            await drain(reply, received)
    assert 0 < len(received) < stage.made["bytes"]
    refused = await stage.client.get(stage.made["file"])
    problem(refused, 503, "unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    if stage.uses_s3:
        assert (await stage.client.get("/health/ready")).status_code == 200
    await stage.heal()
    wanted = {"Range": f"bytes={len(received)}-", "If-Range": reply.headers["ETag"]}
    rest = await stage.client.get(stage.made["file"], headers=wanted)
    assert rest.status_code == 206
    assert hashlib.sha256(received + rest.content).hexdigest() == stage.made["sha256"]


@each(*IN_JOBS)
async def test_an_export_in_whose_midst_the_store_fails_is_made_again(stage: Stage, fault: str) -> None:
    due = stage.proxy.after(MIDST, lambda: FAULTS[fault](stage.proxy), to_server=True)
    made = (await stage.client.post("/users/exports", json={"format": "csv"})).json()
    await due.reached.wait()
    if stage.uses_s3:  # else nothing answers
        assert (await stage.client.get(f"/users/exports/{made['id']}")).json()["file"] is None
        problem(await stage.client.get(f"/users/exports/{made['id']}/file"), 409, "export_not_ready")
    await stage.heal()

    async def is_made() -> bool:
        made.update((await stage.client.get(f"/users/exports/{made['id']}")).json())
        return bool(made["state"] == "succeeded")

    await until(is_made)
    content = (await stage.client.get(made["file"])).content
    assert (len(content), hashlib.sha256(content).hexdigest()) == (made["bytes"], made["sha256"])
    await stage.sweep()


@each(*IN_JOBS)
async def test_an_import_in_whose_midst_the_store_fails_is_read_again(stage: Stage, fault: str) -> None:
    headers = {"Content-Type": "text/csv", "Prefer": "wait=0"}
    due = stage.proxy.after(MIDST, lambda: FAULTS[fault](stage.proxy), to_server=False)
    reply = await stage.client.post("/users/import", content=FILE, headers=headers)
    await due.reached.wait()
    await stage.heal()
    planned: dict[str, Any] = {}

    async def is_planned() -> bool:
        planned.update((await stage.client.get(reply.headers["Location"])).json())
        return bool(planned["state"] == "planned")

    await until(is_planned)
    assert planned["counts"]["unchanged"] == len(EMAILS)
    assert (await stage.client.delete(reply.headers["Location"])).status_code == 204
    await stage.sweep()

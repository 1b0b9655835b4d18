"""MongoDB fails a command once and twice: each operation is answered as ever or 503, and done only once."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId

from models.values import ALL_SCOPES
from tests.api import serving
from tests.servers import MongoServer
from tests.support import NOBODY, create, person, users
from tests.support_exports import store_many
from tests.support_openapi import OPEN, Operation, operations, read_document, resolve
from tests.support_sessions import PASSWORD
from tests.tokens import mint_for

DOCUMENT = read_document()
OPERATIONS = list(operations(DOCUMENT))
COMMANDS = (
    "find", "insert", "update", "delete", "aggregate", "getMore", "findAndModify", "commitTransaction",
)  # fmt: skip
NETWORK_TIMEOUT = 89
"""One of the codes that MongoDB calls transient, for which PyMongo tries again once."""
BUSY = 600
"""Users who are in the way: more than one batch of an export."""


@pytest.fixture(scope="module")
def failing_mongo(servers_folder: Path) -> Iterator[MongoServer]:
    with MongoServer(servers_folder / "failing", "--setParameter", "enableTestCommands=1") as server:
        store_many(server.uri, BUSY)
        yield server


@pytest.fixture
async def client(failing_mongo: MongoServer, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(failing_mongo.uri, redis_url, registration="open") as opened:
        yield opened


@asynccontextmanager
async def failing(client: httpx.AsyncClient, command: str, times: int) -> AsyncIterator[list[int]]:
    """The next commands of this name fail. At its end the list holds how many did."""
    admin = users(client).database.client.admin
    data = {"failCommands": [command], "errorCode": NETWORK_TIMEOUT, "appName": "roster"}
    failed: list[int] = []
    before = await admin.command("configureFailPoint", "failCommand", mode={"times": times}, data=data)
    try:
        yield failed
    finally:
        after = await admin.command("configureFailPoint", "failCommand", mode="off")
        failed.append(after["count"] - before["count"])


@dataclass(frozen=True, slots=True)
class State:
    """What there is of users: how many, and the version of the one whom a request is about."""

    count: int
    version: int


class Attempt:
    """One request about a new user by that user, who may do all."""

    def __init__(self, client: httpx.AsyncClient, operation: Operation) -> None:
        self._client = client
        self._method, self._path, self._described = operation
        self._name = self._described["operationId"]

    async def prepare(self) -> "Attempt":
        resources = self._client.app.state.resources  # type: ignore[attr-defined]  # set by `serving`
        self._user = await create(self._client, scopes=list(ALL_SCOPES))
        if self._name in {"change_password", "create_token"}:
            path = f"/users/{self._user['id']}/password"
            assert (await self._client.put(path, json={"password": PASSWORD})).status_code == 204
        row = await users(self._client).find_one({"_id": ObjectId(self._user["id"])})
        generation = row["credentials"]["generation"]
        token = await mint_for(resources, self._user["id"], generation=generation)
        self._request = self._build()
        if self._name not in OPEN:
            self._request.headers["Authorization"] = f"Bearer {token}"
        self._before = await self._read()
        return self

    async def send(self) -> int | None:
        """The status; None for a transfer that broke."""
        request = httpx.Request(
            self._request.method, self._request.url, headers=self._request.headers, content=self._content
        )
        try:
            reply = await self._client.send(request)
        except AssertionError:  # of the ASGI transport, where the application ended a reply half-way
            return None
        if reply.status_code == 503:
            assert int(reply.headers["retry-after"]) > 0
        return reply.status_code

    async def changes(self) -> State:
        """What has changed since it was prepared."""
        after = await self._read()
        return State(after.count - self._before.count, after.version - self._before.version)

    def _build(self) -> httpx.Request:
        path = self._path.format_map(_Ids(user_id=self._user["id"]))
        form = self._form()
        request = self._client.build_request(self._method.upper(), path, json=self._body(), data=form)
        del request.headers["Authorization"]
        self._content = request.content
        return request

    def _form(self) -> dict[str, str] | None:
        if self._name == "create_token":
            return {"grant_type": "password", "username": self._user["email"], "password": PASSWORD}
        return {"token": "none"} if self._name in {"introspect_token", "revoke_token"} else None

    def _body(self) -> Any:
        """The example of the document, about the user and with values that nobody has."""
        taken = self._described.get("requestBody", {}).get("content", {}).get("application/json")
        if taken is None:
            return None
        example = resolve(DOCUMENT, taken["schema"])["examples"][0]
        if self._name == "change_password":
            return {"current_password": PASSWORD, "new_password": "eleven dry camels hum"}
        return self._renew(example)

    def _renew(self, example: Any) -> Any:
        if isinstance(example, list):
            return [self._renew(item) for item in example]
        if not isinstance(example, dict):
            return example
        own = {"id": self._user["id"], "ids": [self._user["id"]], "email": person()["email"]}
        dropped = {"username", "phone", "version", "invitation"}
        return {
            name: own.get(name) or self._renew(value)
            for name, value in example.items()
            if name not in dropped
        }

    async def _read(self) -> State:
        row = await users(self._client).find_one({"_id": ObjectId(self._user["id"])}) or {"version": 0}
        return State(await users(self._client).count_documents({}), row["version"])


class _Ids(dict[str, str]):
    """Nothing has the id of anything else."""

    def __missing__(self, _: str) -> str:
        return NOBODY


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one[2]["operationId"])
async def test_an_operation_whose_commands_fail_is_answered_as_ever_or_503_and_done_once(
    client: httpx.AsyncClient, operation: Operation
) -> None:
    attempt = await Attempt(client, operation).prepare()
    usual = await attempt.send()
    assert usual is not None
    assert usual < 500
    done = await attempt.changes()
    for command in COMMANDS:
        for times in (1, 2):
            attempt = await Attempt(client, operation).prepare()
            async with failing(client, command, times) as failed:
                status = await attempt.send()
            if not failed[0]:
                break  # it sends no such command
            about = (command, times, status)
            changed = await attempt.changes()
            if status is None:
                assert (command, "export" in operation[1]) == ("getMore", True), about
            elif status == usual and not operation[1].endswith(":batch"):
                assert changed == done, about
            else:
                assert status in {503, usual}, about
                assert lies_between(changed, done), (about, changed, done)
            again = await attempt.send()
            assert again is not None, about
            assert again < 500, about
            assert (await attempt.changes()).count == done.count, about


def lies_between(changed: State, done: State) -> bool:
    """Done, or not done, or, of several things, some."""
    return all(
        min(0, most) <= some <= max(0, most)
        for some, most in ((changed.count, done.count), (changed.version, done.version))
    )

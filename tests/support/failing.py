"""What the tests share in which MongoDB fails commands: requests to every operation, and the failing."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId
from pymongo import MongoClient, common

from app.clients import BUILT_IN
from app.commands import integrity
from models.values import ALL_SCOPES
from tests.support.api import serving
from tests.support.applying import creation, plan, resources
from tests.support.openapi import OPEN, Operation, operations, read_document, refused_if_endless, resolve
from tests.support.pictures import encode, halves
from tests.support.servers import MongoServer, RedisServer
from tests.support.sessions import PASSWORD
from tests.support.tokens import mint_for
from tests.support.users import NOBODY, create, database, person, users

DOCUMENT = read_document()
OPERATIONS = list(operations(DOCUMENT))
WRITING = [operation for operation in OPERATIONS if operation[0] != "get"]
CHANGES = {"create_user", "patch_user", "delete_user", "batch_users"}
"""They meet every fault; the others, which go the same way, take turns with them."""
OTHERS = ("exports", "imports", "invitations", "jobs", "schedules")
"""Collections of what is made beside users."""
MAKING = {
    "/auth/invitations": {},
    "/users/exports": {"format": "csv"},
    "/users/exports/schedules": {"name": "Mondays", "cron": "0 6 * * MON", "export": {"format": "csv"}},
}
FILES = {"import_users": b"name,email\nAna,ana@example.com\n"} | dict.fromkeys(
    ("put_avatar", "put_my_avatar"), encode(halves(), "PNG")
)
"""By operation what is uploaded."""
AT_ONCE = {"Prefer": "wait=0"}
"""No job is done here."""
Fault = Mapping[str, Any]
"""How a command fails, as the fail point `failCommand` takes it."""

LOST_RACE: Fault = {"errorCode": 112}
NETWORK_TIMEOUT: Fault = {"errorCode": 89}
LOST_PRIMARY: tuple[Fault, ...] = (
    {"closeConnection": True},
    *({"errorCode": code} for code in (91, 11600, 11602, 10107, 189)),
)
COMMITTED_AND_UNKNOWN: Fault = {"writeConcernError": {"code": 91, "errmsg": "It shuts down."}}
"""MongoDB did it and cannot say that it will stay."""


class FailingMongo(MongoServer):
    """A mongod that fails what Roster asks of it, when it is told to."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder, "--setParameter", "enableTestCommands=1", *options)
        self._own = MongoClient[dict[str, Any]](self.uri)

    def stop(self) -> None:
        self._own.close()
        super().stop()

    @contextmanager
    def failing(self, command: str, times: int | None, fault: Fault) -> Iterator[list[int]]:
        """The next commands of this name fail, all of them for None. At its end the list holds how many did.

        MongoDB puts the labels on the errors that it would put on its own. It is told by a connection of the
        test's own: Roster may have just lost sight of it.
        """
        data = {"failCommands": [command], "appName": "roster"} | dict(fault)
        mode = "alwaysOn" if times is None else {"times": times}
        failed: list[int] = []
        before = self._own.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)
        try:
            yield failed
        finally:
            after = self._own.admin.command("configureFailPoint", "failCommand", mode="off")
            failed.append(after["count"] - before["count"])

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """At its end the set holds the commands that were sent: no other needs to fail."""
        sent: set[str] = set()
        before = self._count()
        yield sent
        sent.update(name for name, times in self._count().items() if times > before[name])

    def _count(self) -> Counter[str]:
        commands = self._own.admin.command("serverStatus")["metrics"]["commands"]
        return Counter({name: each["total"] for name, each in commands.items() if isinstance(each, dict)})


@asynccontextmanager
async def serving_all_along(
    mongo: MongoServer, redis: RedisServer, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client for a whole module, of an app that sees at once that a primary it took for lost is there.

    PyMongo would look twice a second; and while nothing changes in truth, a server that tells of its changes
    on its own tells of nothing for ten. The database has a name of its own: what a process knows of the
    dictionary of another of that name is not so here.
    """
    uri = f"{mongo.uri_of(f't_{uuid.uuid4().hex}')}&serverMonitoringMode=poll"
    redis_url = redis.url.removesuffix("/0") + "/2"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "MIN_HEARTBEAT_INTERVAL", 0.03)
        async with serving(uri, redis_url, registration="open", **settings) as client:
            yield client


@dataclass(frozen=True, slots=True)
class State:
    """How many users there are, what the one whom a request is about is at, and how much else there is."""

    users: int
    version: int
    generation: int
    """Raised where their sessions end."""
    others: int


class Attempt:
    """One request about a new user, or about what is theirs, by that user, who may do all."""

    def __init__(self, client: httpx.AsyncClient, operation: Operation) -> None:
        self._client = client
        self._method, self._path, self._described = operation
        self._name = self._described["operationId"]

    async def prepare(self) -> "Attempt":
        self._user = await create(self._client, scopes=list(ALL_SCOPES))
        if self._name in {"change_email", "change_password", "create_token"}:
            path = f"/users/{self._user['id']}/password"
            assert (await self._client.put(path, json={"password": PASSWORD})).status_code == 204
        row = await users(self._client).find_one({"_id": ObjectId(self._user["id"])})
        self._generation = row["credentials"]["generation"]
        token = await mint_for(resources(self._client), self._user["id"], generation=self._generation)
        signed_in = {"Authorization": f"Bearer {token}"}
        self._request = self._build(await self._own(signed_in))
        self._content = self._request.read()
        if self._name in OPEN:
            del self._request.headers["Authorization"]
        elif self._name != "set_password":  # which they do elsewhere: here another does it for them
            self._request.headers.update(signed_in)
        self._before = await self._read()
        return self

    async def send(self) -> int | None:
        """The status; None for a transfer that broke.

        A 503 says when to come again, and comes from who met the fault, not from who waits for all requests.
        """
        request = httpx.Request(
            self._request.method, self._request.url, headers=self._request.headers, content=self._content
        )
        try:
            reply = await self._client.send(request)
        except AssertionError:  # of the ASGI transport, where the application ended a reply half-way
            return None
        if reply.status_code == 503:
            assert int(reply.headers["retry-after"]) > 0
            assert "took longer" not in reply.text
        return reply.status_code

    async def changes(self) -> State:
        """What has changed since it was prepared."""
        after = await self._read()
        return State(*(now - then for now, then in zip(astuple(after), astuple(self._before), strict=True)))

    async def _own(self, signed_in: dict[str, str]) -> dict[str, str]:
        """The ids in the path: of the user, and of what was made for them to ask for."""
        ids = _Ids(user_id=self._user["id"])
        if self._name == "stream_job":  # of a job that nobody does it would never end
            return ids
        if "{session_id}" in self._path:
            session = await resources(self._client).auth.sessions.create(
                self._user["id"], self._generation, client=BUILT_IN, scopes=frozenset(ALL_SCOPES)
            )
            ids["session_id"] = session.sid
        if "{import_id}" in self._path:
            ids["import_id"] = str(await plan(self._client, [creation()]))
        for name, made_at, path in (
            ("schedule_id", "id", "/users/exports/schedules"),
            ("invitation_id", "id", "/auth/invitations"),
            ("export_id", "id", "/users/exports"),
            ("job_id", "job", "/users/exports"),
        ):
            if f"{{{name}}}" in self._path:
                made = await self._client.post(path, json=MAKING[path], headers=signed_in | AT_ONCE)
                ids[name] = made.json()[made_at]
        return ids

    def _build(self, ids: dict[str, str]) -> httpx.Request:
        query = "?q=ana" if self._name == "suggest_users" else refused_if_endless(self._described)
        path = self._path.format_map(ids) + query
        return self._client.build_request(
            self._method.upper(),
            path,
            json=self._body(),
            data=self._form(),
            files={"file": ("a file", FILES[self._name])} if self._name in FILES else None,
            headers=AT_ONCE,
        )

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
        match self._name:
            case "change_password":
                return {"current_password": PASSWORD, "new_password": "eleven dry camels hum"}
            case "change_email":
                return {"current_password": PASSWORD, "email": person()["email"]}
            case "replace_user":  # they change their address elsewhere, with their password
                return {**self._renew(example), "email": self._user["email"]}
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
        counting = [
            {"$unionWith": {"coll": name, "pipeline": [{"$count": "many"}, {"$set": {"of": name}}]}}
            for name in ("users", *OTHERS)
        ]
        found = await database(self._client).aggregate([{"$documents": []}, *counting])
        many = Counter({each["of"]: each["many"] async for each in found})
        row = await users(self._client).find_one({"_id": ObjectId(self._user["id"])})
        others = sum(many[name] for name in OTHERS)
        if row is None:
            return State(many["users"], 0, 0, others)
        return State(many["users"], row["version"], row["credentials"]["generation"], others)


class _Ids(dict[str, str]):
    """Nothing has the id of anything else."""

    def __missing__(self, _: str) -> str:
        return NOBODY


def lies_between(changed: State, done: State) -> bool:
    """Done, or not done, or, of several things, some."""
    return all(
        min(0, most) <= some <= max(0, most)
        for some, most in zip(astuple(changed), astuple(done), strict=True)
    )


class Trials:
    """Of one operation: what it answers and does where nothing fails, then where commands do."""

    def __init__(self, mongo: FailingMongo, client: httpx.AsyncClient, operation: Operation) -> None:
        self._mongo = mongo
        self._client = client
        self._operation = operation

    async def measure(self) -> "Trials":
        attempt = await Attempt(self._client, self._operation).prepare()
        with self._mongo.noting() as self.sent:
            self._usual = await attempt.send()
        self._done = await attempt.changes()
        assert self._usual is not None
        assert self._usual < 500
        return self

    async def try_it(self, command: str, times: int | None, fault: Fault) -> None:
        """What it answers where such a command fails is the truth."""
        attempt = await Attempt(self._client, self._operation).prepare()
        with self._mongo.failing(command, times, fault):
            status = await attempt.send()
        changed = await attempt.changes()
        about = (command, times, fault, status, changed, self._done)
        assert status in {503, self._usual}, about
        if status == self._usual and not self._operation[1].endswith(":batch"):
            assert changed == self._done, about
        assert lies_between(changed, self._done), about


async def assert_the_trail_agrees(client: httpx.AsyncClient) -> None:
    """One entry for each version of each user, and for each deletion; and nothing that `app check` finds."""
    entries = await database(client)["audit"].find().to_list()
    written = Counter((entry["user"], entry["action"], entry["version"]) for entry in entries)
    versioned = {about: times for about, times in written.items() if about[1] in {"created", "changed"}}
    assert set(versioned.values()) <= {1}, versioned
    left = {user["_id"]: user for user in await users(client).find().to_list()}
    versions = Counter(user for user, _, _ in versioned)
    assert {user: versions[user] for user in left} == {_id: user["version"] for _id, user in left.items()}
    ended = Counter(entry["user"] for entry in entries if entry["action"] in {"password_set", "signed_out"})
    generations = {_id: user["credentials"]["generation"] for _id, user in left.items()}
    assert {user: ended[user] for user in left} == generations
    deleted = Counter(entry["user"] for entry in entries if entry["action"] == "deleted")
    assert deleted == Counter(versions.keys() - left.keys())
    wrong = (await integrity.check(resources(client))).wrong
    assert not wrong, wrong

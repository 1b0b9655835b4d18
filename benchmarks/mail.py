"""What queueing a mail costs its request, how many one worker sends, what is lost when workers are killed."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import httpx
from pymongo import MongoClient

from app import container
from app.core.settings import Settings
from app.mail import Mail
from benchmarks import accounts, servers
from benchmarks.mail_server import Sink, sinking
from benchmarks.plan import Sizes
from benchmarks.results import Finding
from benchmarks.servers import Backends, Database, Server

COSTS_AT_MOST = 1.1
_USERS = 2_000
_PEOPLE_A_ROUND = 40
_SENT = 3_000
_MAILS = 1_000
_KILLS = 20
_CONNECTIONS = 4
_PATIENCE_S = 120.0
_PASSWORD = "a staple for the benchmark"  # noqa: S105 - it guards nothing
_VALUES = {"link": "https://users.example.com/auth/mail/verify_email?token=" + "a" * 43, "hours": "24"}


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(_USERS, name="mails")
    people = _find_people(database, _PEOPLE_A_ROUND * sizes.page_rounds)
    return [*_costs(database, people), _rate(database), *_kills(database)]


def _costs(database: Database, people: list[str]) -> Iterator[Finding]:
    """Of a request that sets a password: with mail on it queues the notice of that."""
    with (
        _setting(ROSTER_MAIL_FOLDER="unused"),
        servers.serving("roster", database, jobs_inside=False) as queueing,
    ):
        os.environ.pop("ROSTER_MAIL_FOLDER")
        with servers.serving("roster", database, jobs_inside=False) as plain:
            for what, body, at_most in (
                ("sets a password", {"password": _PASSWORD}, COSTS_AT_MOST),
                ("stores a hash", {"password_hash": accounts.hashed()}, None),
            ):
                with_mail, without = _compare(queueing, plain, people, body)
                figures = f"{median(with_mail):.1f} ms to {median(without):.1f} ms"
                yield Finding(
                    "mail",
                    f"a request that {what} and queues a mail, of one that queues none",
                    figures,
                    median(with_mail) / median(without),
                    at_most=at_most,
                )


def _compare(
    queueing: Server, plain: Server, people: list[str], body: dict[str, str]
) -> tuple[list[float], list[float]]:
    """Milliseconds of each request, by turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    with _client(queueing) as one, _client(plain) as other:
        for person in people:
            for client, times in zip((one, other), taken, strict=True):
                started = time.perf_counter()
                client.put(f"/users/{person}/password", json=body).raise_for_status()
                times.append((time.perf_counter() - started) * 1000)
    return taken


def _client(server: Server) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=30)


def _find_people(database: Database, count: int) -> list[str]:
    emails = accounts.prepare(database, count)
    with MongoClient[dict[str, object]](database.mongo_uri) as client:
        found = client.get_default_database()["users"].find({"email": {"$in": emails}}, {"_id": 1})
        return [str(person["_id"]) for person in found]


def _rate(database: Database) -> Finding:
    with sinking() as sink, _sending_to(sink):
        _queue(database, _SENT)
        with servers.working(database):
            _wait(partial(sink.has_taken, _SENT))
        seconds = sink.times[-1] - sink.times[0]
    figures = f"{_SENT:,} in {seconds:.1f} s: {_SENT / seconds:,.0f}/s"
    return Finding("mail", f"mails that one worker sends by {_CONNECTIONS} connections", figures)


def _kills(database: Database) -> Iterator[Finding]:
    with sinking() as sink, _sending_to(sink):
        asked = _queue(database, _MAILS)
        for kill in range(_KILLS):
            with servers.working(database) as worker:
                _wait(partial(sink.has_taken, round(_MAILS * (kill + 1) / (_KILLS + 1))))
                time.sleep(random.uniform(0, 0.01))  # a kill comes at any moment of a mail
                worker.send_signal(signal.SIGKILL)
                worker.wait()
        with servers.working(database):
            _wait(lambda: _count_waiting(database) == 0)
    lost = asked - set(sink.taken)
    copies = len(sink.taken) - len(set(sink.taken))
    what = f"of {_MAILS:,} mails while a worker is killed {_KILLS} times"
    yield Finding("mail", f"lost {what}", f"{len(lost)}", float(len(lost)), at_most=0)
    yield Finding(
        "mail",
        f"second copies under one Message-ID {what}, of those that were on their way",
        f"{copies} of {_KILLS * _CONNECTIONS}",
        copies / (_KILLS * _CONNECTIONS),
        at_most=1,
    )


def _queue(database: Database, number: int) -> set[str]:
    """Their Message-IDs; none that was queued before is left."""

    async def queue() -> set[str]:
        settings = Settings(
            _env_file=None,
            mongo_uri=database.mongo_uri,
            redis_url=database.redis_url,
        )
        async with container.opened(settings, sign=False) as opened:
            mails = opened.outbox.mails
            await mails.delete_many({})
            for count in range(number):
                mail = Mail("verify_email", f"person{count}@example.com", "en", _VALUES, name="Zoë Müller")
                await opened.outbox.add(mail)
            return {stored["message_id"] async for stored in mails.find({}, {"message_id": 1})}

    return asyncio.run(queue())


def _count_waiting(database: Database) -> int:
    with MongoClient[dict[str, object]](database.mongo_uri) as client:
        return client.get_default_database()["mails"].count_documents({"state": "waiting"})


def _wait(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up, "the mails do not come"
        time.sleep(0.001)  # between two looks


@contextlib.contextmanager
def _sending_to(sink: Sink) -> Iterator[None]:
    with _setting(
        ROSTER_SMTP_URL=f"smtp://127.0.0.1:{sink.port}",
        ROSTER_MAIL_FROM="Roster <roster@users.example.com>",
        ROSTER_SMTP_TIMEOUT_S="1",
        ROSTER_SMTP_CONNECTIONS=str(_CONNECTIONS),
    ):
        yield


@contextlib.contextmanager
def _setting(**values: str) -> Iterator[None]:
    """For the processes that start within."""
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)

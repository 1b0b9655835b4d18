"""Mails reach a mail server that hangs, greylists, refuses, dies and comes back; none is lost."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from bson import ObjectId
from prometheus_client import REGISTRY
from pydantic import SecretStr

from app.core.clock import now
from app.core.errors import MailOffError
from app.core.settings import Settings
from app.core.stopping import stop
from app.database.transactions import together
from app.mail import Outbox, sending
from app.mail.claims import DUE, STALE, Claims
from app.mail.delivery import AwayError, ways
from app.mail.messages import Messages
from tests.support.api import serving
from tests.support.jobs import backends
from tests.support.mail import let_time_pass, mail, outbox_of, post, reached, stored_mails
from tests.support.mail_server import MailServer, guarded_server, make_certificate, running
from tests.support.servers import RedisServer
from tests.support.users import create, database, until


async def test_a_mail_is_sent_and_what_it_says_is_erased(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    await post(sender, mail("ana@example.com", name="Ana Pérez"))
    [sent] = await reached(sender, state="sent")
    [message] = post_office.taken
    assert (message["To"].addresses[0].addr_spec, message["To"].addresses[0].display_name) == (
        "ana@example.com",
        "Ana Pérez",
    )
    assert str(message["From"]) == "Roster <roster@users.example.com>"
    assert str(message["Message-ID"]) == sent.message_id == f"<{sent.id}@users.example.com>"
    assert (sent.sealed, sent.reason, sent.lease, sent.tries) == (None, None, None, 1)
    assert sent.sent_at is not None


async def test_one_connection_carries_many_mails(sender: httpx.AsyncClient, post_office: MailServer) -> None:
    before = post_office.connections
    await post(sender, *(mail(f"person{number}@example.com") for number in range(30)))
    await reached(sender, 30, state="sent")
    assert len(set(post_office.message_ids)) == len(post_office.taken) == 30
    assert post_office.connections - before <= 2


async def test_a_mail_of_a_transaction_that_fails_is_none(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    async def fail(session: Any) -> None:
        await outbox_of(sender).add(mail(), session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await together(database(sender).client, fail)
    await post(sender, mail("zoe@example.com"))
    await reached(sender, state="sent")
    assert [str(message["To"]) for message in post_office.taken] == ["zoe@example.com"]
    assert len(await stored_mails(sender)) == 1


async def test_a_mail_that_is_told_too_little_is_refused_at_once(sender: httpx.AsyncClient) -> None:
    with pytest.raises(ValueError, match="a mail of the kind verify_email needs lasts, link"):
        await outbox_of(sender).add(mail(values={}))
    assert await stored_mails(sender) == []


async def test_where_mail_is_off_nothing_is_queued_and_what_needs_it_is_refused(
    shared: httpx.AsyncClient,
) -> None:
    await post(shared, mail())
    assert await stored_mails(shared) == []
    with pytest.raises(MailOffError, match="the operator must set ROSTER_SMTP_URL and ROSTER_MAIL_FROM"):
        outbox_of(shared).check()


async def test_a_greylisted_mail_is_tried_again_later(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    post_office.recipients["ana@example.com"] = "451 4.7.1 Greylisted, ana@example.com may come back"
    await post(sender, mail())
    [waiting] = await reached(sender, state="waiting", tries=1, lease=None)
    assert waiting.reason == "451 4.7.1 Greylisted, … may come back"
    assert 10 < (waiting.due_at - waiting.created_at).total_seconds() < 30
    post_office.reset()
    await let_time_pass(sender)
    [sent] = await reached(sender, state="sent")
    assert (sent.tries, post_office.message_ids) == (2, [sent.message_id])


async def test_of_ten_mails_the_refused_one_fails_and_is_noted_at_its_user(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    gone = await create(sender, name="Gone", email="gone@example.com")
    post_office.recipients["gone@example.com"] = "550 5.1.1 <gone@example.com>: no such mailbox"
    await post(
        sender,
        *(mail(f"person{number}@example.com") for number in range(9)),
        mail("gone@example.com", user_id=gone["id"]),
    )
    await reached(sender, 9, state="sent")
    [failed] = await reached(sender, state="failed")
    assert failed.reason == "550 5.1.1 <…>: no such mailbox"
    reply = await sender.get("/audit", params={"user": gone["id"], "action": "mail_failed"})
    [entry] = reply.json()["items"]
    assert (entry["via"], entry["by"], entry["differences"]) == ("mail", None, [])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "it does not answer (SMTPReadTimeoutError)"),
        ("dead", "it does not answer (SMTPServerDisconnected)"),
        ("421 4.3.2 Shutting down", "421 4.3.2 Shutting down"),
    ],
    ids=["hangs", "dies in the midst", "shuts down"],
)
async def test_what_a_server_did_not_take_is_sent_later(
    sender: httpx.AsyncClient, post_office: MailServer, answer: str, reason: str
) -> None:
    post_office.data = answer
    await post(sender, mail())
    [waiting] = await reached(sender, state="waiting", tries=1, lease=None)
    assert waiting.reason == reason
    assert (await sender.get("/health/ready")).status_code == 200
    post_office.reset()
    await let_time_pass(sender)
    [sent] = await reached(sender, state="sent")
    assert post_office.message_ids == [sent.message_id]


async def test_a_second_copy_of_what_was_taken_without_a_word_has_the_same_id(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    post_office.data = "lost"
    await post(sender, mail())
    await reached(sender, state="waiting", tries=1, lease=None)
    post_office.data = "250 OK"
    await let_time_pass(sender)
    [sent] = await reached(sender, state="sent")
    assert post_office.message_ids == [sent.message_id] * 2
    first, second = (message.as_bytes() for message in post_office.taken)
    assert first.splitlines()[:8] == second.splitlines()[:8], "Date and all"


async def test_a_server_that_takes_no_sender_keeps_mails_waiting(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    post_office.sender = "550 5.7.1 Not your domain"
    await post(sender, mail())
    [waiting] = await reached(sender, state="waiting", tries=1, lease=None)
    assert waiting.reason == "550 5.7.1 Not your domain"


async def test_a_mail_whose_content_is_refused_fails(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    post_office.data = "554 5.7.1 Blocked: https://users.example.com/auth/mail/verify_email?token=abc is bad"
    await post(sender, mail())
    [failed] = await reached(sender, state="failed")
    assert failed.reason == "554 5.7.1 Blocked: … is bad"


async def test_letters_beyond_ascii_before_the_at_need_a_server_that_takes_them(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    await post(sender, mail("françoise@example.com"), mail("anna@bücher.example"))
    [failed] = await reached(sender, state="failed")
    assert failed.reason == "the mail server takes no address with other letters than ASCII (SMTPUTF8)"
    await reached(sender, state="sent")
    assert [str(message["To"]) for message in post_office.taken] == ["anna@xn--bcher-kva.example"]


async def test_such_a_server_gets_them_as_they_are(mongo_uri: str, redis_url: str) -> None:
    server = MailServer(enable_SMTPUTF8=True)
    async with running(server), serving(mongo_uri, redis_url, **settings(server)) as client:
        await post(client, mail("françoise@example.com"))
        await reached(client, state="sent")
    assert server.taken[0]["To"].addresses[0].addr_spec == "françoise@example.com"


async def test_while_the_mail_server_is_away_mails_wait_and_nothing_else_does(
    mongo_uri: str, redis_url: str
) -> None:
    server = MailServer()
    async with running(server):
        pass
    async with serving(mongo_uri, redis_url, **settings(server)) as client:
        before = failures()

        async def have_all_tried() -> bool:
            return failures() >= before + 4

        with structlog.testing.capture_logs() as lines:
            await post(client, mail())
            await until(have_all_tried)
        reasons = [line["reason"] for line in lines if line["event"] == "mails_wait"]
        assert reasons == ["it cannot be reached: Connection refused"], "once, not by each sender"
        assert (await client.get("/health/ready")).status_code == 200
        [waiting] = await stored_mails(client)
        assert (waiting.state, waiting.tries, waiting.reason) == ("waiting", 0, None)
        async with running(server, port=server.port):
            [sent] = await reached(client, state="sent")
        assert sent.tries == 1


def failures() -> float:
    """How often no mail server was met."""
    return REGISTRY.get_sample_value("roster_mail_server_failures_total") or 0.0


async def test_a_server_is_signed_in_to_over_tls(
    mongo_uri: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tls = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    server = guarded_server("roster", "p@ss/word")
    async with running(server, tls=tls):
        url = f"smtps://roster:p%40ss%2Fword@127.0.0.1:{server.port}"
        async with serving(mongo_uri, redis_url, **settings(server) | {"smtp_url": url}) as client:
            await post(client, mail())
            await reached(client, state="sent")


@pytest.mark.parametrize(
    ("scheme", "password", "reason"),
    [
        ("smtps", "wrong", "535 5.7.8 Authentication credentials invalid"),
        ("smtp", "right", "it does not answer (SMTPConnectTimeoutError)"),
    ],
    ids=["a wrong password", "no TLS where there should be"],
)
async def test_a_server_that_lets_nobody_in_costs_no_mail_a_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, password: str, reason: str
) -> None:
    tls = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    server = guarded_server("roster", "right")
    async with running(server, tls=tls):
        [way, *_] = ways(
            Settings(
                _env_file=None,
                mail_from="roster@example.com",
                smtp_url=SecretStr(f"{scheme}://roster:{password}@127.0.0.1:{server.port}"),
                smtp_timeout_s=1,
            )
        )
        with pytest.raises(AwayError, match=re.escape(reason)):
            await way.open()
        await way.close()
        assert not way.is_open


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    server = MailServer()
    async with running(server, tls=make_certificate(tmp_path)):
        [way, *_] = ways(
            Settings(
                _env_file=None,
                mail_from="roster@example.com",
                smtp_url=SecretStr(f"smtps://127.0.0.1:{server.port}"),
            )
        )
        with pytest.raises(AwayError, match="its certificate is not trusted"):
            await way.open()


async def test_two_processes_send_each_mail_once(
    sender: httpx.AsyncClient, post_office: MailServer, redis_server: RedisServer
) -> None:
    uri = backends(sender).settings.mongo_uri
    assert uri is not None
    redis_url = redis_server.url.removesuffix("/0") + "/2"
    async with serving(uri.get_secret_value(), redis_url, **settings(post_office)) as beside:
        for number in range(40):
            await outbox_of(beside).add(mail(f"person{number}@example.com"))
        await asyncio.gather(outbox_of(beside).wake(), outbox_of(sender).wake())
        sent = await reached(beside, 40, state="sent")
    assert sorted(post_office.message_ids) == sorted(each.message_id for each in sent)


async def test_a_process_that_sends_nothing_wakes_those_that_do(
    mongo_uri: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LOOK_S", 3_600)
    server = MailServer()
    async with (
        running(server),
        serving(mongo_uri, redis_url, **settings(server)) as client,
        serving(mongo_uri, redis_url, **settings(server, jobs_inside=False)) as silent,
    ):
        await post(silent, mail())
        await reached(client, state="sent")


async def test_a_mail_of_a_sender_that_died_is_sent_by_another(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    await outbox_of(sender).add(mail())
    taken = await Claims(outbox_of(sender).mails, claim_s=3_600).take()
    assert taken is not None
    await let_time_pass(sender)
    [sent] = await reached(sender, state="sent")
    assert (sent.tries, post_office.message_ids) == (2, [sent.message_id])
    assert not await Claims(outbox_of(sender).mails, claim_s=1).end_sent(taken), "its claim is another's"


async def test_senders_stopped_at_any_moment_lose_nothing_and_send_twice_only_under_one_id(
    mongo_uri: str, redis_url: str
) -> None:
    server = MailServer()
    async with (
        running(server),
        serving(mongo_uri, redis_url, **settings(server, jobs_inside=False)) as client,
    ):
        outbox, held = outbox_of(client), backends(client).settings
        asked = await post(client, *(mail(f"person{number}@example.com") for number in range(60)))
        for round_ in range(10):
            working = asyncio.create_task(send_until_stopped(outbox, held))
            while len(server.taken) < 5 * (round_ + 1):
                server.has_grown.clear()
                await server.has_grown.wait()
            await stop(working)
            await let_time_pass(client)
        async with sending.sending(outbox, held):
            await reached(client, 60, state="sent")
    assert {each.strip("<>").partition("@")[0] for each in server.message_ids} == set(asked)
    assert len(server.taken) <= 60 + 10 * held.smtp_connections


async def send_until_stopped(outbox: Outbox, held: Settings) -> None:
    """Without the time that a stop leaves to mails on their way."""
    async with sending.sending(outbox, held, last_mail_s=0):
        await asyncio.Event().wait()


async def test_what_is_of_no_use_any_more_is_given_up_and_erased(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    await outbox_of(sender).add(mail(good_until=now()))
    claims = Claims(outbox_of(sender).mails, claim_s=1)
    assert await claims.take() is None
    assert await claims.fail_stale() == 1
    [failed] = await stored_mails(sender)
    assert (failed.state, failed.reason, failed.sealed) == ("failed", "it could not be sent in time", None)
    assert post_office.taken == []


async def test_what_failed_is_erased_when_it_is_of_no_use_any_more(sender: httpx.AsyncClient) -> None:
    await outbox_of(sender).add(mail(good_until=now() + timedelta(days=1)))
    claims = Claims(outbox_of(sender).mails, claim_s=1)
    taken = await claims.take()
    assert taken is not None
    assert await claims.fail(taken, "550 no")
    await outbox_of(sender).mails.update_one({}, {"$set": {"good_until": now()}})
    assert await claims.fail_stale() == 0
    [failed] = await stored_mails(sender)
    assert (failed.state, failed.reason, failed.sealed) == ("failed", "550 no", None)


async def test_a_mail_that_cannot_be_composed_waits_for_its_template(
    sender: httpx.AsyncClient, post_office: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("cell")

    with monkeypatch.context() as patch:
        patch.setattr(Messages, "_tell", fail)
        await post(sender, mail())
        [waiting] = await reached(sender, state="waiting", tries=1, lease=None)
    assert waiting.reason == "it could not be composed (KeyError): look into the log"
    await let_time_pass(sender)
    await reached(sender, state="sent")
    assert len(post_office.taken) == 1


async def test_a_mail_sealed_under_another_secret_fails(sender: httpx.AsyncClient) -> None:
    await outbox_of(sender).add(mail())
    await outbox_of(sender).mails.update_one({}, {"$set": {"sealed": b"of another secret key"}})
    await outbox_of(sender).wake()
    [failed] = await reached(sender, state="failed")
    assert failed.reason == "it was sealed under another secret key"


async def test_mails_go_with_their_user(sender: httpx.AsyncClient) -> None:
    ana = await create(sender, name="Ana", email="ana.who.goes@example.com")
    await outbox_of(sender).mails.delete_many({})
    await post(sender, mail(ana["email"], user_id=ana["id"]), mail("zoe@example.com"))
    await reached(sender, 2, state="sent")
    assert (await sender.delete(f"/users/{ana['id']}")).status_code == 204
    assert [each.to for each in await stored_mails(sender)] == ["zoe@example.com"]


@pytest.mark.parametrize(
    ("wanted", "order", "index"),
    [
        (DUE, ("due_at", 1), "due"),
        ({"state": "waiting", **STALE}, ("good_until", 1), "good_until"),
        ({"state": {"$in": ["waiting", "failed"]}}, ("_id", -1), "state"),
        ({"user": ObjectId()}, ("_id", -1), "user"),
        ({"kind": {"$in": ["activate"]}}, ("_id", -1), "_id_"),
    ],
    ids=["due", "stale", "by state", "by user", "by kind"],
)
async def test_each_look_is_served_by_an_index(
    sender: httpx.AsyncClient, wanted: dict[str, Any], order: tuple[str, int], index: str
) -> None:
    found = await outbox_of(sender).mails.find(wanted).sort(*order).limit(2).explain()
    plan = str(found["queryPlanner"]["winningPlan"])
    assert f"'indexName': '{index}'" in plan
    assert "'stage': 'SORT'" not in plan
    assert "COLLSCAN" not in plan


def settings(server: MailServer, **more: Any) -> dict[str, Any]:
    return {
        "jobs_inside": True,
        "smtp_url": f"smtp://127.0.0.1:{server.port}",
        "mail_from": "Roster <roster@users.example.com>",
        "smtp_timeout_s": 1,
    } | more

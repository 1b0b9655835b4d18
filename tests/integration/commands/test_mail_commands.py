"""`python -m app mail queue | send | test`: what administrators see of the queue at a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from bson import ObjectId

from tests.support.api import serving
from tests.support.live import command
from tests.support.mail import mail, outbox_of, post, stored_mails
from tests.support.mail_server import MailServer, running

Run = Callable[..., Awaitable[CompletedProcess[str]]]
FROM = "Roster <roster@users.example.com>"


@pytest.fixture
def run(mongo_uri: str, redis_url: str, tmp_path: Path) -> Run:
    """In a thread, as mail servers of the tests live in their loop."""

    async def run_command(*arguments: str, **settings: Any) -> CompletedProcess[str]:
        said = {"mongo_uri": mongo_uri, "redis_url": redis_url} | settings
        return await asyncio.to_thread(lambda: command(tmp_path, "mail", *arguments, **said))

    return run_command


async def test_the_queue_is_listed_and_a_failed_mail_is_due_again(
    mongo_uri: str, redis_url: str, tmp_path: Path, run: Run
) -> None:
    async with serving(mongo_uri, redis_url, mail_folder=tmp_path / "mail") as client:
        [failed, waiting, sent] = await post(client, mail("gone@x.example"), mail(), mail("zoe@x.example"))
        for mail_id, fields in (
            (failed, {"state": "failed", "tries": 1, "reason": "550 [bold]no :cat:"}),
            (sent, {"state": "sent", "tries": 1, "sealed": None}),
        ):
            await outbox_of(client).mails.update_one({"_id": ObjectId(mail_id)}, {"$set": fields})
        listed = await run("queue")
        assert listed.returncode == 0, listed.stderr
        first, second = (line.split("\t") for line in listed.stdout.splitlines())
        assert [*first[:4], *first[5:]] == [waiting, "verify_email", "waiting", "0", "ana@example.com", ""]
        assert second == [failed, "verify_email", "failed", "1", "-", "gone@x.example", "550 [bold]no :cat:"]
        again = await run("send", failed)
        assert (again.returncode, again.stdout.split("\t")[2]) == (0, "waiting")
        stored = {str(each.id): each for each in await stored_mails(client)}
        assert (stored[failed].state, stored[failed].reason) == ("waiting", None)
        for mail_id, sentence in (
            (sent, "It is sent already, or what it says is good no more: cause a new one."),
            ("6b05f0a1e1b7a3d4c9f01239", "There is no mail with this id, or no longer."),
            ("nonsense", "There is no mail with this id, or no longer."),
        ):
            refused = await run("send", mail_id)
            assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", f"{sentence}\n")


async def test_an_address_that_is_none_stops_the_start(run: Run) -> None:
    refused = await run("queue", smtp_url="mail.example.com:587", mail_from=FROM)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Roster cannot start. ROSTER_SMTP_URL is not an address such as smtp://")


async def test_an_unknown_state_is_refused(run: Run) -> None:
    refused = await run("queue", "--state", "lost")
    assert refused.returncode == 2
    assert "The states are waiting, sent, failed." in refused.stderr


async def test_a_test_mail_says_what_the_server_answers(run: Run) -> None:
    server = MailServer()
    async with running(server):
        url = f"smtp://127.0.0.1:{server.port}"
        taken = await run("test", "ana@example.com", smtp_url=url, mail_from=FROM)
        assert (taken.returncode, taken.stdout, taken.stderr) == (0, "It was taken.\n", "")
        [message] = server.taken
        assert (str(message["To"]), str(message["From"])) == ("ana@example.com", FROM)
        server.recipients["ana@example.com"] = "550 5.7.1 Relaying denied for ana@example.com"
        refused = await run("test", "ana@example.com", smtp_url=url, mail_from=FROM)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == "The mail was not taken: 550 5.7.1 Relaying denied for ….\n"
    away = await run("test", "ana@example.com", smtp_url=url, mail_from=FROM)
    assert away.returncode == 2
    assert away.stderr == "The mail server cannot be used: it cannot be reached: Connection refused.\n"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ana@example.com", "There is no mail server to try: set ROSTER_SMTP_URL and ROSTER_MAIL_FROM."),
        ("ana", "ADDRESS must be one e-mail address, in ASCII."),
    ],
)
async def test_a_test_needs_a_server_and_an_address(run: Run, address: str, sentence: str) -> None:
    refused = await run("test", address)
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"{sentence}\n")

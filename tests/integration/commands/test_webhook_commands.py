"""`python -m app webhooks`: processes of their own, the words they print and how they end."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.live import command
from tests.support.users import NOBODY

Run = Callable[..., CompletedProcess[str]]
_URL = "http://127.0.0.1:9/roster"
_UNKNOWN = "There is no webhook with this id.\n"


@pytest.fixture
def run(mongo_uri: str, redis_url: str, tmp_path: Path) -> Run:
    def run_command(*arguments: str) -> CompletedProcess[str]:
        return command(tmp_path, "webhooks", *arguments, mongo_uri=mongo_uri, redis_url=redis_url)

    return run_command


def test_a_webhook_is_added_listed_tried_and_removed(run: Run) -> None:
    added = run("add", _URL, "--type", "user.deleted", "--header", "X-Tenant: acme")
    found = re.fullmatch(r"id: ([0-9a-f]{24})\nsecret: whsec_[A-Za-z0-9+/=]{44}\n", added.stdout)
    assert found is not None, added
    webhook = found[1]
    assert run("list").stdout == f"{webhook}\tactive\t{_URL}\tuser.deleted\n"
    tried = run("test", webhook)
    assert (tried.returncode, tried.stdout.split()[0]) == (1, "refused_address")
    assert run("renew-secret", webhook).stdout.startswith("secret: whsec_")
    assert run("redeliver", webhook, "--failed").stdout == "0 are delivered once more.\n"
    assert run("resume", webhook).stdout == f"{webhook} goes on.\n"
    assert run("remove", webhook).stdout == f"{webhook} is removed.\n"
    assert run("list").stdout == ""


def test_keys_are_shown_and_rotated(run: Run) -> None:
    [first] = run("keys").stdout.splitlines()
    newest, older = run("rotate-key").stdout.splitlines()
    assert older.startswith(f"{first}\tuntil 2")
    assert re.fullmatch(r"[0-9a-f]{16}\twhpk_[A-Za-z0-9+/=]{44}", newest)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("remove", NOBODY), 1, _UNKNOWN),
        (("remove", "nonsense"), 1, _UNKNOWN),
        (("add", "ftp://receiver.example.com"), 2, "url"),
        (("add", _URL, "--header", "nonsense"), 2, "Name: value"),
        (("redeliver", NOBODY), 1, "exactly one"),
    ],
)
def test_what_is_wrong_is_said(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert words in done.stderr

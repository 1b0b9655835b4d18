"""`python -m app clients`: processes of their own, the words they print and how they end."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from joserfc.jwk import ECKey
from pymongo import AsyncMongoClient, MongoClient

from app.clients import Client, NewClient
from app.core.errors import InvalidClientError
from tests.support.clients import CALLBACK, clients_of, public_of
from tests.support.live import command

Done = CompletedProcess[str]
Run = Callable[..., Done]
KEEP_IT = "Keep the secret now: it cannot be shown again.\n"


@pytest.fixture
def run(mongo_uri: str, redis_url: str, tmp_path: Path) -> Run:
    def run_command(*arguments: str) -> Done:
        return command(tmp_path, "clients", *arguments, mongo_uri=mongo_uri, redis_url=redis_url)

    return run_command


def read_secret(done: Done) -> str:
    assert (done.returncode, done.stderr) == (0, KEEP_IT)
    found = re.search(r"^secret: ([A-Za-z0-9_-]{43})$", done.stdout, re.MULTILINE)
    assert found is not None
    return found[1]


def assert_refused(done: Done, sentence: str) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{sentence}\n")


async def is_known(mongo_uri: str, client_id: str, secret: str | None) -> bool:
    async with AsyncMongoClient[dict[str, Any]](mongo_uri) as opened:
        try:
            await clients_of(opened.get_default_database()).identify(client_id=client_id, secret=secret)
        except InvalidClientError:
            return False
        return True


async def test_a_client_is_added_listed_renewed_and_removed(mongo_uri: str, run: Run) -> None:
    added = run("add", "ACME [bold]Portal :cat:", "--id", "portal", "--scope", "users:read", "--scope", "me")
    secret = read_secret(added)
    assert added.stdout == f"id: portal\nsecret: {secret}\n"
    assert await is_known(mongo_uri, "portal", secret)

    line = "portal\tACME [bold]Portal :cat:\tconfidential\tme users:read\trefresh_token password\n"
    listed = run("list")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, line, "")

    renewed = run("renew-secret", "portal", "--overlap", "60")
    newer = read_secret(renewed)
    assert renewed.stdout == f"secret: {newer}\n"
    assert await is_known(mongo_uri, "portal", newer)
    assert await is_known(mongo_uri, "portal", secret)
    new = read_secret(run("renew-secret", "portal", "--overlap", "0"))
    assert not await is_known(mongo_uri, "portal", newer)

    changed = run("change", "portal", "--name", "Porch", "--any-scope")
    line = "portal\tPorch\tconfidential\tany scope\trefresh_token password\n"
    assert (changed.returncode, changed.stdout, changed.stderr) == (0, line, "")
    line = "portal\tPorch\tconfidential\tme\trefresh_token password\n"
    assert run("change", "portal", "--scope", "me").stdout == line
    assert await is_known(mongo_uri, "portal", new)

    removed = run("remove", "portal")
    assert (removed.returncode, removed.stdout, removed.stderr) == (0, "portal is removed.\n", "")
    assert not await is_known(mongo_uri, "portal", new)
    assert run("list").stdout == ""


async def test_a_public_client_gets_an_id_and_no_secret(mongo_uri: str, run: Run) -> None:
    added = run("add", "Browser app", "--public")
    assert (added.returncode, added.stderr) == (0, "")
    found = re.fullmatch(r"id: (browser-app-[0-9a-f]{8})\n", added.stdout)
    assert found is not None
    assert await is_known(mongo_uri, found[1], None)
    assert run("list").stdout == f"{found[1]}\tBrowser app\tpublic\tany scope\trefresh_token password\n"


def test_a_secret_stands_in_no_listing_and_no_document(mongo_uri: str, run: Run) -> None:
    secrets = [
        read_secret(run("add", "Portal", "--id", "portal")),
        read_secret(run("renew-secret", "portal")),
    ]
    with MongoClient[dict[str, Any]](mongo_uri) as opened:
        database = opened.get_default_database()
        stored = str([list(database[name].find()) for name in database.list_collection_names()])
    assert "portal" in stored
    listed = run("list")
    taken = run("add", "Portal", "--id", "portal")
    for secret in secrets:
        assert secret not in stored + listed.stdout + listed.stderr + taken.stdout + taken.stderr


def test_a_token_that_a_client_keeps_is_made_listed_and_ended(run: Run) -> None:
    run("add", "Okta", "--id", "okta", "--grant", "client_credentials", "--scope", "scim")
    made = run("token", "okta", "provisioning", "--scope", "scim", "--expires-in", "3600")
    assert (made.returncode, made.stderr) == (0, "Keep the token now: it cannot be shown again.\n")
    found = re.fullmatch(r"id: ([\w-]{43})\ntoken: (roster_svc_[\w-]{49})\n", made.stdout)
    assert found is not None
    listed = run("tokens", "okta")
    assert listed.returncode == 0
    assert listed.stdout.startswith(f"{found[1]}\tprovisioning\tscim\t")
    assert found[2] not in listed.stdout
    ended = run("end-token", "okta", found[1])
    assert (ended.returncode, ended.stdout) == (0, f"{found[1]} has ended.\n")
    assert run("tokens", "okta").stdout == ""
    assert_refused(run("end-token", "okta", found[1]), "There is no such token.")


def test_a_token_without_a_name_is_a_mistyped_command(run: Run) -> None:
    done = run("token", "okta", " ", "--scope", "scim")
    assert (done.returncode, done.stdout) == (2, "")
    assert "name" in done.stderr


def test_what_cannot_be_done_is_said_in_one_sentence(run: Run) -> None:
    wrong_id = "A client's id is 1 to 64 visible ASCII characters other than :, % and +."
    assert_refused(run("add", "Portal", "--id", "a:b"), wrong_id)
    assert_refused(run("add", "a\nb"), "A client's name is 1 to 128 printable characters.")
    assert_refused(run("renew-secret", "nobody"), "No registered client has this id.")
    assert_refused(run("remove", "nobody"), "No registered client has this id.")
    assert_refused(run("change", "nobody", "--name", "Porch"), "No registered client has this id.")


@pytest.mark.parametrize("options", [[], ["--scope", "me", "--any-scope"]])
def test_a_change_of_nothing_or_of_contradicting_options_is_a_mistyped_command(
    run: Run, options: list[str]
) -> None:
    done = run("change", "portal", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--any-scope" in done.stderr


async def read_client(mongo_uri: str, client_id: str) -> Client:
    async with AsyncMongoClient[dict[str, Any]](mongo_uri) as opened:
        found = await clients_of(opened.get_default_database()).find(client_id)
        assert found is not None
        return found


async def test_a_client_is_given_all_that_a_client_may_have(mongo_uri: str, run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    key = public_of(ECKey.generate_key("P-256"))
    keys.write_text(json.dumps({"keys": [key]}))
    run(
        "add", "Service", "--id", "service", "--jwks", str(keys), "--redirect-uri", CALLBACK,
        "--redirect-uri", "http://127.0.0.1/callback", "--logout-redirect-uri", CALLBACK, "--first-party",
        "--require-par", "--backchannel-logout-uri", CALLBACK, "--backchannel-logout-session",
        "--scope", "openid",
    )  # fmt: skip
    client = await read_client(mongo_uri, "service")
    expected = NewClient(
        name="Service", auth_method="private_key_jwt", scopes=frozenset({"openid"}), keys=(key,),
        grant_types=frozenset({"authorization_code", "refresh_token"}),
        redirect_uris=(CALLBACK, "http://127.0.0.1/callback"), post_logout_redirect_uris=(CALLBACK,),
        is_first_party=True, requires_par=True, backchannel_logout_uri=CALLBACK,
        backchannel_logout_session_required=True,
    )  # fmt: skip
    assert {each.name: getattr(client, each.name) for each in fields(expected)} == asdict(expected)

    changed = run(
        "change", "service", "--grant", "client_credentials", "--grant", "device_code", "--redirect-uri", "",
        "--third-party", "--no-require-par", "--backchannel-logout-uri", "",
    )  # fmt: skip
    line = "service\tService\tconfidential\topenid\tclient_credentials device_code\n"
    assert (changed.returncode, changed.stdout, changed.stderr) == (0, line, "")
    client = await read_client(mongo_uri, "service")
    assert (client.redirect_uris, client.is_first_party, client.requires_par) == ((), False, False)
    assert client.backchannel_logout_uri is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--grant", "implicit"], "authorization_code"),
        (["--jwks", "no-such-file"], "JWK"),
        (["--jwks", ".env"], "JWK"),
        (["--jwks", "keys.json", "--public"], "--public"),
    ],
)
def test_an_option_that_means_nothing_is_a_mistyped_command(
    run: Run, tmp_path: Path, options: list[str], told: str
) -> None:
    (tmp_path / ".env").write_text("[]")
    (tmp_path / "keys.json").write_text('{"keys": []}')
    done = run("add", "Portal", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert run("list").stdout == ""


def test_a_scope_that_is_none_of_ours_is_a_mistyped_command(run: Run) -> None:
    done = run("add", "Portal", "--scope", "users:reed")
    assert (done.returncode, done.stdout) == (2, "")
    assert "users:read" in done.stderr
    assert run("list").stdout == ""

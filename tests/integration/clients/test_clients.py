"""The OAuth clients: who they are and how each proves it."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import CommandListener

from app.clients import BUILT_IN, CONSOLE, Client, NewClient, find_registrations
from app.core.clock import now
from app.core.errors import (
    ClientExistsError,
    ClientHasNoSecretError,
    ClientNotFoundError,
    InvalidClientError,
    InvalidError,
)
from tests.support.clients import CALLBACK, ISSUER, clients_of, new_client

Database = AsyncDatabase[dict[str, Any]]
ENCODED_BITS = re.compile(r"[A-Za-z0-9_-]{43}")
WRONG_IDS = ["", "a:b", "a b", "a%b", "a+b", "zoë", "a\n", "a\0", "\ud800", "x" * 65]


class Commands(CommandListener):
    """The names of the commands sent to MongoDB."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: Any) -> None:
        if event.command_name not in {"hello", "endSessions"}:
            self.names.append(event.command_name)

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def database(bare_uri: str, commands: Commands) -> AsyncIterator[Database]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri, event_listeners=[commands]) as opened:
        yield opened.get_default_database()


async def confidential(
    database: Database, name: str = "Portal", *, client_id: str | None = None, **more: Any
) -> tuple[Client, str]:
    client, secret = await clients_of(database).register(new_client(name, **more), client_id=client_id)
    assert secret is not None
    return client, secret


async def refusal(database: Database, client_id: str | None, secret: str | None) -> str:
    with pytest.raises(InvalidClientError) as caught:
        await clients_of(database).identify(client_id=client_id, secret=secret)
    return caught.value.detail


# --- who is identified ----------------------------------------------------------------------------------


async def test_a_request_that_names_no_client_is_of_the_built_in_one_without_asking_mongodb(
    database: Database, commands: Commands
) -> None:
    built_in = replace(BUILT_IN, redirect_uris=(f"{ISSUER}/docs/oauth2-redirect",))
    assert await clients_of(database).identify(client_id=None, secret=None) == built_in
    assert await clients_of(database).identify(client_id="roster", secret=None) == built_in
    assert (built_in.id, built_in.is_public, built_in.is_first_party, built_in.scopes) == (
        *("roster", True, True),
        None,
    )
    assert commands.names == []


async def test_the_console_is_a_client_that_nobody_registers(database: Database, commands: Commands) -> None:
    console = replace(CONSOLE, redirect_uris=(f"{ISSUER}/console",))
    assert await clients_of(database).identify(client_id="roster-console", secret=None) == console
    assert await clients_of(database).find("roster-console") == console
    assert (console.is_public, console.is_first_party, console.grant_types) == (
        *(True, True),
        frozenset({"authorization_code"}),
    )
    assert commands.names == []
    await refusal(database, "roster-console", "a secret")


async def test_a_client_proves_itself_with_its_secret_in_one_read(
    database: Database, commands: Commands
) -> None:
    client, secret = await confidential(database, scopes=["me", "users:read"])
    assert client.scopes == frozenset({"me", "users:read"})
    assert not client.is_public
    commands.names.clear()
    assert await clients_of(database).identify(client_id=client.id, secret=secret) == client
    assert commands.names == ["find"]


async def test_a_public_client_gives_its_id_alone(database: Database, commands: Commands) -> None:
    client, secret = await clients_of(database).register(new_client("Browser app", is_public=True))
    assert (secret, client.is_public, client.scopes) == (None, True, None)
    commands.names.clear()
    assert await clients_of(database).identify(client_id=client.id, secret=None) == client
    assert commands.names == ["find"]


async def test_a_client_without_any_scope_is_not_one_with_all(database: Database) -> None:
    client, secret = await confidential(database, scopes=[])
    assert client.scopes == frozenset()
    assert await clients_of(database).identify(client_id=client.id, secret=secret) == client


async def test_every_refusal_has_the_same_words_after_one_read_at_most(
    database: Database, commands: Commands
) -> None:
    client, secret = await confidential(database)
    other, others_secret = await confidential(database)
    public, _ = await clients_of(database).register(new_client("Browser app", is_public=True))
    document = await database["clients"].find_one({"_id": client.id})
    assert document is not None
    wrong: list[tuple[str | None, str | None]] = [
        ("nobody", None),
        ("nobody", secret),
        (client.id, None),
        (client.id, ""),
        (client.id, "wrong"),
        (client.id, secret[:-1]),
        (client.id, secret + "A"),
        (client.id, others_secret),
        (client.id, document["secret_hash"]),
        (client.id, "\ud800"),
        (client.id.upper(), secret),
        (other.id, secret),
        (public.id, secret),
        (public.id, ""),
        ("roster", secret),
        (None, secret),
        *((wrong_id, secret) for wrong_id in WRONG_IDS),
    ]
    for pair in wrong:
        commands.names.clear()
        assert await refusal(database, *pair) == "The client is unknown or its credentials are wrong."
        assert commands.names in ([], ["find"])


# --- how they are kept ----------------------------------------------------------------------------------


async def test_the_secret_is_256_bits_and_only_its_hash_is_kept(database: Database) -> None:
    client, secret = await confidential(database, scopes=["users:read", "me"])
    assert ENCODED_BITS.fullmatch(secret)
    (document,) = await database["clients"].find({}).to_list()
    assert document.keys() - {field.name for field in fields(NewClient)} == {
        *("_id", "secret_hash", "old_secret", "registration", "registration_token_hash", "subject"),
        *("created_at", "expires_at", "name_key"),
    }
    assert document["scopes"] == ["me", "users:read"]
    assert re.fullmatch("[0-9a-f]{64}", document["secret_hash"])
    assert secret not in str(document)
    assert secret not in str(client)
    assert secret not in str(await clients_of(database).list_all())
    assert document["secret_hash"] not in str(await clients_of(database).list_all())


async def test_no_two_secrets_and_no_two_ids_are_alike(database: Database) -> None:
    made = [await confidential(database, "Portal") for _ in range(20)]
    assert len({client.id for client, _ in made}) == 20
    assert len({secret for _, secret in made}) == 20


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ACME Portal!", "acme-portal"),
        ("張偉", "client"),
        ("--Zoë's--", "zo-s"),
        ("x" * 128, "x" * 40),
        ("roster", "roster"),
    ],
)
async def test_an_id_is_made_from_the_name_and_chance(database: Database, name: str, words: str) -> None:
    client, _ = await clients_of(database).register(new_client(name))
    assert client.name == name
    assert re.fullmatch(rf"{words}-[0-9a-f]{{8}}", client.id)


@pytest.mark.parametrize("client_id", ["a", "x" * 64, "!portal~", "https//portal.example?a=b&c", '"quoted"'])
async def test_the_operator_may_choose_the_id(database: Database, client_id: str) -> None:
    client, secret = await confidential(database, client_id=client_id)
    assert client.id == client_id
    assert await clients_of(database).identify(client_id=client_id, secret=secret) == client


@pytest.mark.parametrize("client_id", WRONG_IDS)
async def test_an_id_that_some_client_could_not_send_is_refused(database: Database, client_id: str) -> None:
    sentence = "A client's id is 1 to 64 visible ASCII characters other than :, % and +."
    with pytest.raises(InvalidError, match=re.escape(sentence)):
        await clients_of(database).register(new_client(), client_id=client_id)
    assert await clients_of(database).list_all() == []


async def test_an_id_that_a_user_could_have_is_refused(database: Database) -> None:
    with pytest.raises(InvalidError, match="is not 24 hexadecimal digits"):
        await clients_of(database).register(new_client(), client_id="0123456789abcdefABCDEF01")


@pytest.mark.parametrize("client_id", ["roster", "roster-console"])
async def test_the_id_of_a_built_in_client_is_not_to_be_had(database: Database, client_id: str) -> None:
    with pytest.raises(ClientExistsError, match=rf"^The id {client_id} is that of a built-in client\.$"):
        await clients_of(database).register(new_client(), client_id=client_id)


async def test_an_id_that_is_taken_is_refused_and_its_client_stays(database: Database) -> None:
    client, secret = await confidential(database, client_id="portal")
    with pytest.raises(ClientExistsError, match=r"^There is a client with this id already\.$"):
        await clients_of(database).register(new_client("Other", is_public=True), client_id="portal")
    assert await clients_of(database).identify(client_id="portal", secret=secret) == client


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a\nb", "a\x1b[31m", "a\0", "\ud800", "a\u202eb"])
async def test_a_name_that_cannot_be_shown_on_a_line_is_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidError, match=r"^A client's name is 1 to 128 printable characters\.$"):
        await clients_of(database).register(new_client(name))
    assert await clients_of(database).list_all() == []


async def test_clients_are_listed_by_id(database: Database) -> None:
    assert await clients_of(database).list_all() == []
    second, _ = await clients_of(database).register(new_client("A", scopes=["me"]), client_id="b")
    first, _ = await clients_of(database).register(new_client("B", is_public=True), client_id="a")
    assert await clients_of(database).list_all() == [first, second]


# --- how they change ------------------------------------------------------------------------------------


async def test_after_a_renewal_without_overlap_only_the_new_secret_is_good(database: Database) -> None:
    client, old = await confidential(database)
    other, others_secret = await confidential(database)
    new = await clients_of(database).renew_secret(client.id, overlap_s=0)
    assert ENCODED_BITS.fullmatch(new)
    assert await clients_of(database).identify(client_id=client.id, secret=new) == client
    await refusal(database, client.id, old)
    assert await clients_of(database).identify(client_id=other.id, secret=others_secret) == other


async def test_for_a_day_after_a_renewal_the_secret_before_is_good_and_no_older_one(
    database: Database,
) -> None:
    client, oldest = await confidential(database)
    old = await clients_of(database).renew_secret(client.id)
    new = await clients_of(database).renew_secret(client.id)
    for secret in (old, new):
        identified = await clients_of(database).identify(client_id=client.id, secret=secret)
        assert identified.old_secret_until is not None
        assert identified.old_secret_until - now() > timedelta(hours=23)
        assert replace(identified, old_secret_until=None) == client
    await refusal(database, client.id, oldest)
    await database["clients"].update_one({"_id": client.id}, {"$set": {"old_secret.until": now()}})
    await refusal(database, client.id, old)


async def test_a_removed_client_is_unknown_at_once(database: Database) -> None:
    client, secret = await confidential(database)
    other, others_secret = await confidential(database)
    await clients_of(database).remove(client.id)
    await refusal(database, client.id, secret)
    assert await clients_of(database).list_all() == [other]
    assert await clients_of(database).identify(client_id=other.id, secret=others_secret) == other


async def test_only_a_client_that_is_there_and_has_a_secret_gets_a_new_one(database: Database) -> None:
    public, _ = await clients_of(database).register(new_client("Browser app", is_public=True))
    with pytest.raises(ClientHasNoSecretError, match="public, or signs assertions"):
        await clients_of(database).renew_secret(public.id)
    for client_id in ("nobody", "roster", *WRONG_IDS):
        with pytest.raises(ClientNotFoundError, match=r"^No registered client has this id\.$"):
            await clients_of(database).renew_secret(client_id)
    assert await clients_of(database).identify(client_id=public.id, secret=None) == public


async def test_only_a_client_that_is_there_can_be_removed(database: Database) -> None:
    client, _ = await confidential(database)
    for client_id in ("nobody", "roster", client.id[:-1], *WRONG_IDS):
        with pytest.raises(ClientNotFoundError, match=r"^No registered client has this id\.$"):
            await clients_of(database).remove(client_id)
    assert await clients_of(database).list_all() == [client]


async def test_a_change_leaves_what_it_does_not_name(database: Database) -> None:
    client, secret = await confidential(database, scopes=["me", "users:read"])
    changed = await clients_of(database).change(client.id, {"name": " Porch "})
    assert changed == replace(client, name="Porch")
    more: dict[str, Any] = {
        "redirect_uris": (CALLBACK,),
        "grant_types": frozenset({"authorization_code"}),
        "requires_par": True,
    }
    expected = replace(client, name="Porch", **more)
    assert await clients_of(database).change(client.id, more) == expected
    assert (await clients_of(database).change(client.id, {"scopes": None})).scopes is None
    identified = await clients_of(database).identify(client_id=client.id, secret=secret)
    assert identified == replace(expected, scopes=None)


async def test_of_changes_at_the_same_time_all_are_kept(database: Database) -> None:
    client, _ = await confidential(database)
    changes: list[dict[str, Any]] = [
        {"redirect_uris": (CALLBACK,)}, {"requires_par": True}, {"is_first_party": True},
        {"scopes": frozenset({"me"})}, {"backchannel_logout_uri": CALLBACK},
    ]  # fmt: skip
    await asyncio.gather(*(clients_of(database).change(client.id, change) for change in changes))
    expected = replace(client, **{name: value for change in changes for name, value in change.items()})
    assert await clients_of(database).find(client.id) == expected


async def test_only_a_client_that_is_there_can_be_changed_and_to_what_is_allowed(database: Database) -> None:
    client, _ = await confidential(database)
    for client_id in ("nobody", "roster"):
        with pytest.raises(ClientNotFoundError, match=r"^No registered client has this id\.$"):
            await clients_of(database).change(client_id, {"name": "Porch"})
    with pytest.raises(InvalidError, match=r"^A client's name is 1 to 128 printable characters\.$"):
        await clients_of(database).change(client.id, {"name": "a\nb"})
    with pytest.raises(
        InvalidError, match=r"^redirect_uris: Must name at least one for authorization_code\.$"
    ):
        await clients_of(database).change(client.id, {"grant_types": frozenset({"authorization_code"})})
    assert await clients_of(database).list_all() == [client]


async def test_a_client_removed_while_it_is_changed_is_unknown(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = await confidential(database)
    clients = clients_of(database)
    document = await database["clients"].find_one({"_id": client.id})

    async def find_old(_: str) -> Any:
        return document

    monkeypatch.setattr(clients, "_find", find_old)
    await clients.remove(client.id)
    with pytest.raises(ClientNotFoundError, match=r"^No registered client has this id\.$"):
        await clients.change(client.id, {"name": "Porch"})


async def test_each_registration_is_another_one_under_the_same_id_too(
    database: Database, commands: Commands
) -> None:
    client, _ = await confidential(database, client_id="portal")
    await clients_of(database).remove("portal")
    assert await clients_of(database).find("portal") is None
    anew, _ = await confidential(database, client_id="portal")
    assert anew.registration not in {client.registration, ""}
    commands.names.clear()
    assert await find_registrations(database["clients"], ["roster"]) == {"roster": "", "roster-console": ""}
    assert commands.names == []
    found = await find_registrations(database["clients"], ["portal", "nobody", "portal"])
    assert found == {"roster": "", "roster-console": "", "portal": anew.registration}
    assert await clients_of(database).find("portal") == anew
    assert commands.names == ["find", "find"]

"""Invitations: each lets one person in, together with the insertion of the user or not at all."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from beanie import PydanticObjectId
from pydantic import SecretStr
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from app import container
from app.auth.invitations import Invitations
from app.core.cursors import CursorSealer
from app.core.errors import InvalidInvitationError
from app.core.settings import Settings
from app.mail import Outbox
from app.users import record
from models.user import Credentials, UserInput
from models.values import Scope
from tests.support.identity import PASSWORD, hash_of
from tests.support.users import person

Database = AsyncDatabase[dict[str, Any]]
SCOPES: list[Scope] = ["me", "users:read"]
INVITER = PydanticObjectId()
CREDENTIALS = Credentials(password_hash=hash_of(PASSWORD))
SETTINGS = Settings(_env_file=None)
INVITED = {"_id": {"$ne": INVITER}}


@pytest.fixture
async def database(mongo_uri: str, redis_url: str) -> AsyncIterator[Database]:
    settings = Settings(_env_file=None, mongo_uri=SecretStr(mongo_uri), redis_url=SecretStr(redis_url))
    async with container.opened(settings) as opened:
        await record(said(), id=INVITER, scopes=["users:admin"], credentials=CREDENTIALS).insert()
        yield opened.connections.database


def of(database: Database) -> Invitations:
    cursors = CursorSealer("secret", ttl_s=60)
    outbox = Outbox(database, "secret", SETTINGS, cursors, announce=_tell_nobody)
    return Invitations(database["users"], cursors, outbox, SETTINGS)


async def _tell_nobody() -> None:
    pass


def said() -> UserInput:
    return UserInput.model_validate(person())


async def make(database: Database, *, email: str | None = None, ttl_s: int = 3600) -> str:
    code, _ = await of(database).invite(scopes=SCOPES, email=email, created_by=str(INVITER), ttl_s=ttl_s)
    assert code is not None
    return code


async def register(database: Database, code: str, email: str) -> str:
    """How a registration uses an invitation: redeemed and the user inserted in one transaction."""

    async def work(session: AsyncClientSession) -> None:
        redeemed = await of(database).redeem(code, email, session)
        user = record(UserInput.model_validate(person(email=email)), scopes=redeemed.scopes)
        await user.insert(session=session)

    try:
        async with database.client.start_session() as session:
            await session.with_transaction(work)
    except (InvalidInvitationError, DuplicateKeyError) as error:
        return type(error).__name__
    return "done"


async def emails(database: Database) -> list[str]:
    return sorted(await database["users"].distinct("email", INVITED))


async def is_usable(database: Database, code: str, email: str) -> bool:
    """Looked at in a transaction that comes to nothing."""
    async with database.client.start_session() as session, await session.start_transaction():
        try:
            await of(database).redeem(code, email, session)
        except InvalidInvitationError:
            return False
        finally:
            await session.abort_transaction()
        return True


# --- one at a time --------------------------------------------------------------------------------------


async def test_an_invitation_lets_one_person_in_with_its_scopes(database: Database) -> None:
    code = await make(database)
    assert await register(database, code, "ana@example.com") == "done"
    assert await register(database, code, "bea@example.com") == "InvalidInvitationError"
    (user,) = await database["users"].find(INVITED).to_list()
    assert (user["email"], user["scopes"]) == ("ana@example.com", SCOPES)
    assert await database["invitations"].count_documents({}) == 0


async def test_the_code_is_256_bits_and_only_its_hash_is_kept(database: Database) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    code, invitation = await of(database).invite(
        scopes=SCOPES, email="Ana@Example.com", created_by="6650c5f2e1b7a3d4c9f01234"
    )
    week = timedelta(days=7)
    assert before + week <= invitation.expires_at <= datetime.now(UTC) + week
    assert code is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code)
    (document,) = await database["invitations"].find({}).to_list()
    assert code not in str(document)
    assert re.fullmatch("[0-9a-f]{64}", document.pop("_id"))
    assert document == {
        "email": "Ana@Example.com",
        "email_key": "ana@example.com",
        "scopes": SCOPES,
        "created_by": "6650c5f2e1b7a3d4c9f01234",
        "is_sent": False,
        "expires_at": invitation.expires_at.replace(tzinfo=None),
    }


async def test_an_invitation_for_one_address_is_good_in_all_its_spellings(database: Database) -> None:
    for spelling in (
        "jürgen@bücher.example",
        "JU\u0308RGEN@xn--bcher-kva.example",
        "ｊürgen@bücher．example",
    ):
        code = await make(database, email=" Jürgen@Bücher.example")
        assert await is_usable(database, code, spelling)


async def test_an_invitation_for_another_address_is_not_good_and_stays_so_for_its_own(
    database: Database,
) -> None:
    code = await make(database, email="ana@example.com")
    for other in ("ana@example.org", "bea@example.com", "аna@example.com"):
        assert await register(database, code, other) == "InvalidInvitationError"
    assert await register(database, code, "ana@example.com") == "done"
    assert await emails(database) == ["ana@example.com"]


@pytest.mark.parametrize("ttl_s", [0, -1, -7 * 86_400])
async def test_an_expired_invitation_is_not_good_though_mongodb_has_it_still(
    database: Database, ttl_s: int
) -> None:
    code = await make(database, ttl_s=ttl_s)
    assert await register(database, code, "ana@example.com") == "InvalidInvitationError"
    assert await emails(database) == []


async def test_every_refusal_has_the_same_words(database: Database) -> None:
    used = await make(database)
    assert await register(database, used, "ana@example.com") == "done"
    code = await make(database, email="ana@example.com")
    (document,) = await database["invitations"].find({}).to_list()
    wrong = [
        used, code, code[:-1], code + "A", code.swapcase(), document["_id"], "", "\0", "\ud800", "$ne",
        await make(database, ttl_s=-1),
    ]  # fmt: skip
    async with database.client.start_session() as session:
        for given in wrong:
            with pytest.raises(InvalidInvitationError) as refused:
                await of(database).redeem(given, "bea@example.com", session)
            assert (refused.value.status, refused.value.code) == (403, "invalid_invitation")
            assert refused.value.detail == "The invitation is unknown, used, expired or for another address."
    assert await is_usable(database, code, "ana@example.com")


# --- together or not at all -----------------------------------------------------------------------------


async def test_a_registration_that_fails_leaves_the_invitation_usable(database: Database) -> None:
    assert await register(database, await make(database), "ana@example.com") == "done"
    code = await make(database)
    assert await register(database, code, "ANA@example.com") == "DuplicateKeyError"
    assert await is_usable(database, code, "bea@example.com")
    assert await register(database, code, "bea@example.com") == "done"
    assert await emails(database) == ["ana@example.com", "bea@example.com"]


async def test_of_registrations_that_race_for_one_invitation_one_is_done(database: Database) -> None:
    for number in range(10):
        code = await make(database)
        said = await asyncio.gather(
            *(register(database, code, f"racer{number}.{one}@example.com") for one in range(10))
        )
        assert Counter(said) == {"done": 1, "InvalidInvitationError": 9}
        assert len(await emails(database)) == number + 1


async def test_two_that_hold_the_invitation_at_once_do_not_both_get_in(database: Database) -> None:
    """The first has redeemed and not yet inserted when the second tries: the second has to begin again."""
    code = await make(database)
    redeemed, tried = asyncio.Event(), asyncio.Event()
    tries = 0

    async def hold(session: AsyncClientSession) -> None:
        granted = await of(database).redeem(code, "first@example.com", session)
        redeemed.set()
        await tried.wait()
        user = record(UserInput.model_validate(person(email="first@example.com")), scopes=granted.scopes)
        await user.insert(session=session)

    async def try_meanwhile(session: AsyncClientSession) -> None:
        nonlocal tries
        tries += 1
        try:
            await of(database).redeem(code, "second@example.com", session)
        finally:
            tried.set()

    async def second() -> None:
        await redeemed.wait()
        async with database.client.start_session() as session:
            await session.with_transaction(try_meanwhile)

    async def first() -> None:
        async with database.client.start_session() as session:
            await session.with_transaction(hold)

    done, refused = await asyncio.gather(first(), second(), return_exceptions=True)
    assert done is None
    assert isinstance(refused, InvalidInvitationError)
    assert tries > 1
    assert await emails(database) == ["first@example.com"]


async def test_of_two_invitations_for_one_address_the_loser_s_stays(database: Database) -> None:
    codes = [await make(database), await make(database)]
    said = await asyncio.gather(*(register(database, code, "ana@example.com") for code in codes))
    assert Counter(said) == {"done": 1, "DuplicateKeyError": 1}
    left = [await is_usable(database, code, "bea@example.com") for code in codes]
    assert left == [outcome != "done" for outcome in said]

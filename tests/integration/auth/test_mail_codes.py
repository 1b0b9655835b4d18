"""Codes that are sent by mail: what they prove, that one use succeeds, and what ends them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest
from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.auth.mail_codes import Given, IssuedCode, MailCodes, Proof
from app.core.errors import InvalidCodeError, InvalidError, ThrottledError
from app.database.transactions import together
from models.mail import Purpose
from tests.support.api import serving
from tests.support.applying import resources
from tests.support.identity import member
from tests.support.users import database, users

HERE = "127.0.0.1"
Row = dict[str, Any]


def of(client: httpx.AsyncClient) -> MailCodes:
    return resources(client).auth.mail_codes


async def issue(
    client: httpx.AsyncClient, user: Row, purpose: Purpose = "reset_password", **more: Any
) -> IssuedCode:
    stored = await users(client).find_one({"_id": ObjectId(user["id"])})
    more = {"email": user["email"], "generation": stored["credentials"]["generation"], "ttl_s": 600} | more
    return await of(client).issue(purpose, user_id=user["id"], **more)


async def use(client: httpx.AsyncClient, proof: Proof) -> Proof:
    async def work(session: AsyncClientSession) -> Proof:
        return await of(client).use(proof, session)

    return await together(database(client).client, work)


async def check(
    client: httpx.AsyncClient, purpose: Purpose = "reset_password", address: str = HERE, **given: str
) -> Proof:
    return await of(client).check(purpose, Given(**given), address=address)


async def is_good(client: httpx.AsyncClient, purpose: Purpose, token: str) -> bool:
    return await of(client).find(purpose, token) is not None


def others(code: str | None, count: int) -> list[str]:
    """Other digits than these."""
    return [f"{(int(code or 0) + step) % 1_000_000:06}" for step in range(1, count + 1)]


# --- what they prove


async def test_a_token_proves_whose_mailbox_was_read_and_looking_does_not_use_it(
    mailing: httpx.AsyncClient,
) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user, data={"from": "page"})
    for _ in range(2):
        found = await of(mailing).find("reset_password", issued.token)
        assert found is not None
        assert (found.user_id, found.email, found.purpose) == (user["id"], user["email"], "reset_password")
        assert found.data == {"from": "page"}
    await use(mailing, await check(mailing, token=issued.token))
    assert not await is_good(mailing, "reset_password", issued.token)
    with pytest.raises(InvalidCodeError):
        await check(mailing, token=issued.token)


async def test_neither_token_nor_digits_are_stored(mailing: httpx.AsyncClient) -> None:
    issued = await issue(mailing, await member(mailing))
    assert len(issued.token) == 43
    assert issued.code is not None
    assert len(issued.code) == 6
    stored = str(await database(mailing)["mail_codes"].find({}).to_list())
    assert issued.token not in stored
    assert f"'{issued.code}'" not in stored


async def test_digits_prove_the_same_with_the_address_in_any_spelling(mailing: httpx.AsyncClient) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user)
    code = f"{issued.code}"
    proof = await check(mailing, email=user["email"].upper(), code=f"{code[:3]} {code[3:]}")
    assert (await use(mailing, proof)).user_id == user["id"]
    with pytest.raises(InvalidCodeError):
        await check(mailing, email=user["email"], code=code)


async def test_a_code_is_good_for_its_own_purpose_alone(mailing: httpx.AsyncClient) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user, "verify_email")
    assert not await is_good(mailing, "reset_password", issued.token)
    with pytest.raises(InvalidCodeError):
        await check(mailing, "reset_password", email=user["email"], code=str(issued.code))
    assert await is_good(mailing, "verify_email", issued.token)


async def test_digits_are_good_for_their_own_address_alone(mailing: httpx.AsyncClient) -> None:
    issued, other = await issue(mailing, await member(mailing)), await member(mailing)
    await issue(mailing, other)
    with pytest.raises(InvalidCodeError):
        await check(mailing, email=other["email"], code=str(issued.code))


async def test_a_code_without_digits_is_proved_by_none(mailing: httpx.AsyncClient) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user, with_code=False)
    assert issued.code is None
    for code in ("", "000000", "\ud800"):
        with pytest.raises(InvalidCodeError):
            await check(mailing, email=user["email"], code=code)
    assert await is_good(mailing, "reset_password", issued.token)


@pytest.mark.parametrize(
    "given",
    [
        Given(),
        Given(email="ana@example.com"),
        Given(code="123456"),
        Given("token", "ana@example.com"),
        Given("token", "ana@example.com", "123456"),
    ],
)
async def test_a_token_or_an_address_with_digits_must_be_given(
    mailing: httpx.AsyncClient, given: Given
) -> None:
    with pytest.raises(InvalidError) as refused:
        await of(mailing).check("reset_password", given, address=HERE)
    assert [bad.pointer for bad in refused.value.errors] == ["/token"]


# --- once


async def test_of_fifty_uses_at_once_one_succeeds(mailing: httpx.AsyncClient) -> None:
    issued = await issue(mailing, await member(mailing))
    proof = await check(mailing, token=issued.token)
    results = await asyncio.gather(*(use(mailing, proof) for _ in range(50)), return_exceptions=True)
    assert Counter(type(result) for result in results) == {Proof: 1, InvalidCodeError: 49}


async def test_a_later_code_of_the_same_purpose_replaces_the_earlier(mailing: httpx.AsyncClient) -> None:
    user = await member(mailing)
    first, other = await issue(mailing, user), await issue(mailing, user, "verify_email")
    proof = await check(mailing, token=first.token)
    second = await issue(mailing, user)
    assert not await is_good(mailing, "reset_password", first.token)
    with pytest.raises(InvalidCodeError):
        await use(mailing, proof)
    assert await is_good(mailing, "reset_password", second.token)
    assert await is_good(mailing, "verify_email", other.token)


# --- what ends them


async def set_password(client: httpx.AsyncClient, user: Row) -> None:
    reply = await client.put(f"/users/{user['id']}/password", json={"password": "seven owls read slowly"})
    assert reply.status_code == 204, reply.text


async def change_email(client: httpx.AsyncClient, user: Row) -> None:
    reply = await client.patch(f"/users/{user['id']}", json={"email": f"new.{user['email']}"})
    assert reply.status_code == 200, reply.text


async def sign_out(client: httpx.AsyncClient, user: Row) -> None:
    assert (await client.delete(f"/users/{user['id']}/sessions")).status_code == 204


async def deactivate(client: httpx.AsyncClient, user: Row) -> None:
    assert (await client.patch(f"/users/{user['id']}", json={"is_active": False})).status_code == 200


async def delete(client: httpx.AsyncClient, user: Row) -> None:
    assert (await client.delete(f"/users/{user['id']}")).status_code == 204
    assert await database(client)["mail_codes"].count_documents({"user": ObjectId(user["id"])}) == 0


@pytest.mark.parametrize("purpose", ["reset_password", "activate", "verify_email"])
@pytest.mark.parametrize("change", [set_password, change_email, sign_out, deactivate, delete])
async def test_a_code_dies_with_the_password_the_address_and_the_user(
    mailing: httpx.AsyncClient,
    purpose: Purpose,
    change: Callable[[httpx.AsyncClient, Row], Awaitable[None]],
) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user, purpose)
    proof = await check(mailing, purpose, token=issued.token)
    await change(mailing, user)
    assert not await is_good(mailing, purpose, issued.token)
    with pytest.raises(InvalidCodeError):
        await check(mailing, purpose, email=user["email"], code=str(issued.code))
    with pytest.raises(InvalidCodeError):  # also where it was checked before
        await use(mailing, proof)


async def test_a_code_dies_with_time(mailing: httpx.AsyncClient) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user, ttl_s=0)
    assert not await is_good(mailing, "reset_password", issued.token)
    with pytest.raises(InvalidCodeError):
        await check(mailing, email=user["email"], code=str(issued.code))


@pytest.mark.parametrize("purpose", ["reset_password", "activate", "verify_email", "change_email"])
async def test_a_code_stays_dead_where_the_address_is_changed_back(
    mailing: httpx.AsyncClient, purpose: Purpose
) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user, purpose)
    await change_email(mailing, user)
    back = await mailing.patch(f"/users/{user['id']}", json={"email": user["email"]})
    assert back.status_code == 200, back.text
    assert not await is_good(mailing, purpose, issued.token)


async def test_the_code_of_a_new_address_dies_with_a_change_of_the_old_one(
    mailing: httpx.AsyncClient,
) -> None:
    user = await member(mailing)
    new = f"new.{user['email']}"
    issued = await issue(mailing, user, "change_email", email=new, bound_to=user["email"])
    proof = await check(mailing, "change_email", email=new, code=str(issued.code))
    assert (proof.user_id, proof.email) == (user["id"], new)
    await mailing.patch(f"/users/{user['id']}", json={"email": f"other.{user['email']}"})
    assert not await is_good(mailing, "change_email", issued.token)


async def test_an_address_can_be_taken_back_after_further_changes_until_all_codes_are_forgotten(
    mailing: httpx.AsyncClient,
) -> None:
    user = await member(mailing)
    first = await issue(mailing, user, "take_back_email")
    thief = await issue(mailing, user, "take_back_email", email="thief@example.com")
    await change_email(mailing, user)
    await set_password(mailing, user)
    assert await is_good(mailing, "take_back_email", first.token)
    assert await is_good(mailing, "take_back_email", thief.token)
    await of(mailing).forget(user["id"])
    assert not await is_good(mailing, "take_back_email", first.token)
    assert not await is_good(mailing, "take_back_email", thief.token)


# --- guesses


async def test_the_sixth_try_is_refused_though_it_is_right_and_the_link_stays_good(
    mailing: httpx.AsyncClient,
) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user)
    for place, wrong in enumerate(others(issued.code, 5)):  # from everywhere
        with pytest.raises(InvalidCodeError):
            await check(mailing, address=f"203.0.113.{place}", email=user["email"], code=wrong)
    with pytest.raises(InvalidCodeError):
        await check(mailing, email=user["email"], code=str(issued.code))
    assert (await use(mailing, await check(mailing, token=issued.token))).user_id == user["id"]


async def test_right_digits_are_good_after_four_wrong_ones_and_again(mailing: httpx.AsyncClient) -> None:
    """What they allow may be refused for another reason, such as a weak password."""
    user = await member(mailing)
    issued = await issue(mailing, user)
    for wrong in others(issued.code, 4):
        with pytest.raises(InvalidCodeError):
            await check(mailing, email=user["email"], code=wrong)
    for _ in range(7):
        proof = await check(mailing, email=user["email"], code=str(issued.code))
    assert (await use(mailing, proof)).user_id == user["id"]


async def test_guesses_at_once_are_no_more_than_one_after_the_other(mailing: httpx.AsyncClient) -> None:
    user = await member(mailing)
    issued = await issue(mailing, user)
    wrong = [check(mailing, email=user["email"], code=code) for code in others(issued.code, 60)]
    await asyncio.gather(*wrong, return_exceptions=True)
    with pytest.raises(InvalidCodeError):
        await check(mailing, email=user["email"], code=str(issued.code))


async def test_new_codes_give_no_more_than_twenty_tries_a_day(mailing: httpx.AsyncClient) -> None:
    user = await member(mailing)
    for _ in range(4):
        issued = await issue(mailing, user)
        for wrong in others(issued.code, 5):
            with pytest.raises(InvalidCodeError):
                await check(mailing, email=user["email"], code=wrong)
    issued = await issue(mailing, user)
    with pytest.raises(InvalidCodeError):
        await check(mailing, email=user["email"], code=str(issued.code))
    assert await is_good(mailing, "reset_password", issued.token)


async def test_wrong_digits_make_their_address_wait_for_all_users(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, tries_per_address=3) as client:
        for place in range(4):
            with pytest.raises(InvalidCodeError):
                await check(client, email=f"nobody{place}@example.com", code="123456")
        with pytest.raises(ThrottledError):
            await check(client, email="nobody@example.com", code="123456")
        assert await is_good(client, "reset_password", (await issue(client, await member(client))).token)


# --- for nobody


async def test_what_is_written_for_nobody_proves_nothing_and_is_due_to_go(
    mailing: httpx.AsyncClient,
) -> None:
    codes = database(mailing)["mail_codes"]
    before = await codes.count_documents({})
    await together(database(mailing).client, partial(of(mailing).pretend, "nobody@example.com"))
    assert await codes.count_documents({}) == before + 2
    assert await codes.count_documents({"user": {"$nin": await users(mailing).distinct("_id")}}) >= 2
    assert await codes.count_documents({"purpose": None, "email_key": {"$type": "string"}}) == 0


async def test_each_look_up_of_a_code_reads_one_document_by_an_index(mailing: httpx.AsyncClient) -> None:
    issued = await issue(mailing, await member(mailing))
    codes = database(mailing)["mail_codes"]
    token = (await codes.find_one({"user": {"$ne": PydanticObjectId()}, "token": {"$exists": True}}))["token"]
    for wanted, order in (
        ({"token": token, "purpose": {"$in": ["reset_password"]}}, None),
        (
            {"email_key": "nobody@example.com", "purpose": {"$in": ["activate", "reset_password"]}},
            "expires_at",
        ),
    ):
        found = codes.find(wanted, sort=[(order, -1)] if order else None, limit=1)
        plan = await found.explain()
        assert plan["executionStats"]["totalDocsExamined"] <= 1
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
        assert "'stage': 'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
    assert issued.token

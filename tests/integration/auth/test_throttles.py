"""Back-off after wrong passwords, on a real Redis whose counters a test can make older."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.auth.throttles import Throttle
from app.core.errors import InvalidClientError, InvalidError, ThrottledError, UnavailableError
from app.database.redis_connection import RedisConnection
from models.throttle import Counts

SECRET = "0123456789abcdef" * 2
ACCOUNT = "canary@example.com"
HOME = "203.0.113.9"
AWAY = "198.51.100.1"
PER_ACCOUNT = 5
PER_ADDRESS = 50

_connections: list[RedisConnection] = []
"""Those of the test that runs."""


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
    while _connections:
        _connections.pop().close()


@pytest.fixture
def throttle(redis: Redis) -> Throttle:
    return make(redis)


def make(redis: Redis, *, secret: str = SECRET, per_address: int = PER_ADDRESS) -> Throttle:
    redis_connection = RedisConnection(redis, timeout_s=5)
    _connections.append(redis_connection)
    return Throttle(redis_connection, secret, per_account=PER_ACCOUNT, per_address=per_address)


async def fail(throttle: Throttle, times: int, *, account: str = ACCOUNT, address: str = HOME) -> None:
    for _ in range(times):
        await throttle.fail(account, address)


async def wait_of(throttle: Throttle, *, account: str = ACCOUNT, address: str = HOME) -> int:
    """Seconds that the next try has to wait, 0 if none."""
    try:
        await throttle.check(account, address)
    except ThrottledError as error:
        return int(error.headers["Retry-After"])
    return 0


async def age(redis: Redis, seconds: int) -> None:
    """As if this time had passed: every key is so much nearer to its end."""
    async for name in redis.scan_iter("roster:throttle:*"):
        left_ms = await redis.pttl(name)
        assert left_ms > 0, "a key that is never forgotten"
        if name.endswith(":known"):
            for address in map(str, await redis.zrange(name, 0, -1)):
                await redis.zincrby(name, -seconds * 1000, address)
        await redis.pexpire(name, left_ms - seconds * 1000)


async def held(redis: Redis) -> dict[str, str]:
    """Every key with its count, or with the addresses that are known."""
    return {
        name: str(await (redis.zrange(name, 0, -1) if name.endswith(":known") else redis.get(name)))
        async for name in redis.scan_iter("roster:throttle:*")
    }


async def counts(redis: Redis, kind: str) -> list[int]:
    """Those of accounts or of addresses; the marks of known addresses are none."""
    found = await held(redis)
    return [
        int(count) for name, count in found.items() if f"{{{kind}:" in name and not name.endswith(":known")
    ]


async def test_the_first_failures_cost_nothing_and_each_further_one_doubles_the_wait_up_to_a_minute(
    redis: Redis, throttle: Throttle
) -> None:
    waits = []
    for _ in range(14):
        await throttle.fail(ACCOUNT, HOME)
        waits.append(await wait_of(throttle))
        await age(redis, waits[-1])
        assert await wait_of(throttle) == 0
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_the_wait_of_an_address_doubles_up_to_a_quarter_of_an_hour(redis: Redis) -> None:
    throttle = make(redis, per_address=2)
    waits = []
    for number in range(14):
        await throttle.fail(f"somebody{number}", HOME)
        waits.append(await wait_of(throttle, account="another"))
        await age(redis, waits[-1])
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert await wait_of(throttle, account="another", address=AWAY) == 0


async def test_the_answer_names_the_seconds_and_not_what_has_to_wait(redis: Redis) -> None:
    throttle = make(redis, per_address=PER_ACCOUNT)
    await fail(throttle, PER_ACCOUNT + 2)
    answers = []
    for account, address in ((ACCOUNT, HOME), (ACCOUNT, AWAY), ("another", HOME)):
        with pytest.raises(ThrottledError) as caught:
            await throttle.check(account, address)
        answers.append((caught.value.detail, caught.value.headers))
    assert answers == [("Too many attempts: wait 2 s.", {"Retry-After": "2"})] * 3


async def test_the_longer_of_two_waits_counts(redis: Redis) -> None:
    throttle = make(redis, per_address=PER_ACCOUNT + 2)
    await fail(throttle, PER_ACCOUNT + 4)
    assert await wait_of(throttle) == 8
    await fail(throttle, 3, account="another")
    assert await wait_of(throttle) == 16


async def test_a_check_changes_nothing(redis: Redis, throttle: Throttle) -> None:
    await throttle.check(ACCOUNT, HOME)
    async with throttle.refusals("client_secrets", HOME), throttle.weak_passwords(address=HOME):
        assert await throttle.see_account(ACCOUNT) == await throttle.see_address(HOME) == []
    assert await redis.dbsize() == 0


async def test_an_account_s_failures_are_forgotten_after_15_minutes_and_an_address_s_after_an_hour(
    redis: Redis, throttle: Throttle
) -> None:
    await fail(throttle, PER_ACCOUNT + 3)
    await age(redis, 15 * 60 - 1)
    assert await counts(redis, "account") == [8, 8]
    await throttle.fail(ACCOUNT, HOME)
    await age(redis, 15 * 60 - 1)
    assert await counts(redis, "account") == [9, 9]
    await age(redis, 1)
    assert await counts(redis, "account") == []
    assert await counts(redis, "address") == [9]
    await age(redis, 45 * 60)
    assert await redis.dbsize() == 0


async def test_500_addresses_that_fail_on_an_account_do_not_keep_its_owner_out(
    throttle: Throttle,
) -> None:
    await throttle.succeed(ACCOUNT, HOME)
    for number in range(500):
        await throttle.fail(ACCOUNT, f"10.0.{number // 250}.{number % 250}")
    assert await wait_of(throttle, address=AWAY) == 60
    assert await wait_of(throttle) == 0
    await fail(throttle, PER_ACCOUNT)
    assert await wait_of(throttle) == 0
    await throttle.fail(ACCOUNT, HOME)
    assert await wait_of(throttle) == 1


async def test_an_owner_s_own_mistakes_count_neither_for_others_nor_past_the_right_password(
    redis: Redis, throttle: Throttle
) -> None:
    await throttle.succeed(ACCOUNT, HOME)
    await fail(throttle, PER_ACCOUNT + 1)
    assert await wait_of(throttle, address=AWAY) == 0
    await throttle.succeed(ACCOUNT, HOME)
    assert await wait_of(throttle) == 0
    assert await counts(redis, "address") == [0]


async def test_an_address_stays_known_for_30_days_after_the_last_sign_in(
    redis: Redis, throttle: Throttle
) -> None:
    await throttle.succeed(ACCOUNT, HOME)
    await age(redis, 29 * 86_400)
    await throttle.succeed(ACCOUNT, HOME)
    await age(redis, 30 * 86_400 - 60)
    await fail(throttle, PER_ACCOUNT + 3, address=AWAY)
    assert await wait_of(throttle) == 0
    await age(redis, 60)
    await throttle.fail(ACCOUNT, AWAY)
    assert await wait_of(throttle) == 8


async def test_a_known_address_is_known_to_that_account_alone(throttle: Throttle) -> None:
    await throttle.succeed("another", HOME)
    await fail(throttle, PER_ACCOUNT + 1, address=AWAY)
    assert await wait_of(throttle) == 1


async def test_a_sign_in_from_a_new_address_does_not_restart_the_count_of_those_who_guess(
    throttle: Throttle,
) -> None:
    await fail(throttle, PER_ACCOUNT + 3, address=AWAY)
    await throttle.succeed(ACCOUNT, HOME)
    assert await wait_of(throttle) == 0
    assert await wait_of(throttle, address=AWAY) == 4


async def test_an_attacker_with_a_good_account_cannot_reset_the_count_of_the_address(
    redis: Redis, throttle: Throttle
) -> None:
    for number in range(PER_ADDRESS + 2):
        await throttle.fail(f"victim{number}", AWAY)
        await throttle.fail("mallory", AWAY)
        await throttle.succeed("mallory", AWAY)
        await throttle.succeed("mallory", AWAY)
    assert await counts(redis, "address") == [PER_ADDRESS + 2]
    assert await wait_of(throttle, account="victim", address=AWAY) == 2


async def test_giving_back_never_takes_an_address_below_none_nor_makes_a_counter(
    redis: Redis, throttle: Throttle
) -> None:
    await fail(throttle, 3)
    (counter,) = [name async for name in redis.scan_iter("roster:throttle:{address:*")]
    await redis.set(counter, 1, keepttl=True)
    await throttle.succeed(ACCOUNT, HOME)
    assert await counts(redis, "address") == [0]
    await fail(throttle, 3)
    await redis.delete(counter)
    await throttle.succeed(ACCOUNT, HOME)
    assert await counts(redis, "address") == []


async def test_addresses_of_one_64_are_one_client(throttle: Throttle) -> None:
    await throttle.succeed(ACCOUNT, "2001:db8:0:1::1")
    for number in range(PER_ACCOUNT + 2):
        await throttle.fail(ACCOUNT, f"2001:db8:0:2::{number}")
    assert await wait_of(throttle, address="2001:db8:0:2:ffff::") == 2
    assert await wait_of(throttle, address="2001:db8:0:1:ffff::") == 0


async def refuse(throttle: Throttle, *, counts: Counts = "client_secrets", address: str = HOME) -> None:
    """A refusal that counts, or ThrottledError."""
    with contextlib.suppress(InvalidClientError):
        async with throttle.refusals(counts, address):
            raise InvalidClientError("wrong")


@pytest.mark.parametrize("counts", ["client_secrets", "refused_registrations"])
async def test_refusals_wait_by_themselves_and_cost_nobody_a_sign_in(redis: Redis, counts: Counts) -> None:
    throttle = make(redis, per_address=3)
    for _ in range(4):
        await refuse(throttle, counts=counts)
    with pytest.raises(ThrottledError) as caught:
        async with throttle.refusals(counts, HOME):
            pytest.fail("let through")
    assert caught.value.headers == {"Retry-After": "1"}
    assert await wait_of(throttle) == 0
    others: tuple[Counts, ...] = ("client_secrets", "refused_registrations")
    for other in others:
        if other != counts:
            await refuse(throttle, counts=other)
    await refuse(throttle, counts=counts, address=AWAY)
    await fail(throttle, 5)
    await throttle.lift_account(ACCOUNT)
    assert await wait_of(throttle) == 2


async def test_a_success_costs_nothing_and_neither_does_what_is_not_the_caller_s_fault(
    redis: Redis, throttle: Throttle
) -> None:
    async with throttle.refusals("client_secrets", HOME) as check:
        await check()
    for error in (UnavailableError("away"), ThrottledError(1)):
        with pytest.raises(type(error)):
            async with throttle.refusals("client_secrets", HOME):
                raise error
    assert await redis.dbsize() == 0


async def test_weak_passwords_wait_and_good_ones_pass_all_the_same(redis: Redis) -> None:
    throttle = make(redis, per_address=3)
    for told, about in ((4, {"address": HOME}), (6, {"account": ACCOUNT})):
        for number in range(told + 1):
            with pytest.raises(ThrottledError if number == told else InvalidError):
                async with throttle.weak_passwords(**about):
                    raise InvalidError("weak")
        async with throttle.weak_passwords(**about):
            pass
    assert await wait_of(throttle) == 0


async def test_an_address_registers_a_thousand_in_an_hour_and_no_flood(
    redis: Redis, throttle: Throttle
) -> None:
    await throttle.count_registration(HOME)
    (counter,) = [name async for name in redis.scan_iter("roster:throttle:*")]
    await redis.set(counter, 1_000, keepttl=True)
    await throttle.count_registration(HOME)
    with pytest.raises(ThrottledError):
        await throttle.count_registration(HOME)
    await throttle.count_registration(AWAY)
    assert await wait_of(throttle) == 0


async def test_what_administrators_see_is_what_makes_wait_and_lifting_it_leaves_the_rest(
    throttle: Throttle,
) -> None:
    await throttle.succeed(ACCOUNT, HOME)
    await fail(throttle, PER_ACCOUNT + 4)
    await fail(throttle, PER_ACCOUNT + 1, address=AWAY)
    await fail(throttle, PER_ACCOUNT + 2, account="another", address=AWAY)
    seen = {one.counts: one for one in await throttle.see_account(ACCOUNT)}
    assert {counts: one.failures for counts, one in seen.items()} == {
        "sign_ins_known_address": PER_ACCOUNT + 4, "sign_ins_elsewhere": PER_ACCOUNT + 1
    }  # fmt: skip
    for one, wait_s in zip(seen.values(), (1, 8), strict=True):
        assert one.waits_until is not None
        assert abs((one.waits_until - one.failed_at).total_seconds() - wait_s) < 0.01
        assert (one.forgotten_at - one.failed_at).total_seconds() == 15 * 60
    assert [one.failures for one in await throttle.see_address(AWAY)] == [2 * PER_ACCOUNT + 3]
    await throttle.lift_account(ACCOUNT)
    assert await throttle.see_account(ACCOUNT) == []
    assert [await wait_of(throttle, address=address) for address in (HOME, AWAY)] == [0, 0]
    assert await wait_of(throttle, account="another", address=AWAY) == 2
    await fail(throttle, PER_ACCOUNT + 1, address=AWAY)
    assert await wait_of(throttle) == 0  # it is known still
    assert await wait_of(throttle, address=AWAY) == 1
    await throttle.lift_address(AWAY)
    assert await throttle.see_address(AWAY) == []


async def test_an_account_is_known_from_its_last_hundred_addresses(redis: Redis, throttle: Throttle) -> None:
    await throttle.succeed(ACCOUNT, HOME)
    await age(redis, 1)
    for number in range(100):
        await throttle.succeed(ACCOUNT, f"10.0.0.{number}")
    await fail(throttle, PER_ACCOUNT + 1, address=AWAY)
    assert await wait_of(throttle, address="10.0.0.0") == 0
    assert await wait_of(throttle, address=HOME) == 1


async def test_two_workers_share_the_counts(redis_url: str) -> None:
    async with (
        Redis.from_url(redis_url, decode_responses=True) as first,
        Redis.from_url(redis_url, decode_responses=True) as second,
    ):
        workers = (make(first), make(second))
        for number in range(PER_ACCOUNT + 3):
            await workers[number % 2].fail(ACCOUNT, HOME)
        assert [await wait_of(worker) for worker in workers] == [4, 4]
        await workers[0].succeed(ACCOUNT, HOME)
        assert await wait_of(workers[1]) == 0


async def test_100_failures_at_once_count_100(redis: Redis, throttle: Throttle) -> None:
    await asyncio.gather(*(throttle.fail(ACCOUNT, HOME) for _ in range(100)))
    assert list((await held(redis)).values()) == ["100"] * 3


async def test_200_wrong_tries_at_once_get_no_more_hashes_than_free_tries_and_pool(
    throttle: Throttle,
) -> None:
    pool = asyncio.Semaphore(4)
    hashed = 0

    async def sign_in() -> None:
        nonlocal hashed
        await throttle.check(ACCOUNT, HOME)
        async with pool:
            await throttle.check(ACCOUNT, HOME)
            hashed += 1
            await asyncio.sleep(0.001)
            await throttle.fail(ACCOUNT, HOME)

    ended = await asyncio.gather(*(sign_in() for _ in range(200)), return_exceptions=True)
    assert PER_ACCOUNT < hashed <= PER_ACCOUNT + 4
    assert sum(isinstance(end, ThrottledError) for end in ended) == 200 - hashed


async def test_200_right_passwords_at_once_are_never_throttled(redis: Redis, throttle: Throttle) -> None:
    await fail(throttle, PER_ACCOUNT)

    async def sign_in() -> None:
        await throttle.check(ACCOUNT, HOME)
        await throttle.check(ACCOUNT, HOME)
        await throttle.succeed(ACCOUNT, HOME)

    await asyncio.gather(*(sign_in() for _ in range(200)))
    assert await wait_of(throttle) == 0
    assert await counts(redis, "address") == [0]


async def test_no_account_or_address_can_be_read_or_guessed_from_redis(
    redis: Redis, throttle: Throttle
) -> None:
    await fail(throttle, 2)
    await throttle.fail(ACCOUNT, AWAY)
    await throttle.succeed(ACCOUNT, HOME)
    await refuse(throttle, address=AWAY)
    found = await held(redis)
    assert (len(found), await redis.dbsize()) == (6, 6)
    written = " ".join([*found, *found.values()])
    guesses = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in (ACCOUNT, HOME, AWAY)]
    assert not any(text in written for text in ("canary", "@", HOME, AWAY, *guesses))
    await redis.flushall()
    await fail(make(redis, secret=SECRET[::-1]), 1)
    assert not found.keys() & (await held(redis)).keys()


async def test_every_key_carries_the_tag_of_its_account_or_its_address(
    redis: Redis, throttle: Throttle
) -> None:
    await throttle.succeed(ACCOUNT, HOME)
    await throttle.fail(ACCOUNT, AWAY)
    names = (await held(redis)).keys()
    assert len(names) == 4
    assert len({name.partition("{")[2].partition("}")[0] for name in names}) == 2


async def test_existing_and_absent_accounts_leave_alike_traces(redis: Redis, throttle: Throttle) -> None:
    traces: list[list[tuple[int, int]]] = []
    for account in (ACCOUNT, "nobody at all", "", "\ud800", "x" * 100_000):
        await fail(throttle, 2, account=account)
        traces.append(sorted((len(name), int(count)) for name, count in (await held(redis)).items()))
        await redis.flushall()
    assert traces == [traces[0]] * 5


async def test_a_full_redis_refuses_to_count_and_still_checks(redis: Redis, throttle: Throttle) -> None:
    await fail(throttle, PER_ACCOUNT + 1)
    await redis.script_flush()  # what Redis forgets when it starts again
    await redis.config_set("maxmemory", 1)
    try:
        for change in (
            throttle.fail(ACCOUNT, HOME),
            throttle.count_registration(HOME),
            refuse(throttle),
            throttle.succeed(ACCOUNT, HOME),
        ):
            with pytest.raises(ResponseError, match="maxmemory"):
                await change
        assert await wait_of(throttle) == 1
        with pytest.raises(ThrottledError):
            await throttle.check(ACCOUNT, AWAY)
        await throttle.lift_account("another")
    finally:
        await redis.config_set("maxmemory", 0)
    await throttle.fail(ACCOUNT, HOME)
    assert await wait_of(throttle) == 2


async def test_a_check_is_one_round_trip_and_all_counts_are_read_in_it(
    redis: Redis, throttle: Throttle
) -> None:
    await throttle.check(ACCOUNT, HOME)
    before = await redis.info("stats")
    await throttle.check(ACCOUNT, HOME)
    after = await redis.info("stats")
    assert after["total_reads_processed"] - before["total_reads_processed"] == 2  # INFO's own is one
    assert after["total_commands_processed"] - before["total_commands_processed"] == 9

import asyncio
import json
import re
import statistics
import time
import unicodedata
from collections.abc import AsyncIterator

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from app.auth.passwords import Cost, Passwords, Verdict
from app.core.errors import ThrottledError, TooManySignInsError
from tests.unit.auth.passwords.test_imported import ARGON2, BCRYPT, BCRYPT_OF_72, DJANGO, KNOWN, PASSLIB

PASSWORD = "lètmein"
OURS = re.compile(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")
YES, NO = Verdict(matches=True, rehashed=None), Verdict(matches=False, rehashed=None)


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    passwords = Passwords(threads=2, waiting=100)
    yield passwords
    passwords.close()


async def test_a_hash_is_argon2id_as_owasp_asks_and_matches_its_password_only(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse battery staple")
    assert OURS.fullmatch(stored)
    assert await passwords.verify("correct horse battery staple", stored) == YES
    assert await passwords.verify("Correct horse battery staple", stored) == NO
    assert await passwords.verify("correct horse battery staple ", stored) == NO
    assert await passwords.verify("", stored) == NO


async def test_two_hashes_of_one_password_differ(passwords: Passwords) -> None:
    assert await passwords.hash("zq8vhk3m") != await passwords.hash("zq8vhk3m")


@pytest.mark.parametrize(
    "password",
    ["天地玄黃宇宙洪荒", "👨\u200d👩\u200d👧 dinner", "Zoë Ångström", "각각각각각각각각", "é" * 128],
)
async def test_a_password_matches_however_it_is_composed(passwords: Passwords, password: str) -> None:
    stored = await passwords.hash(unicodedata.normalize("NFD", password))
    assert await passwords.verify(unicodedata.normalize("NFC", password), stored) == YES
    assert await passwords.verify(unicodedata.normalize("NFD", password), stored) == YES
    assert await passwords.verify(password.replace(" ", "\u00a0"), stored) == YES
    assert await passwords.verify(password[:-1], stored) == NO


async def test_what_bcrypt_would_cut_off_counts(passwords: Passwords) -> None:
    stored = await passwords.hash("é" * 127 + "a")
    assert await passwords.verify("é" * 127 + "b", stored) == NO


async def test_a_storm_gets_the_right_answers() -> None:
    passwords = Passwords(threads=2, waiting=100, cost=Cost(memory_kib=1024, passes=1, lanes=1))
    ana, bob = await asyncio.gather(passwords.hash("ana's own"), passwords.hash("bob's own"))
    asked = [("ana's own", ana), ("ana's own", bob), ("bob's own", bob), ("ana's own", None)] * 25
    verdicts = await asyncio.gather(*(passwords.verify(*pair) for pair in asked))
    assert verdicts == [YES, NO, YES, NO] * 25
    passwords.close()


@pytest.mark.parametrize(("hashed", "password"), KNOWN.items())
async def test_an_imported_hash_that_matches_comes_back_as_one_of_ours(
    passwords: Passwords, hashed: str, password: str
) -> None:
    verdict = await passwords.verify(password, hashed)
    assert verdict.matches
    assert verdict.rehashed
    assert OURS.fullmatch(verdict.rehashed)
    assert await passwords.verify(password, verdict.rehashed) == YES
    assert await passwords.verify("wrong", hashed) == NO


@pytest.mark.parametrize("hashed", [BCRYPT, ARGON2, DJANGO, PASSLIB])
async def test_an_imported_hash_matches_a_password_composed_otherwise(
    passwords: Passwords, hashed: str
) -> None:
    verdict = await passwords.verify(unicodedata.normalize("NFD", PASSWORD), hashed)
    assert verdict.rehashed
    assert await passwords.verify(PASSWORD, verdict.rehashed) == YES


async def test_a_hash_that_another_system_made_of_the_raw_text_is_renewed_from_the_prepared_one(
    passwords: Passwords,
) -> None:
    raw = unicodedata.normalize("NFD", "Zoë Ångström")
    verdict = await passwords.verify(raw, Argon2Hasher(time_cost=1, memory_cost=64).hash(raw))
    assert verdict.rehashed
    assert await passwords.verify("Zoë Ångström", verdict.rehashed) == YES


async def test_bcrypt_never_matches_a_password_that_it_would_cut(passwords: Passwords) -> None:
    assert (await passwords.verify("a" * 72, BCRYPT_OF_72)).matches
    assert await passwords.verify("a" * 73, BCRYPT_OF_72) == NO


@pytest.mark.parametrize(
    ("memory", "passes", "lanes"), [(19_455, 2, 1), (19_456, 1, 1), (7168, 5, 1), (65_536, 3, 4)]
)
async def test_argon2_with_other_parameters_is_renewed(
    passwords: Passwords, memory: int, passes: int, lanes: int
) -> None:
    other = Argon2Hasher(memory_cost=memory, time_cost=passes, parallelism=lanes).hash("zq8vhk3m")
    verdict = await passwords.verify("zq8vhk3m", other)
    assert verdict.rehashed
    assert OURS.fullmatch(verdict.rehashed)
    assert await passwords.verify("wrong", other) == NO


async def test_no_password_matches_an_account_that_is_not_there(passwords: Passwords) -> None:
    assert await passwords.verify("", None) == NO
    assert await passwords.verify("correct horse battery staple", None) == NO


@pytest.mark.parametrize(
    "stored", ["", "x", "$argon2id$", "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$AAAA"]
)
async def test_a_stored_hash_that_cannot_be_read_matches_nothing_and_is_logged_without_it(
    passwords: Passwords, stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await passwords.verify("correct horse battery staple", stored) == NO
    line = json.loads(capsys.readouterr().err)
    line.pop("timestamp")
    assert line == {"event": "stored_password_unreadable", "level": "error"}


async def test_a_password_past_the_longest_never_matches_and_is_not_cut(passwords: Passwords) -> None:
    longest = await passwords.hash("x" * 1024)
    assert await passwords.verify("x" * 1024, longest) == YES
    assert await passwords.verify("x" * 1025, longest) == NO
    assert await passwords.verify("x" * 1025, await passwords.hash("x" * 1025)) == NO


@pytest.mark.parametrize("password", ["\ud800" * 8, "zq8vhk3m\0", "\U0010ffff" * 5000])
async def test_any_text_can_be_tried(passwords: Passwords, password: str) -> None:
    stored = await passwords.hash("zq8vhk3m")
    assert await passwords.verify(password, stored) == NO
    assert await passwords.verify(password, None) == NO


async def test_what_is_raised_at_the_turn_comes_before_any_hashing_and_gives_the_turn_back() -> None:
    passwords = Passwords(threads=1, waiting=1)

    async def refuse() -> None:
        raise ThrottledError(3)

    for _ in range(3):
        with pytest.raises(ThrottledError):
            await passwords.verify("zq8vhk3m", None, at_turn=refuse)
    assert OURS.fullmatch(await passwords.hash("zq8vhk3m"))
    passwords.close()


async def test_more_sign_ins_than_may_wait_are_refused() -> None:
    passwords = Passwords(threads=1, waiting=2)
    tries = (passwords.verify("zq8vhk3m", None) for _ in range(10))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert outcomes[:3] == [NO] * 3
    assert [type(outcome) for outcome in outcomes[3:]] == [TooManySignInsError] * 7
    with pytest.raises(TooManySignInsError):
        await asyncio.gather(*(passwords.hash("zq8vhk3m") for _ in range(10)))
    passwords.close()


async def measure(passwords: Passwords, cases: dict[str, tuple[str, str | None]]) -> dict[str, float]:
    """Median CPU seconds of 9 rounds, the cases in turn; what other processes do does not count."""
    spent: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(9):
        for name, (password, stored) in cases.items():
            start = time.process_time()
            await passwords.verify(password, stored)
            spent[name].append(time.process_time() - start)
    return {name: statistics.median(times) for name, times in spent.items()}


async def test_by_its_cost_no_failure_can_be_told_from_another(passwords: Passwords) -> None:
    stored = await passwords.hash("zq8vhk3m")
    medians = await measure(
        passwords,
        {
            "wrong": ("wrong", stored),
            "right": ("zq8vhk3m", stored),
            "unknown": ("wrong", None),
            "unreadable": ("wrong", "x"),
            "too long": ("x" * 2000, stored),
            "too long, unknown": ("x" * 2000, None),
        },
    )
    assert max(medians.values()) / min(medians.values()) < 1.25, medians


@pytest.mark.parametrize("hashed", [BCRYPT, ARGON2, DJANGO, PASSLIB])
async def test_by_its_cost_the_right_password_of_an_imported_hash_does_not_show(
    passwords: Passwords, hashed: str
) -> None:
    medians = await measure(passwords, {"wrong": ("lètmeout", hashed), "right": (PASSWORD, hashed)})
    assert max(medians.values()) / min(medians.values()) < 1.25, medians

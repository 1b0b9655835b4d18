"""Refresh tokens as texts: what is ours, and what is not."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.sessions.refresh_tokens import RefreshToken, RefreshTokens
from app.auth.sessions.session_ids import new_grant, new_sid, session_of, user_of

SECRET = "0123456789abcdef" * 2
USER = "6742f0c1a5d3b8e9f0123456"
TOKENS = RefreshTokens(SECRET)


def test_a_token_says_user_session_and_number() -> None:
    sid = new_sid(USER)
    assert TOKENS.read(TOKENS.make(sid, 7)) == RefreshToken(USER, sid, 7)


def test_the_same_token_is_made_again_by_every_process_with_the_secret() -> None:
    sid = new_sid(USER)
    assert TOKENS.make(sid, 3) == RefreshTokens(SECRET).make(sid, 3)


def test_another_secret_s_tokens_are_not_ours() -> None:
    token = RefreshTokens(SECRET[::-1]).make(new_sid(USER), 1)
    assert TOKENS.read(token) is None


def test_sessions_of_one_user_have_160_random_bits_each() -> None:
    sids = {new_sid(USER) for _ in range(10_000)}
    assert len(sids) == 10_000
    contents = [base64.urlsafe_b64decode(sid + "=") for sid in sids]
    assert {content[:12].hex() for content in contents} == {USER}
    assert len({content[12:] for content in contents}) == 10_000
    assert {len(content) for content in contents} == {32}


def test_tokens_of_one_session_share_nothing_beyond_their_session() -> None:
    sid = new_sid(USER)
    macs = {TOKENS.make(sid, number).rsplit(".", 1)[1] for number in range(1, 1_000)}
    assert len(macs) == 999


def test_a_token_fits_a_header_and_an_url() -> None:
    token = TOKENS.make(new_sid(USER), 10**14)
    assert len(token) <= 128
    assert token.isascii()
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@pytest.mark.parametrize("place", range(89))
def test_a_token_with_one_other_character_is_not_ours(place: int) -> None:
    token = TOKENS.make(new_sid(USER), 1)
    other = "B" if token[place] == "A" else "A"
    assert TOKENS.read(token[:place] + other + token[place + 1 :]) is None


def test_another_number_or_session_needs_another_mac() -> None:
    sid, another = new_sid(USER), new_sid(USER)
    _, _, mac = TOKENS.make(sid, 1).split(".")
    for forged in (f"{sid}.2.{mac}", f"{another}.1.{mac}", f"{sid}.01.{mac}", f"{sid}.1.{mac}="):
        assert TOKENS.read(forged) is None


@pytest.mark.parametrize(
    "number", ["0", "-1", "+1", " 1", "1 ", "1e0", "1.0", "٣", "１", "1_0", "", "1" + "0" * 15, "9" * 4300]
)
def test_an_odd_number_is_refused_whatever_its_mac(number: str) -> None:
    sid = new_sid(USER)
    mac = TOKENS._mac(sid, number)  # type: ignore[arg-type]  # what no code of ours would ask for
    assert TOKENS.read(f"{sid}.{number}.{mac}") is None


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "a.1.b", "\0", "é", "\ud800", "x" * 1_000_000, ".".join(["A" * 43] * 3),
        "A" * 43 + ".1." + "A" * 43, "A" * 43 + ".1." + "A" * 43 + "\n", "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
    ],
)  # fmt: skip
def test_what_is_no_token_of_ours_is_none(token: str) -> None:
    assert TOKENS.read(token) is None


def test_a_token_with_a_line_end_after_it_is_not_ours() -> None:
    token = TOKENS.make(new_sid(USER), 1)
    for more in ("\n", " ", "\0", "=", ".1"):
        assert TOKENS.read(token + more) is None
        assert TOKENS.read(more + token) is None


def test_the_user_of_a_session_s_id() -> None:
    assert user_of(new_sid(USER)) == USER
    assert user_of(new_sid("0" * 24)) == "0" * 24
    for other in ("", "x", "a" * 42, "a" * 44, "ä" * 43, "a" * 42 + "=", new_sid(USER) + "\n"):
        assert user_of(other) is None


def test_one_session_has_one_id() -> None:
    """Of 43 characters the last has two bits that say nothing: only one of its four spellings is taken."""
    sid = new_sid(USER)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    content = base64.urlsafe_b64decode(sid + "=")
    spellings = [sid[:-1] + letter for letter in letters]
    same = [text for text in spellings if base64.urlsafe_b64decode(text + "=") == content]
    assert len(same) == 4
    assert [spelling for spelling in same if user_of(spelling)] == [sid]


@given(st.text(max_size=200))
def test_no_text_is_taken_for_a_token_or_a_session(text: str) -> None:
    assert TOKENS.read(text) is None
    assert user_of(text) is None


@given(st.binary(min_size=12, max_size=12), st.integers(1, 10**15 - 1))
def test_each_token_that_is_made_can_be_read(user: bytes, number: int) -> None:
    sid = new_sid(user.hex())
    assert TOKENS.read(TOKENS.make(sid, number)) == RefreshToken(user.hex(), sid, number)


def test_guessed_macs_are_not_ours() -> None:
    sid = new_sid(USER)
    guesses = (base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=") for _ in range(1_000))
    assert {TOKENS.read(f"{sid}.1.{guess}") for guess in guesses} == {None}


# --- grants within a browser session


def test_a_grant_s_token_says_user_grant_and_number() -> None:
    sid = new_sid(USER)
    grant = new_grant(sid)
    assert TOKENS.read(TOKENS.make(grant, 7)) == RefreshToken(USER, grant, 7)
    assert (user_of(grant), session_of(grant), session_of(sid)) == (USER, sid, sid)


def test_grants_of_one_session_have_96_random_bits_each() -> None:
    sid = new_sid(USER)
    own = {grant.partition("~")[2] for grant in (new_grant(sid) for _ in range(10_000))}
    assert len(own) == 10_000
    assert {len(base64.urlsafe_b64decode(part)) for part in own} == {12}


def test_a_grant_s_mac_is_not_its_session_s_and_the_reverse() -> None:
    sid = new_sid(USER)
    grant = new_grant(sid)
    for mine, other in ((sid, grant), (grant, sid), (grant, new_grant(sid))):
        mac = TOKENS.make(other, 1).rsplit(".", 1)[1]
        assert TOKENS.read(f"{mine}.1.{mac}") is None


@pytest.mark.parametrize("part", ["", "a" * 15, "a" * 17, "a" * 15 + "=", "a" * 8 + "~" + "a" * 7, "é" * 16])
def test_what_is_no_grant_s_own_part_makes_no_id(part: str) -> None:
    assert user_of(f"{new_sid(USER)}~{part}") is None


def test_a_token_for_one_purpose_is_none_for_another() -> None:
    cookies, sid = RefreshTokens(SECRET, "browser cookie"), new_sid(USER)
    assert TOKENS.read(cookies.make(sid, 1)) is None
    assert cookies.read(TOKENS.make(sid, 1)) is None

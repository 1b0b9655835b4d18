"""Opaque tokens as texts: what is ours, and what is not."""

import re
import zlib

import pytest

from app.auth.opaque_tokens import token_text
from app.auth.sessions import user_of
from app.core.errors import InvalidTokenError
from app.core.sealing import encode

PRINCIPAL = "6742f0c1a5d3b8e9f0123456"
TEXT, TOKEN = token_text.make("pat", PRINCIPAL)


@pytest.mark.parametrize("kind", ["pat", "svc"])
def test_a_scanner_recognises_a_token_by_its_prefix_and_checksum(kind: token_text.Kind) -> None:
    text, _ = token_text.make(kind, PRINCIPAL)
    assert re.fullmatch(f"roster_{kind}_[A-Za-z0-9_-]{{49}}", text)
    assert text[-6:] == encode(zlib.crc32(text[:-6].encode()).to_bytes(4, "big"))


def test_a_token_tells_its_principal_and_its_session() -> None:
    assert token_text.read(TEXT) == TOKEN
    assert TOKEN.user_id == PRINCIPAL
    assert user_of(TOKEN.sid) == PRINCIPAL
    assert TOKEN.sid not in TEXT


def test_no_two_tokens_of_a_principal_share_text_or_session() -> None:
    made = [token_text.make("pat", PRINCIPAL) for _ in range(1000)]
    assert len({text for text, _ in made}) == len({token.sid for _, token in made}) == 1000


@pytest.mark.parametrize(
    "other", ["", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "ROSTER_PAT_" + TEXT[11:]], ids=["none", "JWT", "capitals"]
)
def test_what_begins_otherwise_is_left_to_others(other: str) -> None:
    assert token_text.read(other) is None


@pytest.mark.parametrize("place", range(len("roster_"), len(TEXT)))
def test_a_token_with_one_other_character_is_refused(place: int) -> None:
    other = "B" if TEXT[place] == "A" else "A"
    with pytest.raises(InvalidTokenError, match="a part of it may be missing"):
        token_text.read(TEXT[:place] + other + TEXT[place + 1 :])


@pytest.mark.parametrize(
    "wrong",
    ["roster_", TEXT[:-1], TEXT + "A", TEXT + "\n", TEXT.replace("_pat_", "_xyz_")],
    ids=["prefix alone", "shorter", "longer", "with a line break", "another kind"],
)
def test_a_token_of_another_length_or_kind_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidTokenError):
        token_text.read(wrong)


def test_one_content_has_one_text() -> None:
    """The last of the 43 characters has two bits that stand for nothing."""
    unchecked = TEXT[:-7] + "B"
    text = unchecked + encode(zlib.crc32(unchecked.encode()).to_bytes(4, "big"))
    with pytest.raises(InvalidTokenError, match="not one that Roster issues"):
        token_text.read(text)

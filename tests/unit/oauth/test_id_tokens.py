"""ID tokens, read again as hints; the claims of a user; and requests for single claims."""

import hashlib
from typing import Any

import pytest

from app.auth.id_tokens import Hint, IdTokens, hash_of
from app.core import sealing
from app.core.errors import OAuthError, RequestExpiredError, UnmetAuthenticationError
from app.keys.signing_keys import SigningKey
from app.oauth.openid import Logouts, claim_requests, claims
from app.oauth.openid.logouts import ASKED_S
from tests.support.clock import Clock
from tests.support.identity import parts
from tests.unit.keys.keyrings import ISSUER, SECRET, USER, holding, sign, stored

KEY = SigningKey.generate("EdDSA")
OTHER = SigningKey.generate("EdDSA")
HINT = Hint(USER, "portal", "a-session")


def issue(tokens: IdTokens, **more: Any) -> str:
    return tokens.issue(user_id=USER, client_id="portal", sid="a-session", access_token="a.b.c", **more)


async def test_an_id_token_is_read_as_a_hint_also_long_after_it_has_expired() -> None:
    clock = Clock()
    async with holding(clock, stored(KEY)) as keyring:
        tokens = IdTokens(keyring, issuer=ISSUER, ttl_s=600, now=clock)
        token = issue(tokens, nonce="n", auth_time=5, more={"email": "a", "sub": "forged"})
        told = parts(token)[1]
        assert (told["sub"], told["nonce"], told["auth_time"], told["email"]) == (USER, "n", 5, "a")
        assert await tokens.read(token) == HINT
        clock.now += 90 * 86_400
        assert await tokens.read(token) == HINT


async def test_what_is_no_id_token_of_ours_is_no_hint() -> None:
    clock = Clock()
    async with holding(clock, stored(KEY)) as keyring:
        tokens = IdTokens(keyring, issuer=ISSUER, ttl_s=600, now=clock)
        good = issue(tokens)
        header, told = parts(good)
        changed = [
            sign(KEY, header | {"typ": "at+jwt"}, told),
            sign(KEY, header | {"typ": "logout+jwt"}, told),
            sign(KEY, header | {"alg": "ES256"}, told),
            sign(KEY, header, told | {"iss": "https://other.example.com"}),
            sign(OTHER, header, told),
            sign(OTHER, header | {"kid": OTHER.kid}, told),
            sign(KEY, {"alg": "EdDSA", "typ": "JWT"}, told),
            good + "A",
            good[:-1],
            good.rpartition(".")[0] + ".",
            "",
            "x",
            "é.é.é",
            "A" * 20_000,
        ]
        assert [await tokens.read(each) for each in changed] == [None] * len(changed)


async def test_the_hash_of_the_access_token_is_of_the_signatures_algorithm() -> None:
    for algorithm, name in (("ES256", "sha256"), ("RS256", "sha256"), ("EdDSA", "sha512")):
        digest = hashlib.new(name, b"a.b.c").digest()
        assert hash_of("a.b.c", algorithm) == sealing.encode(digest[: len(digest) // 2])


def test_claims_without_a_value_are_missing() -> None:
    wanted = claims.named(["openid", "profile", "email", "phone", "address"])
    assert claims.tell({}, wanted) == {}
    assert claims.tell({"profile": None, "locale": None}, wanted) == {}
    assert claims.tell({"profile": {"addresses": []}}, wanted) == {}
    assert claims.tell({"profile": {"addresses": [{"label": "home", "city": None}]}}, wanted) == {}
    assert claims.tell({"email": "a@b"}, wanted) == {"email": "a@b", "email_verified": False}
    assert claims.tell({"email": "a@b", "name": "Ana"}, ["name"]) == {"name": "Ana"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "null",
        '{"userinfo":1}',
        '{"id_token":{"sub":"x"}}',
        '{"id_token":{"acr":{"values":1}}}',
    ],
)
def test_a_request_for_claims_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(OAuthError, match=r"section 5\.5"):
        claim_requests.read(text)


@pytest.mark.parametrize(
    ("wish", "is_met"),
    [
        ("null", True),
        ('{"essential":true}', True),
        ('{"value":"9"}', True),
        ('{"essential":true,"value":"1"}', True),
        ('{"essential":true,"values":["9","1"]}', True),
        ('{"essential":true,"value":"9"}', False),
        ('{"essential":true,"values":["8","9"]}', False),
    ],
)
def test_a_kind_of_sign_in_that_is_not_offered_is_refused_if_it_is_essential(
    wish: str, *, is_met: bool
) -> None:
    text = f'{{"id_token":{{"acr":{wish}}}}}'
    if is_met:
        assert claim_requests.read(text) == claim_requests.ClaimRequest()
        return
    with pytest.raises(UnmetAuthenticationError):
        claim_requests.read(text)


def test_a_request_to_sign_out_lives_for_an_hour() -> None:
    clock = Clock()
    logouts = Logouts(SECRET, now=clock)
    logout = logouts.read({"state": "s", "ui_locales": "zh"}, "portal", "https://app.example.com/bye")
    sealed = logouts.seal(logout)
    assert logouts.open(sealed) == logout
    assert logout.location == "https://app.example.com/bye?state=s"
    clock.now += ASKED_S + 1
    for lost in (sealed, "", "x", "A" * 100):
        with pytest.raises(RequestExpiredError):
            logouts.open(lost)

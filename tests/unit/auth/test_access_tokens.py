import hmac
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from app.auth.access_tokens import CACHED, AccessTokens, Claims
from app.auth.sessions.session_ids import new_sid
from app.core import sealing
from app.core.errors import ExpiredTokenError, InvalidTokenError
from app.keys.keyring import Keyring
from app.keys.signing_keys import SigningKey
from tests.support.clock import Clock
from tests.unit.keys.keyrings import ISSUER, USER, holding, sign, stored

ALGORITHMS = ["EdDSA", "ES256", "RS256"]
KEYS = {algorithm: SigningKey.generate(algorithm) for algorithm in ALGORITHMS}
KEY = KEYS["EdDSA"]
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keyring(clock: Clock) -> AsyncIterator[Keyring]:
    keys = [stored(KEYS[name], number=3 - place) for place, name in enumerate(ALGORITHMS)]
    async with holding(clock, *keys) as ring:
        yield ring


@pytest.fixture
def tokens(keyring: Keyring, clock: Clock) -> AccessTokens:
    return AccessTokens(keyring, issuer=ISSUER, audience="roster", ttl_s=600, now=clock)


def header(key: SigningKey = KEY, **changes: Any) -> dict[str, Any]:
    return {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"} | changes


def claims(**changes: Any) -> dict[str, Any]:
    good = {
        "iss": ISSUER, "aud": "roster", "sub": USER, "client_id": "web", "iat": 1_800_000_000,
        "nbf": 1_800_000_000, "exp": 1_800_000_600, "jti": "j", "sid": "s", "scope": "me users:read",
    }  # fmt: skip
    return good | changes


def issue(tokens: AccessTokens) -> tuple[str, Claims]:
    return tokens.issue(user_id=USER, sid="s", client_id="web", scopes=["users:read", "me"])


async def refused(tokens: AccessTokens, token: str) -> InvalidTokenError:
    """The error, which says nothing that the token says."""
    with pytest.raises(InvalidTokenError) as caught:
        await tokens.verify(token)
    assert tokens.known(token) is None
    assert caught.value.status == 401
    assert caught.value.detail.isascii()
    assert '"' not in caught.value.detail
    assert len(caught.value.detail) < 90
    return caught.value


# What is good


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_what_is_issued_verifies_and_says_what_it_was_issued_with(algorithm: str, clock: Clock) -> None:
    async with holding(clock, stored(KEYS[algorithm])) as ring:
        tokens = AccessTokens(ring, issuer=ISSUER, audience="roster", ttl_s=600, now=clock)
        token, issued = issue(tokens)
        assert tokens.known(token) is None
        assert await tokens.verify(token) == issued
        assert tokens.known(token) == issued
    assert issued == Claims(
        USER, "s", "web", frozenset({"me", "users:read"}), 1_800_000_000, 1_800_000_600, issued.jti
    )
    first, payload, _ = sealing.split(token, 3)
    assert json.loads(first) == {"alg": algorithm, "kid": KEYS[algorithm].kid, "typ": "at+jwt"}
    assert json.loads(payload) == claims(jti=issued.jti)
    assert len(issued.jti) == 32


async def test_a_token_reads_as_any_other_jwt(tokens: AccessTokens, keyring: Keyring) -> None:
    token, _ = issue(tokens)
    (public,) = [key for key in keyring.public() if key["alg"] == "EdDSA"]
    key = OKPKey.import_key({name: public[name] for name in ("kty", "crv", "x")})
    with pytest.warns(match="EdDSA is deprecated"):
        read = jwt.decode(token, key, algorithms=["EdDSA"])
    assert read.claims["sub"] == USER


async def test_a_client_as_itself_is_the_subject_and_its_session_tells_its_principal(
    tokens: AccessTokens,
) -> None:
    sid = new_sid(USER)
    token, issued = tokens.issue(user_id=USER, sid=sid, client_id="web", scopes=[], is_service=True)
    assert json.loads(sealing.split(token, 3)[1])["sub"] == issued.subject == "web"
    assert await tokens.verify(token) == issued
    assert (issued.user_id, issued.is_service) == (USER, True)


async def test_a_client_s_token_without_a_session_of_ours_is_refused(tokens: AccessTokens) -> None:
    for sid in ("s", "a" * 42 + "B"):
        wrong = sign(KEY, header(), claims(sub="web", client_id="web", sid=sid))
        assert (await refused(tokens, wrong)).code == "invalid_token"


async def test_two_tokens_have_two_ids(tokens: AccessTokens) -> None:
    assert issue(tokens)[1].jti != issue(tokens)[1].jti


async def test_a_token_without_scopes_is_good_for_none(tokens: AccessTokens) -> None:
    token, _ = tokens.issue(user_id=USER, sid="s", client_id="web", scopes=[])
    assert (await tokens.verify(token)).scopes == frozenset()


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"])
async def test_the_type_may_be_written_in_each_way_of_the_rfc(tokens: AccessTokens, typ: str) -> None:
    assert (await tokens.verify(sign(KEY, header(typ=typ), claims()))).user_id == USER


async def test_one_of_several_audiences_may_be_ours(tokens: AccessTokens) -> None:
    assert (await tokens.verify(sign(KEY, header(), claims(aud=["other", "roster"])))).sid == "s"


# Attacks on the header and the signature


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
async def test_an_unsigned_token_is_refused(tokens: AccessTokens, alg: str) -> None:
    signed = f"{sealing.encode(orjson.dumps(header(alg=alg)))}.{sealing.encode(orjson.dumps(claims()))}"
    signature = issue(tokens)[0].rpartition(".")[2]
    for token in (
        f"{signed}.",
        f"{signed}.{signature}",
        f"{signed}.AA",
        sign(KEY, header(alg=alg), claims()),
    ):
        await refused(tokens, token)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", ["PEM", "DER", "JWK", "raw"])
async def test_a_public_key_is_no_hmac_secret(tokens: AccessTokens, algorithm: str, form: str) -> None:
    key = KEYS[algorithm]
    public = key.public()
    secret = {
        "PEM": key._key.as_pem(private=False),
        "DER": key._key.as_der(private=False),
        "JWK": orjson.dumps(public),
        "raw": sealing.decode(public.get("x", public.get("n", ""))),
    }[form]
    signed = ".".join(sealing.encode(orjson.dumps(part)) for part in (header(key, alg="HS256"), claims()))
    await refused(tokens, f"{signed}.{sealing.encode(hmac.digest(secret, signed.encode(), 'sha256'))}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_signature_of_another_key_is_refused(tokens: AccessTokens, algorithm: str) -> None:
    stranger = SigningKey.generate(algorithm)
    error = await refused(tokens, sign(stranger, header(KEYS[algorithm]), claims()))
    assert error.detail == "The signature of the access token is wrong."


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("other", ALGORITHMS)
async def test_the_key_says_the_algorithm_and_the_header_does_not(
    tokens: AccessTokens, name: str, other: str
) -> None:
    if name == other:
        return
    await refused(tokens, sign(KEYS[name], header(KEYS[name], alg=other), claims()))
    await refused(tokens, sign(KEYS[name], header(KEYS[other], alg=name), claims()))
    await refused(tokens, sign(KEYS[name], header(KEYS[other]), claims()))


@pytest.mark.parametrize(
    "alg", ["RS384", "PS256", "ES384", "ES256K", "HS256", "Ed25519", "eddsa", "", None, 1, ["EdDSA"]]
)
async def test_no_other_algorithm_is_known(tokens: AccessTokens, alg: object) -> None:
    await refused(tokens, sign(KEY, header(alg=alg), claims()))


@pytest.mark.parametrize(
    "more",
    [
        {"jwk": KEY.public()},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "AA"},
        {"x5t#S256": "AA"},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"crit": "b64"},
        {"b64": True},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"nonce": "1"},
        {"": ""},
    ],
    ids=lambda more: "+".join(more) or "empty",
)
async def test_a_header_with_more_than_we_write_is_refused(
    tokens: AccessTokens, more: dict[str, Any]
) -> None:
    error = await refused(tokens, sign(KEY, header(**more), claims()))
    assert error.detail == "The header of the access token is not one that Roster issues."


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
async def test_a_header_with_less_than_we_write_is_refused(tokens: AccessTokens, name: str) -> None:
    short = header()
    del short[name]
    await refused(tokens, sign(KEY, short, claims()))


async def test_the_key_of_a_jwk_header_is_not_used(tokens: AccessTokens) -> None:
    stranger = SigningKey.generate("EdDSA")
    for kid in (KEY.kid, stranger.kid):
        await refused(tokens, sign(stranger, header(kid=kid, jwk=stranger.public()), claims()))


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null", "/etc/passwd", "' OR 1=1 --", "'; DROP TABLE keys; --", "a\0b", "x" * 129,
        "x" * 5_000, "", [KEY.kid], {"$ne": ""}, {"kid": KEY.kid}, 0, None, True, 1.5, "__class__",
        KEY.kid + " ", KEY.kid + "=", KEY.kid[:-1],
    ],
    ids=lambda kid: repr(kid).replace(KEY.kid, "KID").replace(KEY.kid[:-1], "KI")[:24],
)  # fmt: skip
async def test_the_key_id_is_looked_up_and_nothing_else(tokens: AccessTokens, kid: object) -> None:
    await refused(tokens, sign(KEY, header(kid=kid), claims()))


@pytest.mark.parametrize(
    "typ", ["JWT", "jwt", "rt+jwt", "refresh", "reset", "verify", "at", "at+jwt ", "", None, 1, ["at+jwt"]]
)
async def test_a_token_of_another_type_is_no_access_token(tokens: AccessTokens, typ: object) -> None:
    error = await refused(tokens, sign(KEY, header(typ=typ), claims()))
    assert error.detail == "The token is not an access token."


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b'"x"', b"1", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}",
        b'{"alg":"EdDSA","alg":"EdDSA","kid":"%s","typ":"at+jwt"}' % KEY.kid.encode(),
        b'{"alg":"none","alg":"EdDSA","kid":"%s","typ":"at+jwt"}' % KEY.kid.encode(),
        b'{"alg":"EdDSA","\\u0061lg":"none","kid":"%s","typ":"at+jwt"}' % KEY.kid.encode(),
        b'{"alg":"EdDSA","kid":"%s","typ":"at+jwt","a":NaN}' % KEY.kid.encode(),
        b"[" * 5_000, b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    ],
    ids=lambda content: content.decode(errors="replace").replace(KEY.kid, "KID")[:24],
)  # fmt: skip
async def test_a_header_or_payload_that_is_no_strict_object_is_refused(
    tokens: AccessTokens, content: bytes
) -> None:
    await refused(tokens, sign(KEY, content, claims()))
    await refused(tokens, sign(KEY, header(), content))


# The text of the token


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t + ".", lambda t: t + ".AA", lambda t: "." + t, lambda t: "AA." + t,
        lambda t: t.rpartition(".")[0], lambda t: t.replace(".", ""), lambda t: t.replace(".", "..", 1),
        lambda t: t + "=", lambda t: t + "==", lambda t: t.replace(".", "=.", 1),
        lambda t: " " + t, lambda t: t + " ", lambda t: t + "\n", lambda t: t + "\t", lambda t: t + "\0",
        lambda t: t.replace(".", " .", 1), lambda t: t.replace(".", ". "), lambda t: t.replace(".", ".\n"),
        lambda t: t.replace(".", ".    "), lambda t: t.replace(".", "    .", 1),
        lambda t: t.replace(".", "####.", 1), lambda t: t.replace(".", ".?"), lambda t: t + "?",
        lambda t: t.replace("-", "+").replace("_", "/") + "+", lambda t: t.replace("e", "é", 1),
        lambda t: t.replace("e", "\ud800", 1), lambda t: t[:-1] + "\uff21", lambda t: t[:-4],
        lambda t: t + "AAAA", lambda t: t.replace(".", "==."),
        lambda _: "", lambda _: ".", lambda _: "..", lambda _: "...", lambda _: "a.b.c", lambda _: "Bearer",
    ],
)  # fmt: skip
async def test_a_second_spelling_of_a_good_token_is_refused(tokens: AccessTokens, spoil: Any) -> None:
    token, _ = issue(tokens)
    await tokens.verify(token)
    error = await refused(tokens, spoil(token))
    assert error.detail in (
        "The access token is not a signed JWT in compact form.",
        "The signature of the access token is wrong.",
    )


async def test_the_bits_past_the_last_byte_are_part_of_the_token(tokens: AccessTokens) -> None:
    """64 bytes of signature leave four bits of the last letter unused, which some readers skip."""
    token, _ = issue(tokens)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert letters.index(token[-1]) % 16 == 0
    for bits in range(1, 16):
        await refused(tokens, token[:-1] + letters[letters.index(token[-1]) + bits])


async def test_a_token_of_a_megabyte_costs_no_memory(tokens: AccessTokens) -> None:
    huge = sealing.encode(orjson.dumps(header(pad="x" * 700_000))) + ".AA.AA"
    flat, dots = "A" * 1_000_000, "." * 1_000_000
    tracemalloc.start()
    try:
        for token in (huge, flat, dots):
            error = await refused(tokens, token)
            assert error.detail == "The access token is longer than 8192 characters."
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()


async def test_a_token_of_just_the_length_is_read(tokens: AccessTokens) -> None:
    def make(length: int) -> str:
        return sign(KEY, header(), claims(scope="x" * length))

    token = next(token for length in range(5_850, 5_600, -1) if len(token := make(length)) <= 8192)
    assert 8190 <= len(token) <= 8192
    assert (await tokens.verify(token)).user_id == USER


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(token=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{1,30}(\.[A-Za-z0-9_-]{1,30}){2}"))
async def test_no_text_that_we_did_not_sign_is_good(tokens: AccessTokens, token: str) -> None:
    await refused(tokens, token)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(name=st.sampled_from(sorted(claims())), value=JSON, member=st.sampled_from(["alg", "kid", "typ"]))
async def test_no_value_of_a_claim_or_of_the_header_is_anything_but_good_or_refused(
    tokens: AccessTokens, name: str, value: Any, member: str
) -> None:
    for token in (
        sign(KEY, header(), claims(**{name: value})),
        sign(KEY, header(**{member: value}), claims()),
    ):
        if len(token) <= 8192:
            try:
                assert isinstance(await tokens.verify(token), Claims)
            except InvalidTokenError:
                continue


# Claims


@pytest.mark.parametrize("name", sorted(claims()))
async def test_every_claim_is_required(tokens: AccessTokens, name: str) -> None:
    short = claims()
    del short[name]
    await refused(tokens, sign(KEY, header(), short))


WRONG_TIMES = [
    "1800000300", 1800000300.0, True, False, None, [1_800_000_300], {"exp": 1}, -1, 2**53, 2**63, 2**64,
    float("nan"), float("inf"), float("-inf"), 1e308,
]  # fmt: skip


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", WRONG_TIMES, ids=repr)
async def test_a_time_is_a_whole_number_of_seconds(tokens: AccessTokens, name: str, value: object) -> None:
    await refused(tokens, sign(KEY, header(), claims(**{name: value})))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("digits", ["1e400", "-1e400", "1" + "0" * 400, "9" * 4_400])
async def test_a_time_beyond_every_number_is_refused(tokens: AccessTokens, name: str, digits: str) -> None:
    payload = json.dumps(claims(**{name: 0})).replace(f'"{name}": 0', f'"{name}": {digits}')
    assert digits in payload
    await refused(tokens, sign(KEY, header(), payload.encode()))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "client_id", "jti", "sid", "scope"])
@pytest.mark.parametrize("value", [None, True, 1, 1.5, [], ["x"], {}, {"$ne": ""}, "a\0b"], ids=repr)
async def test_a_text_is_a_text(tokens: AccessTokens, name: str, value: object) -> None:
    await refused(tokens, sign(KEY, header(), claims(**{name: value})))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "client_id", "jti", "sid"])
async def test_a_text_is_not_empty(tokens: AccessTokens, name: str) -> None:
    await refused(tokens, sign(KEY, header(), claims(**{name: ""})))


@pytest.mark.parametrize(
    "sub", [USER[:-1], USER + "0", USER.upper().replace("0", "A"), "g" * 24, USER + "\n", "../" + USER]
)
async def test_the_subject_is_the_id_of_a_user(tokens: AccessTokens, sub: str) -> None:
    await refused(tokens, sign(KEY, header(), claims(sub=sub)))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ISSUER + "/"}, {"iss": ISSUER.upper()}, {"iss": "https://evil.example"}, {"iss": [ISSUER]},
        {"aud": "Roster"}, {"aud": "roster2"}, {"aud": []}, {"aud": ["other"]}, {"aud": [["roster"]]},
        {"aud": {"roster": 1}},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_token_for_somebody_else_is_refused(tokens: AccessTokens, changes: dict[str, Any]) -> None:
    error = await refused(tokens, sign(KEY, header(), claims(**changes)))
    assert error.detail == "The access token is from another issuer or for another audience."


async def test_a_claim_twice_is_refused(tokens: AccessTokens) -> None:
    payload = json.dumps(claims()).encode()
    await refused(tokens, sign(KEY, header(), payload[:-1] + b', "sub": "0123456789abcdef01234567"}'))


# Signatures at the edges of what the algorithms allow


def spoil(token: str, signature: bytes) -> str:
    return f"{token.rpartition('.')[0]}.{sealing.encode(signature)}"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("length", [1, 31, 32, 63, 65, 70, 72, 96, 128, 383, 385])
async def test_a_signature_has_one_length(tokens: AccessTokens, algorithm: str, length: int) -> None:
    token = sign(KEYS[algorithm], header(KEYS[algorithm]), claims())
    signature = (sealing.decode(token.rpartition(".")[2]) * 3)[:length].ljust(length, b"\0")
    await refused(tokens, spoil(token, signature))


async def test_an_es256_signature_of_zeros_or_beyond_the_order_is_refused(tokens: AccessTokens) -> None:
    key = KEYS["ES256"]
    token = sign(key, header(key), claims())
    signature = sealing.decode(token.rpartition(".")[2])
    assert (await tokens.verify(token)).user_id == USER
    r, s = signature[:32], signature[32:]
    order, top = P256_ORDER.to_bytes(32, "big"), b"\xff" * 32
    for first, second in [
        (bytes(32), bytes(32)), (r, bytes(32)), (bytes(32), s), (order, s), (r, order), (top, top),
        (order, order), (order, bytes(32)),
    ]:  # fmt: skip
        await refused(tokens, spoil(token, first + second))


async def test_an_es256_signature_in_der_is_refused(tokens: AccessTokens) -> None:
    key = KEYS["ES256"]
    token = sign(key, header(key), claims())
    signed = token.rpartition(".")[0].encode()
    der = ECKey.import_key(key.private()).get_op_key("sign").sign(signed, ECDSA(SHA256()))
    await refused(tokens, spoil(token, der))


async def test_an_eddsa_signature_with_another_s_is_refused(tokens: AccessTokens) -> None:
    """S plus the order of the group satisfies the same equation: RFC 8032, section 5.1.7 refuses it."""
    token = sign(KEY, header(), claims())
    signature = sealing.decode(token.rpartition(".")[2])
    larger = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    await refused(tokens, spoil(token, signature[:32] + larger.to_bytes(32, "little")))
    await refused(tokens, spoil(token, bytes(64)))


# Time


async def test_a_token_is_good_for_its_time_and_not_a_second_longer(
    tokens: AccessTokens, clock: Clock
) -> None:
    token, issued = issue(tokens)
    clock.now = issued.expires_at - 0.1
    assert await tokens.verify(token) == issued
    assert tokens.known(token) == issued
    clock.now = issued.expires_at
    assert tokens.known(token) is None
    with pytest.raises(ExpiredTokenError) as expired:
        await tokens.verify(token)
    assert (expired.value.status, expired.value.code) == (401, "token_expired")


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_clocks_may_differ_by_half_a_minute(tokens: AccessTokens, name: str) -> None:
    assert await tokens.verify(sign(KEY, header(), claims(**{name: 1_800_000_030})))
    error = await refused(tokens, sign(KEY, header(), claims(**{name: 1_800_000_031})))
    assert error.detail == "The access token is not valid yet."


async def test_an_expired_token_with_a_wrong_signature_is_not_called_expired(tokens: AccessTokens) -> None:
    token = sign(SigningKey.generate("EdDSA"), header(), claims(exp=1))
    assert type(await refused(tokens, token)) is InvalidTokenError


# Keys and the cache


async def test_the_tokens_of_a_key_past_its_end_are_refused(clock: Clock) -> None:
    async with holding(clock, stored(KEY, ends=clock.now + 1)) as ring:
        tokens = AccessTokens(ring, issuer=ISSUER, audience="roster", ttl_s=600, now=clock)
        token = sign(KEY, header(), claims())
        clock.now += 1
        error = await refused(tokens, token)
        assert error.detail == "The access token names an unknown signing key."


async def test_a_verified_token_is_forgotten_when_the_keys_change(
    tokens: AccessTokens, keyring: Keyring
) -> None:
    token, issued = issue(tokens)
    await tokens.verify(token)
    keyring.generation += 1
    assert tokens.known(token) is None
    assert await tokens.verify(token) == issued
    assert tokens.known(token) == issued


async def test_the_oldest_token_makes_room_and_only_good_ones_take_it(
    tokens: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CACHED == 10_000
    monkeypatch.setattr("app.auth.access_tokens.CACHED", 3)
    issued = [issue(tokens)[0] for _ in range(4)]
    for token in issued:
        await refused(tokens, token + "AAAA")
        await tokens.verify(token)
    assert [tokens.known(token) is not None for token in issued] == [False, True, True, True]
    assert len(tokens._good) == 3

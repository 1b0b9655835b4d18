"""What a client must be like: each fault is told with its place."""

from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from app.clients import rules
from app.core.errors import InvalidError
from tests.support.clients import CALLBACK, new_client, public_of

EC = public_of(ECKey.generate_key("P-256"))
SIGNS: Mapping[str, Any] = {"auth_method": "private_key_jwt"}


def faults(**client: Any) -> dict[str, str]:
    with pytest.raises(InvalidError) as caught:
        rules.check(new_client(**client))
    return {str(error.pointer): error.detail for error in caught.value.errors}


def test_each_fault_is_told_with_its_place() -> None:
    found = faults(
        name="a\nb", redirect_uris=(CALLBACK, "javascript:alert(1)"), post_logout_redirect_uris=("/",),
        backchannel_logout_uri="com.example.app:/logout", keys=(EC,),
    )  # fmt: skip
    assert set(found) == {
        *("/name", "/redirect_uris/1", "/post_logout_redirect_uris/0", "/backchannel_logout_uri", "/jwks"),
    }
    assert all(sentence.endswith(".") for sentence in found.values())


def test_a_code_needs_a_redirect_uri_and_credentials_of_its_own_a_client_that_has_them() -> None:
    grants = frozenset({"authorization_code", "client_credentials"})
    assert set(faults(is_public=True, grant_types=grants)) == {"/redirect_uris", "/grant_types"}
    assert rules.check(new_client(redirect_uris=(CALLBACK,), grant_types=grants)).grant_types == grants


def test_a_client_registers_few_uris_and_keys() -> None:
    uris = tuple(f"https://app.example.com/{number}" for number in range(21))
    assert set(faults(redirect_uris=uris, post_logout_redirect_uris=uris)) == {
        *("/redirect_uris", "/post_logout_redirect_uris"),
    }
    assert faults(**SIGNS, keys=(EC,) * 11) == {"/jwks": "Must hold 1 to 10 keys for private_key_jwt."}
    assert faults(**SIGNS) == {"/jwks": "Must hold 1 to 10 keys for private_key_jwt."}


@pytest.mark.parametrize(
    "key", [EC, public_of(OKPKey.generate_key("Ed25519")), public_of(RSAKey.generate_key(2048))],
    ids=lambda key: str(key["kty"]),
)  # fmt: skip
def test_only_the_public_members_of_a_key_are_kept(key: dict[str, Any]) -> None:
    sent = key | {"kid": "one", "use": "sig", "x5u": "https://evil.example/", "key_ops": ["verify"]}
    assert rules.check(new_client(**SIGNS, keys=(sent,))).keys == (key | {"kid": "one", "use": "sig"},)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (dict(ECKey.generate_key("P-256").as_dict(private=True)), "without its private part"),
        (dict(OctKey.generate_key(256).as_dict(private=True)), "without its private part"),
        (public_of(ECKey.generate_key("P-384")), "P-256, Ed25519, or RSA"),
        (public_of(OKPKey.generate_key("Ed448")), "P-256, Ed25519, or RSA"),
        (public_of(OKPKey.generate_key("X25519")), "P-256, Ed25519, or RSA"),
        (EC | {"use": "enc"}, "P-256, Ed25519, or RSA"),
        (EC | {"alg": "HS256"}, "P-256, Ed25519, or RSA"),
        (EC | {"alg": "none"}, "P-256, Ed25519, or RSA"),
        (EC | {"kid": 1}, "P-256, Ed25519, or RSA"),
        (EC | {"x": "AAAA"}, "P-256, Ed25519, or RSA"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "P-256, Ed25519, or RSA"),
        ({"kty": "RSA", "n": "!", "e": "AQAB"}, "P-256, Ed25519, or RSA"),
        ({"kty": "RSA", "n": "A" * 4000, "e": "AQAB"}, "P-256, Ed25519, or RSA"),
        ({}, "P-256, Ed25519, or RSA"),
    ],
)
def test_a_key_that_no_assertion_may_be_signed_with_is_refused(key: dict[str, Any], why: str) -> None:
    assert why in faults(**SIGNS, keys=(key,))["/jwks/keys/0"]

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.keys.signing_keys import SigningKey, VerifyingKey


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_both_halves_come_back_from_their_jwks(algorithm: str) -> None:
    made = SigningKey.generate(algorithm)
    signing = SigningKey.load(made.kid, algorithm, made.private())
    verifying = VerifyingKey.load(made.kid, algorithm, made.public())
    assert verifying.verify(b"message", signing.sign(b"message"))
    assert not verifying.verify(b"another", signing.sign(b"message"))


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_a_public_half_keeps_nothing_private_even_of_a_private_jwk(algorithm: str) -> None:
    made = SigningKey.generate(algorithm)
    verifying = VerifyingKey.load(made.kid, algorithm, made.private() | {"use": "sig", "note": "x"})
    assert verifying.public == made.public()
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & verifying.public.keys()
    for secret in (made.private()[name] for name in ("d", "p", "q") if name in made.private()):
        assert secret not in repr(made) + repr(verifying) + str(made.public())


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("EdDSA", OKPKey.generate_key("Ed448")),
        ("EdDSA", OKPKey.generate_key("X25519")),
        ("EdDSA", ECKey.generate_key("P-256")),
        ("ES256", ECKey.generate_key("P-384")),
        ("ES256", ECKey.generate_key("secp256k1")),
        ("ES256", OKPKey.generate_key("Ed25519")),
        ("RS256", ECKey.generate_key("P-256")),
        ("HS256", OKPKey.generate_key("Ed25519")),
        ("none", OKPKey.generate_key("Ed25519")),
    ],
)
def test_a_key_of_another_kind_is_refused(algorithm: str, key: OKPKey | ECKey) -> None:
    with pytest.raises(ValueError, match="not a key for"):
        VerifyingKey.load(key.thumbprint(), algorithm, dict(key.as_dict(private=False)))


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.warns(SecurityWarning):
        short = RSAKey.generate_key(1024)
    with pytest.raises(ValueError, match="2048 to 8192 bits"):
        VerifyingKey.load(short.thumbprint(), "RS256", dict(short.as_dict(private=False)))


def test_a_key_under_another_id_is_refused() -> None:
    one, other = SigningKey.generate("EdDSA"), SigningKey.generate("EdDSA")
    with pytest.raises(ValueError, match="thumbprint"):
        VerifyingKey.load(one.kid, "EdDSA", other.public())

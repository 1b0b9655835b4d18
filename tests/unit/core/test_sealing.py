import hashlib
import hmac

import pytest

from app.core.sealing import BrokenSealError, Sealer, derive


def test_a_key_is_the_hkdf_of_the_secret_for_its_purpose() -> None:
    """RFC 5869, section 2, by hand; one block is all that 32 bytes need."""
    pseudorandom = hmac.digest(bytes(32), b"secret", hashlib.sha256)
    assert derive("secret", "x") == hmac.digest(pseudorandom, b"roster x\x01", hashlib.sha256)
    assert len({derive("secret", "x"), derive("secret", "y"), derive("other", "x")}) == 3


def test_what_is_sealed_comes_back_and_looks_different_each_time() -> None:
    sealer = Sealer("secret", "x")
    sealed = sealer.seal(b"content", b"name")
    assert Sealer("secret", "x").open(sealed, b"name") == b"content"
    assert b"content" not in sealed
    assert sealer.seal(b"content", b"name") != sealed


@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 11, b"x" * 12, b"x" * 64])
def test_what_was_not_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(BrokenSealError):
        Sealer("secret", "x").open(sealed, b"name")


def test_a_seal_is_for_its_secret_its_purpose_and_its_name() -> None:
    sealed = Sealer("secret", "x").seal(b"content", b"name")
    for sealer, name in [
        (Sealer("other", "x"), b"name"),
        (Sealer("secret", "y"), b"name"),
        (Sealer("secret", "x"), b"another"),
    ]:
        with pytest.raises(BrokenSealError):
            sealer.open(sealed, name)
    with pytest.raises(BrokenSealError):
        Sealer("secret", "x").open(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"name")

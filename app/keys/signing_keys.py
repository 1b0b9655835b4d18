"""The two halves of a signing key. A key has one algorithm, whatever a token's header says.

PS256 and Ed25519 are not for our own keys: clients sign their assertions by them.
"""

from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from app.core import sealing

_Key = OKPKey | ECKey | RSAKey

_ALGORITHMS: dict[str, JWSAlgModel] = {
    "EdDSA": JWSRegistry.algorithms["Ed25519"],  # RFC 9864's name, which excludes Ed448
    "ES256": JWSRegistry.algorithms["ES256"],
    "RS256": JWSRegistry.algorithms["RS256"],
    "PS256": JWSRegistry.algorithms["PS256"],
    "Ed25519": JWSRegistry.algorithms["Ed25519"],
}
_TYPES: dict[str, type[_Key]] = {
    "EdDSA": OKPKey, "ES256": ECKey, "RS256": RSAKey, "PS256": RSAKey, "Ed25519": OKPKey,
}  # fmt: skip
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e")
_RSA_BITS = 3072  # 128 bits of security, as ASVS V11.2.3 asks
_FEWEST_RSA_BITS = 2048  # RFC 7518, section 3.3
_MOST_RSA_BITS = 8192


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    kid: str
    algorithm: str
    public: dict[str, Any]
    """Only the public members of the JWK."""
    _key: _Key = field(repr=False)

    @classmethod
    def load(cls, kid: str, algorithm: str, jwk: dict[str, Any]) -> Self:
        """Our own key. ValueError as `load_foreign`, and if the JWK has another thumbprint."""
        loaded = cls.load_foreign(kid, algorithm, jwk)
        if loaded.thumbprint != kid:
            raise ValueError("the key id is not the thumbprint of the key")
        return loaded

    @classmethod
    def load_foreign(cls, kid: str, algorithm: str, jwk: dict[str, Any]) -> Self:
        """A key of others. ValueError if the JWK is no key for the algorithm, too short or too long."""
        public = {name: jwk[name] for name in _PUBLIC_MEMBERS if name in jwk}
        _check_size(public)
        return cls(kid, algorithm, public, _load(algorithm, public))

    @property
    def thumbprint(self) -> str:
        return self._key.thumbprint()

    def verify(self, message: bytes, signature: bytes) -> bool:
        return _ALGORITHMS[self.algorithm].verify(message, signature, self._key)


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    algorithm: str
    _key: _Key = field(repr=False)

    @classmethod
    def generate(cls, algorithm: str) -> Self:
        """A new key; takes up to a second for RS256: call it in a thread."""
        key: _Key
        if algorithm == "RS256":
            key = RSAKey.generate_key(_RSA_BITS)
        elif algorithm == "ES256":
            key = ECKey.generate_key("P-256")
        else:
            key = OKPKey.generate_key("Ed25519")
        return cls(key.thumbprint(), algorithm, key)

    @classmethod
    def load(cls, kid: str, algorithm: str, jwk: dict[str, Any]) -> Self:
        """Takes a tenth of a second for RS256, whose primes are checked: call it in a thread."""
        return cls(kid, algorithm, _load(algorithm, jwk))

    def sign(self, message: bytes) -> bytes:
        return _ALGORITHMS[self.algorithm].sign(message, self._key)

    def sign_jwt(self, typ: str, claims: dict[str, Any]) -> str:
        """A JWT in compact form; its header has exactly these three members."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": typ}
        signed = ".".join(sealing.encode(orjson.dumps(part)) for part in (header, claims))
        return f"{signed}.{sealing.encode(self.sign(signed.encode()))}"

    def public(self) -> dict[str, Any]:
        return dict(self._key.as_dict(private=False))

    def private(self) -> dict[str, Any]:
        """The private JWK, which must be sealed."""
        return dict(self._key.as_dict(private=True))


def _load(algorithm: str, jwk: dict[str, Any]) -> _Key:
    try:
        key = _TYPES[algorithm].import_key(jwk)
        _ALGORITHMS[algorithm].check_key(key)
    except (JoseError, KeyError, TypeError) as error:
        raise ValueError(f"not a key for {algorithm}") from error
    return key


def _check_size(jwk: dict[str, Any]) -> None:
    """ValueError for an RSA key that is too short, or so long that it would hold us up."""
    if "n" in jwk and not _FEWEST_RSA_BITS <= 8 * len(sealing.decode(jwk["n"])) <= _MOST_RSA_BITS:
        raise ValueError(f"an RSA key must have {_FEWEST_RSA_BITS} to {_MOST_RSA_BITS} bits")

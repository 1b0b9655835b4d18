"""Keys derived from the service's one secret, one for each purpose, and values sealed under them."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class BrokenSealError(Exception):
    """The value was sealed under another secret or for another name, or is damaged."""


def derive(secret: str, purpose: str) -> bytes:
    """32 bytes by HKDF-SHA256 (RFC 5869) without salt: the secret is random and long already."""
    info = b"roster " + purpose.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())


class Sealer:
    """Seals values with AES-256-GCM; a value sealed for one name opens for no other."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._cipher = AESGCM(derive(secret, purpose))

    def seal(self, content: bytes, name: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            raise BrokenSealError from None

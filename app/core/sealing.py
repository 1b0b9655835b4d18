"""Keys derived from the service's one secret, values sealed under them, and base64url read strictly.

One text stands for one content: no second spelling of a token, a JWE or a cursor gets past a check.
"""

import base64
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core import strict_json
from app.core.errors import MalformedJSONError

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

    def seal(self, content: bytes, name: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, name)

    def open(self, sealed: bytes, name: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name)
        except (InvalidTag, ValueError):
            raise BrokenSealError from None


def encode(content: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """ValueError where it is not the one base64url of its content, or has none."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if not content or encode(content) != text:  # padding, `+` and `/`, and bits past the last byte
        raise ValueError("not base64url")
    return content


def split(text: str, count: int) -> list[bytes]:
    """The parts of a compact serialisation (RFC 7515, RFC 7516), decoded. Bound the length before.

    ValueError unless there are `count` of them.
    """
    parts = text.split(".")
    if len(parts) != count:
        raise ValueError("not a compact serialisation")
    return [decode(part) for part in parts]


def read_object(content: bytes) -> dict[str, Any]:
    """ValueError where it is no strict JSON object; duplicate members, NaN, huge integers count."""
    try:
        value = strict_json.parse(content)
    except MalformedJSONError:
        raise ValueError("not strict JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  (the caller's data, not our types)
    return value

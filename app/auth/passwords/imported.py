"""Hashes from other systems: the formats that can be verified, and bounds on their cost.

Every hash is checked to the last bit beforehand: a library that gives up on one at once would reveal by its
speed that the account exists.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

import bcrypt
from pwdlib.hashers.argon2 import Argon2Hasher

from app.auth.passwords.text import encode
from app.core.errors import FieldError, InvalidError

MAX_ITERATIONS = 5_000_000
MAX_MEMORY_KIB = 1_048_576
MAX_PASSES = 20
MAX_LANES = 16

_TAKEN = (
    "Must be a hash of bcrypt ($2a$, $2b$ or $2y$, cost 4 to 15), of Argon2 in PHC form (at most 1 GiB, "
    "t=20, p=16), or of PBKDF2 with SHA-1, SHA-256 or SHA-512 as Django or passlib writes it (at most "
    f"{MAX_ITERATIONS} iterations)."
)
_LONGEST = 512
_BCRYPT_BYTES = 72
"""bcrypt reads no more; cutting a longer password would accept all with the same beginning."""

_BCRYPT = re.compile(
    r"\$2[aby]\$(?:0[4-9]|1[0-5])\$"
    r"[./A-Za-z0-9]{21}[.Oeu]"  # 128 bits of salt: the last character holds two of them
    r"[./A-Za-z0-9]{30}[.CGKOSWaeimquy26]"  # 184 bits of hash: the last character holds four
)
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)(?:\$v=(?:16|19))?"
    r"\$m=(?P<memory>[1-9][0-9]{0,6}),t=(?P<passes>[1-9][0-9]?),p=(?P<lanes>[1-9][0-9]?)"
    r"\$(?P<salt>[A-Za-z0-9+/]+)\$(?P<sum>[A-Za-z0-9+/]+)"
)
_DJANGO = re.compile(
    r"pbkdf2_(?P<digest>sha1|sha256|sha512)\$(?P<iterations>[1-9][0-9]{0,6})"
    r"\$(?P<salt>[^$]+)\$(?P<sum>[A-Za-z0-9+/]+)=*"
)
_PASSLIB = re.compile(
    r"\$pbkdf2(?:-(?P<digest>sha256|sha512))?\$(?P<iterations>[1-9][0-9]{0,6})"
    r"\$(?P<salt>[A-Za-z0-9./]+)\$(?P<sum>[A-Za-z0-9./]+)"
)

_argon2 = Argon2Hasher()
_Verify = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class _PBKDF2:
    digest: str
    iterations: int
    salt: bytes
    sum: bytes

    def is_sound(self) -> bool:
        length = hashlib.new(self.digest, usedforsecurity=False).digest_size
        return len(self.sum) == length and self.iterations <= MAX_ITERATIONS

    def verify(self, password: bytes) -> bool:
        made = hashlib.pbkdf2_hmac(self.digest, password, self.salt, self.iterations)
        # HMAC pads a short key with zeros (RFC 2104), so that a password with a zero more would match, too.
        return hmac.compare_digest(made, self.sum) and b"\0" not in password


def check_importable(hashed: str, *, pointer: str) -> None:
    """Raise `InvalidError`, which says at `pointer` what is accepted, unless `verify` can read `hashed`."""
    if not is_readable(hashed):
        raise InvalidError(
            "The hash of the password cannot be imported.", errors=(FieldError(_TAKEN, pointer=pointer),)
        )


def is_readable(hashed: str) -> bool:
    return _read(hashed) is not None


def verify(password: str, hashed: str) -> bool:
    """Verify in constant time; False for an unreadable hash. Heavy: call it in a thread."""
    matches = _read(hashed)
    return matches is not None and matches(encode(password))


def _read(hashed: str) -> _Verify | None:
    if len(hashed) > _LONGEST or not hashed.isprintable():
        return None
    return _read_bcrypt(hashed) or _read_argon2(hashed) or _read_django(hashed) or _read_passlib(hashed)


def _read_bcrypt(hashed: str) -> _Verify | None:
    if not _BCRYPT.fullmatch(hashed):
        return None

    def matches(password: bytes) -> bool:
        same = bcrypt.checkpw(password[:_BCRYPT_BYTES], hashed.encode())
        return same and len(password) <= _BCRYPT_BYTES

    return matches


def _read_argon2(hashed: str) -> _Verify | None:
    if not (found := _ARGON2.fullmatch(hashed)):
        return None
    memory, passes, lanes = int(found["memory"]), int(found["passes"]), int(found["lanes"])
    salt, checksum = _decode(found["salt"]), _decode(found["sum"])
    sound = (
        8 * lanes <= memory <= MAX_MEMORY_KIB
        and passes <= MAX_PASSES
        and lanes <= MAX_LANES
        and 8 <= len(salt) <= 64  # noqa: PLR2004 RFC 9106, section 3.1, and a bound
        and 16 <= len(checksum) <= 64  # noqa: PLR2004 fewer can match by chance
    )
    return (lambda password: _argon2.verify(password, hashed)) if sound else None


def _read_django(hashed: str) -> _Verify | None:
    if not (found := _DJANGO.fullmatch(hashed)):
        return None
    checksum = _decode(found["sum"])
    return _sound(_PBKDF2(found["digest"], int(found["iterations"]), encode(found["salt"]), checksum))


def _read_passlib(hashed: str) -> _Verify | None:
    if not (found := _PASSLIB.fullmatch(hashed)):
        return None
    salt, checksum = (_decode(found[part].replace(".", "+")) for part in ("salt", "sum"))
    if not salt:
        return None
    return _sound(_PBKDF2(found["digest"] or "sha1", int(found["iterations"]), salt, checksum))


def _sound(hashed: _PBKDF2) -> _Verify | None:
    return hashed.verify if hashed.is_sound() else None


def _decode(text: str) -> bytes:
    """Decoded base64 without padding; empty unless the text is its canonical encoding."""
    if len(text) % 4 == 1:
        return b""
    raw = base64.b64decode(text + "=" * (-len(text) % 4))
    return raw if base64.b64encode(raw).decode().rstrip("=") == text else b""

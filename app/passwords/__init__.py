"""Passwords: their hashes, and the hashes that other systems made."""

from app.passwords.hashing import Passwords, Verdict
from app.passwords.imported import check_importable

__all__ = ["Passwords", "Verdict", "check_importable"]

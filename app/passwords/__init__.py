"""Passwords: the hashes that other systems made."""

from app.passwords.imported import check_importable

__all__ = ["check_importable"]

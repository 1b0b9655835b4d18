"""Passwords: which are good enough, their hashes, and the hashes that other systems made."""

from app.passwords.hashing import Passwords, Verdict
from app.passwords.imported import check_importable
from app.passwords.policy import check as check_policy
from app.passwords.pool import AtTurn

__all__ = ["AtTurn", "Passwords", "Verdict", "check_importable", "check_policy"]

"""Passwords: their policy, their hashes, and hashes from other systems."""

from app.auth.passwords.hashing import Cost, Passwords, Verdict
from app.auth.passwords.imported import check_importable
from app.auth.passwords.policy import check as check_policy
from app.auth.passwords.pool import AtTurn

__all__ = ["AtTurn", "Cost", "Passwords", "Verdict", "check_importable", "check_policy"]

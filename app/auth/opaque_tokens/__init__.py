"""Opaque tokens: named, scoped and expiring, in MongoDB as hashes; Redis pins the sessions of used ones."""

from app.auth.opaque_tokens.opaque_tokens import OpaqueTokens
from app.auth.opaque_tokens.token_text import OpaqueToken, read

__all__ = ["OpaqueToken", "OpaqueTokens", "read"]

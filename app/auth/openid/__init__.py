"""OpenID Connect: ID tokens, what clients are told of a user, and signing out by a client."""

from app.auth.openid.id_tokens import Hint, IdTokens
from app.auth.openid.logouts import Logout, Logouts

__all__ = ["Hint", "IdTokens", "Logout", "Logouts"]

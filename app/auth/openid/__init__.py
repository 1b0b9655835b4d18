"""OpenID Connect: what clients are told of a user, and signing out by a client."""

from app.auth.openid.logouts import Logout, Logouts

__all__ = ["Logout", "Logouts"]

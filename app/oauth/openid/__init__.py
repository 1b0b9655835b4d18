"""OpenID Connect: what clients are told of a user, and signing out by a client."""

from app.oauth.openid.logouts import Logout, Logouts

__all__ = ["Logout", "Logouts"]

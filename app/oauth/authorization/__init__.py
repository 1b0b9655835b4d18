"""The authorization endpoint (RFC 6749, section 3.1): validated requests, and what they are answered."""

from app.oauth.authorization.authorization import Authorization
from app.oauth.authorization.flow import Flow
from app.oauth.authorization.redirects import Redirect

__all__ = ["Authorization", "Flow", "Redirect"]

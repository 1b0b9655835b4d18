"""The authorization endpoint (RFC 6749, section 3.1): validated requests, and what they are answered."""

from app.auth.authorization.authorization import Authorization
from app.auth.authorization.flow import Flow
from app.auth.authorization.redirects import Redirect

__all__ = ["Authorization", "Flow", "Redirect"]

"""OAuth clients: what is registered of them, how they authenticate, and where they may send browsers."""

from app.auth.clients.assertions import ALGORITHMS
from app.auth.clients.assertions import TYPE as ASSERTION_TYPE
from app.auth.clients.client import BUILT_IN, Client, NewClient, stored
from app.auth.clients.clients import Clients, find_registrations
from app.auth.clients.redirects import matches, redirect_matches

__all__ = [
    "ALGORITHMS",
    "ASSERTION_TYPE",
    "BUILT_IN",
    "Client",
    "Clients",
    "NewClient",
    "find_registrations",
    "matches",
    "redirect_matches",
    "stored",
]

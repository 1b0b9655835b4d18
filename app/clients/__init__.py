"""OAuth clients: what is registered of them, how they authenticate, and where they may send browsers."""

from app.clients.assertions import ALGORITHMS
from app.clients.assertions import TYPE as ASSERTION_TYPE
from app.clients.client import BUILT_IN, BUILT_INS, CONSOLE, Client, NewClient, stored
from app.clients.clients import Clients, find_registrations
from app.clients.redirects import is_assured, matches, redirect_matches

__all__ = [
    "ALGORITHMS",
    "ASSERTION_TYPE",
    "BUILT_IN",
    "BUILT_INS",
    "CONSOLE",
    "Client",
    "Clients",
    "NewClient",
    "find_registrations",
    "is_assured",
    "matches",
    "redirect_matches",
    "stored",
]

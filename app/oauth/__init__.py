"""OAuth and OpenID Connect: what clients do for their users and as themselves, and how they register."""

from app.oauth.client_identity import identify_client
from app.oauth.client_registrations import Registered, change_itself, register_itself, remove_itself
from app.oauth.device_grants import begin_device
from app.oauth.inspection import introspect, revoke
from app.oauth.oauth import OAuth
from app.oauth.services import change_client, create_client_token, remove_client

__all__ = [
    "OAuth",
    "Registered",
    "begin_device",
    "change_client",
    "change_itself",
    "create_client_token",
    "identify_client",
    "introspect",
    "register_itself",
    "remove_client",
    "remove_itself",
    "revoke",
]

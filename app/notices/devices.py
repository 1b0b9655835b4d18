"""Devices: what a browser or program calls itself, and the network that it comes from.

A device is remembered as a keyed hash for as long as it signs in now and then, so that a sign-in from another
one can be told to the user.
"""

import hmac
import ipaddress
import re
from datetime import timedelta

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core import sealing
from app.core.clock import now
from app.core.mongo import AWARE, Database
from models.session import KnownDevice

_REMEMBERED = timedelta(days=180)
_NOTED_EACH = timedelta(days=1)
_PREFIX = {4: 24, 6: 48}
"""The part of an address that stays with a household or a company, by version."""
_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
"""As they stand in agents; each claims to be those that follow, too."""
_CALLED = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,31}")


def name_device(agent: str) -> str:
    """What people call it: "Firefox, Linux", or "curl"; empty where the agent says nothing."""
    found = next((name for name in _BROWSERS if f"{name}/" in agent), None)
    if found is None:
        product = _PRODUCT.match(agent)
        return product[0] if product else ""
    system = next((name for name in _SYSTEMS if name in agent), None)
    return ", ".join(filter(None, (_CALLED.get(found, found), system)))


class Devices:
    def __init__(self, database: Database, secret: str) -> None:
        self._devices = database.get_collection(KnownDevice.Settings.name, codec_options=AWARE)
        self._key = sealing.derive(secret, "known devices")

    def place(self, user_id: str, address: str, agent: str) -> str:
        """The id under which this device of the user is remembered; a newer version is no other device."""
        parts = "\n".join((user_id, name_device(agent), _network(address)))
        return hmac.digest(self._key, parts.encode(), "sha256").hex()

    async def is_known(self, place: str) -> bool:
        """Whether it signed in within the last day, so that nothing need be noted."""
        lately = now() + _REMEMBERED - _NOTED_EACH
        return await self._devices.find_one({"_id": place, "expires_at": {"$gt": lately}}) is not None

    async def note(self, user_id: str, place: str, session: AsyncClientSession) -> bool:
        """Whether it is new, and not the first that the user is known to have."""
        whom = ObjectId(user_id)
        has_others = await self._devices.find_one({"user": whom}, {"_id": 1}, session=session) is not None
        kept = {"user": whom, "expires_at": now() + _REMEMBERED}
        noted = await self._devices.update_one({"_id": place}, {"$set": kept}, upsert=True, session=session)
        return noted.upserted_id is not None and has_others


def _network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((known, _PREFIX[known.version]), strict=False))

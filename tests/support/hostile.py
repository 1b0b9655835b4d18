"""Values that pages must show as text, in all that the service has stored."""

from collections.abc import Mapping
from typing import Any, Final

from bson import ObjectId, encode
from pymongo import MongoClient

HOSTILE: Final = {
    "Zq0X": '"><img src=x onerror="window.ran=1"><script>window.ran=1</script>',
    "Zq1X": "javascript:window.ran=1//",
    "Zq2X": "\u202e\u2066user\u2067 \u200fgnirts",
    "Zq3X": "W" * 10_000,
}
"""Markup, an address that runs, controls of direction without their ends, a word longer than any line: each
in the place of a marker, which the API takes everywhere."""
ELSEWHERE: Final = "http://elsewhere.example/picture.png"


def make_hostile(uri: str) -> int:
    """Put the hostile values where a marker is, past all checks; in how many documents."""
    with MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        count = 0
        for name in database.list_collection_names():
            for document in [each for each in database[name].find() if b"Zq" in encode(each)]:
                database[name].replace_one({"_id": document["_id"]}, _put(document, HOSTILE))
                count += 1
        return count


def remove_hostile(uri: str) -> None:
    """All documents that hold such values."""
    with MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            for document in database[name].find():
                if _put(document, dict.fromkeys(HOSTILE.values(), "")) != document:
                    database[name].delete_one({"_id": document["_id"]})


def refuse_nothing(uri: str, user_id: str, marker: str) -> None:
    """Put the value into those fields of a user that take no marker."""
    value = HOSTILE[marker]
    fields = dict.fromkeys(("phone", "locale", "last_login_ip"), value)
    avatar = value if value.startswith("javascript:") else ELSEWHERE
    with MongoClient[dict[str, Any]](uri) as client:
        users = client.get_default_database()["users"]
        users.update_one({"_id": ObjectId(user_id)}, {"$set": fields | {"avatar_url": avatar}})


def _put(value: Any, others: Mapping[str, str]) -> Any:
    """With others in the place of all texts that hold one of these."""
    if isinstance(value, str):
        return next((other for marker, other in others.items() if marker in value), value)
    if isinstance(value, dict):
        return {key: _put(held, others) for key, held in value.items()}
    return [_put(held, others) for held in value] if isinstance(value, list) else value

"""Uploads straight to the bucket: announced, sent, and as they are a day later."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
from bson import ObjectId

from app.files.s3 import SIGNED
from models.file import BUCKETS, FileKind
from tests.support.servers import S3Server
from tests.support.signatures import ask
from tests.support.users import database


async def announce(client: httpx.AsyncClient, uploads: str, content: bytes, **more: Any) -> dict[str, Any]:
    said = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest().upper()}
    reply = await client.post(uploads, json=said, **more)
    assert reply.status_code == 201, reply.text
    return cast("dict[str, Any]", reply.json())


async def send(offer: dict[str, Any], content: bytes) -> None:
    assert (await ask("PUT", offer["url"], content=content)).status_code == 200


def keys_of(server: S3Server, offer: dict[str, Any]) -> set[str]:
    return {key for key in server.list_keys() if key.endswith(offer["id"])}


async def expire(client: httpx.AsyncClient, kind: FileKind, offer: dict[str, Any]) -> None:
    """As if a day had gone by."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    changes = {"$set": {"metadata.expires_at": past}}
    await database(client)[f"{BUCKETS[kind]}.files"].update_one({"_id": ObjectId(offer["id"])}, changes)


async def age(client: httpx.AsyncClient, kind: FileKind, offer: dict[str, Any]) -> None:
    """As if its URL had ended."""
    past = datetime.now(UTC) - SIGNED["PUT"]
    changes = {"$set": {"uploadDate": past}}
    await database(client)[f"{BUCKETS[kind]}.files"].update_one({"_id": ObjectId(offer["id"])}, changes)

"""Signed URLs: used without a token, and their signatures made again as Amazon describes it."""

import hashlib
import hmac
import logging
from functools import reduce
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx

SECRET = "the-secret-of-that-key"


def is_signed(url: str, method: str, *, secret: str = SECRET) -> bool:
    """Whether the signature is that of this method, host, path and query; moto does not look at it."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    signature = query.pop("X-Amz-Signature")
    listed = urlencode(sorted(query.items()), quote_via=quote, safe="")
    asked = "\n".join((method, parts.path, listed, f"host:{parts.netloc}\n", "host", "UNSIGNED-PAYLOAD"))
    scope = query["X-Amz-Credential"].split("/")[1:]
    hashed = hashlib.sha256(asked.encode()).hexdigest()
    said = "\n".join(("AWS4-HMAC-SHA256", query["X-Amz-Date"], "/".join(scope), hashed))
    key = reduce(lambda key, part: hmac.digest(key, part.encode(), "sha256"), scope, f"AWS4{secret}".encode())
    return hmac.digest(key, said.encode(), "sha256").hex() == signature


async def ask(method: str, url: str, **more: Any) -> httpx.Response:
    """The reply to a client that knows no token, and whose own log must not tell the URL to the suite's."""
    logger = logging.getLogger("httpx")
    logger.disabled = True
    try:
        async with httpx.AsyncClient() as client:
            return await client.request(method, url, **more)
    finally:
        logger.disabled = False

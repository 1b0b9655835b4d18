"""The values of replies, with bounds for the OpenAPI document.

Replies are written from stored rows without these models, so the bounds are enforced where the values come
from: in requests, or where the service makes them. Rows that other programs wrote are only checked for types
(`app.users.rows`), so the bounds of a user's own values refuse nothing here.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from models.values import ALL_SCOPES, CELL_LENGTH, PLAIN

MOST = 2**63 - 1
"""The largest stored number (BSON's int64)."""


def shown(*examples: Any, extra: Literal["ignore", "forbid"] = "ignore") -> ConfigDict:
    """A model's configuration, with examples for the document."""
    return ConfigDict(extra=extra, json_schema_extra={"examples": [*examples]})


def _held(*, pattern: str = PLAIN, longest: int) -> Any:
    """The bounds of a user's value in requests, for the document only."""
    return Field(json_schema_extra={"pattern": pattern, "maxLength": longest})


Id = Annotated[str, Field(pattern="^[0-9a-f]{24}$", max_length=24)]
Moment = Annotated[datetime, Field(json_schema_extra={"maxLength": 27})]
"""A time in UTC, with microseconds at most."""
Sentence = Annotated[str, Field(pattern=PLAIN, max_length=500)]
"""A sentence of ours, as `app.http.problems` bounds it."""
Sid = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$", max_length=43)]
"""The id of a session in a list, as `app.auth.sessions` makes it."""
GrantSid = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}(~[A-Za-z0-9_-]{16})?$", max_length=60)]
"""The same, or that of a grant within a browser session."""
ClientId = Annotated[str, Field(pattern="^[!-$&-*,-9;-~]{1,64}$", max_length=64)]
"""The id of a client, as in `app.clients`."""
Code = Annotated[str, Field(pattern="^[a-z_]+$", max_length=64)]
Path = Annotated[
    str, Field(pattern="^/[0-9a-z/_.-]*$", max_length=128, json_schema_extra={"format": "uri-reference"})
]
Pointer = Annotated[str, Field(pattern=r"^(/[^/\x00]*)*$", max_length=500)]
"""A JSON pointer (RFC 6901)."""
CURSOR = "^[A-Za-z0-9_-]*$"
Cursor = Annotated[str, Field(pattern=CURSOR, max_length=4096)]
"""URL-safe base64 without padding, no longer than is accepted."""
RequestId = Annotated[str, Field(pattern="^[A-Za-z0-9._-]*$", max_length=64)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", max_length=64)]
Token = Annotated[str, Field(pattern="^[A-Za-z0-9._~-]+$", max_length=8192)]
"""A token, compact and URL-safe, as `app.auth` makes and accepts it."""
URL = Annotated[str, Field(pattern="^https?://", max_length=2083, json_schema_extra={"format": "uri"})]
Text = Annotated[str, _held(longest=CELL_LENGTH)]
Line = Annotated[str, _held(longest=256)]
Username = Annotated[str, _held(longest=64)]
Email = Annotated[str, _held(longest=320)]
Phone = Annotated[str, _held(pattern=r"^\+[1-9][0-9]{6,14}$", longest=16)]
AvatarURL = Annotated[str, _held(longest=2048)]
Locale = Annotated[str, _held(pattern="^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$", longest=35)]
Address = Annotated[str, _held(pattern="^[0-9A-Za-z.:%_-]*$", longest=64)]
"""An IPv4 or IPv6 address."""
Tags = Annotated[
    list[Annotated[str, _held(pattern=r"^[^,;\x00-\x1f\x7f]+$", longest=64)]],
    Field(json_schema_extra={"maxItems": 50}),
]
Granted = Annotated[
    list[Annotated[str, Field(json_schema_extra={"enum": list(ALL_SCOPES)})]],
    Field(json_schema_extra={"maxItems": len(ALL_SCOPES)}),
]
ScopeLine = Annotated[str, Field(pattern="^([a-z:_]+( [a-z:_]+)*)?$", max_length=128)]
"""RFC 6749, section 3.3."""
Count = Annotated[int, Field(ge=0, le=MOST)]
Version = Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": MOST})]
Status = Annotated[int, Field(ge=200, le=599)]

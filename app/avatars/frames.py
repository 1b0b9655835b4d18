"""What the process of a picture replies: JSON after its length, then the squares.

JSON and not pickle, so that a picture that takes over its process gets no further.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, get_args

import orjson

from models.pictures import PictureForm

_FORMS: Final = get_args(PictureForm)
_LENGTH: Final = struct.Struct(">I")
GREEDY: Final = "The picture takes more memory or time than is allowed: send a smaller one."
LONGEST: Final = 4 * 2**20
"""The most bytes of a reply: four squares of noise have a fourth of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The squares of a picture, or why there are none: the code of an error, and its text."""

    form: PictureForm = "jpeg"
    squares: list[bytes] = field(default_factory=list)
    code: str | None = None
    detail: str = ""


def write(reply: Reply) -> bytes:
    lengths = [len(square) for square in reply.squares]
    head = orjson.dumps({"form": reply.form, "lengths": lengths, "code": reply.code, "detail": reply.detail})
    return b"".join((_LENGTH.pack(len(head)), head, *reply.squares))


def read(body: bytes) -> Reply | None:
    """None if it is not whole, longer than any, or none of ours."""
    try:
        return _parse(body) if len(body) <= LONGEST else None
    except (struct.error, ValueError, KeyError, TypeError):
        return None


def _parse(body: bytes) -> Reply | None:
    """ValueError, KeyError, TypeError: it was not made by `write`."""
    (place,) = _LENGTH.unpack_from(body)
    head = orjson.loads(body[_LENGTH.size : _LENGTH.size + place])
    place += _LENGTH.size
    squares: list[bytes] = []
    for size in head["lengths"]:
        squares.append(body[place : place + size])
        place += size
    form = _FORMS[_FORMS.index(head["form"])]
    return Reply(form, squares, head["code"], head["detail"]) if place == len(body) else None

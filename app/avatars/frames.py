"""Frames between a server and its drawing process: a length before each, and in a reply JSON before pictures.

JSON and not pickle, so that a picture that takes over its process gets no further.
"""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, Final, get_args

import orjson

from models.pictures import PictureForm

_FORMS: Final = get_args(PictureForm)
LENGTH: Final = struct.Struct(">I")
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
    """The reply, without its length: the process that drew is not trusted with that."""
    lengths = [len(square) for square in reply.squares]
    head = orjson.dumps({"form": reply.form, "lengths": lengths, "code": reply.code, "detail": reply.detail})
    return b"".join((LENGTH.pack(len(head)), head, *reply.squares))


def read(replies: BinaryIO) -> Reply | None:
    """The next reply, in its frame; None if it is not whole, longer than any, or none of ours."""
    try:
        (length,) = LENGTH.unpack(replies.read(LENGTH.size))
        body = replies.read(min(length, LONGEST))
        return _parse(body) if len(body) == length else None
    except (struct.error, ValueError, KeyError, TypeError):
        return None


def _parse(body: bytes) -> Reply:
    """ValueError, KeyError, TypeError: it was not made by `write`."""
    (place,) = LENGTH.unpack_from(body)
    head = orjson.loads(body[LENGTH.size : LENGTH.size + place])
    place += LENGTH.size
    squares: list[bytes] = []
    for size in head["lengths"]:
        squares.append(body[place : place + size])
        place += size
    form = _FORMS[_FORMS.index(head["form"])]
    return Reply(form, squares, head["code"], head["detail"])

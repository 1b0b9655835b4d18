"""Pictures to upload, and what came of them."""

import struct
import zlib
from io import BytesIO
from typing import Any, cast

import httpx
from PIL import Image

RED, BLUE = (254, 0, 0), (0, 0, 254)
Picture = Image.Image
_STRONG = 128


def encode(picture: Picture, form: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def halves(width: int = 600, height: int = 300) -> Picture:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


def many_scans(side: int, count: int) -> bytes:
    """A small progressive JPEG whose last scan comes again and again, each time through all pixels."""
    content = encode(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * count + content[-2:]


def bomb(side: int) -> bytes:
    """A small PNG of so many black pixels to each side, whose rows are packed once."""
    rows = bytes(1 + side // 8)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    part = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)
    check = struct.pack(">I", (side * len(rows) % 65_521) << 16 | 1)  # Adler-32 of nothing but zeros
    data = b"\x78\x9c" + part * side + packer.flush() + check
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def decode(content: bytes) -> Picture:
    with Image.open(BytesIO(content)) as picture:
        picture.load()
        return picture


def corners(picture: Picture) -> list[str]:
    """What is at the top left, top right and bottom left: `red`, `blue` or `other`."""
    far = picture.width - 3
    found = [picture.convert("RGB").getpixel(place) for place in ((2, 2), (far, 2), (2, far))]
    return [_name(cast("tuple[int, ...]", colour)) for colour in found]


def _name(colour: tuple[int, ...]) -> str:
    strong = "".join("x" if part > _STRONG else "-" for part in colour)
    return {"x--": "red", "--x": "blue"}.get(strong, "other")


async def upload(client: httpx.AsyncClient, user: dict[str, Any], content: bytes | None = None) -> str:
    """The URL of a picture that is uploaded for the user, as its path."""
    content = encode(halves(), "JPEG") if content is None else content
    reply = await client.put(
        f"/users/{user['id']}/avatar", content=content, headers={"Content-Type": "image/jpeg"}
    )
    assert reply.status_code == 200, reply.text
    url: str = reply.json()["avatar_url"]
    return httpx.URL(url).path

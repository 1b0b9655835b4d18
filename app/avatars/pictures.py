"""Pictures as they are uploaded, made into squares: upright, without metadata, and encoded anew.

Runs in the drawing process alone, which has limits: nothing else of Roster may decode a picture.
"""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import Final

from PIL import AvifImagePlugin, Image, ImageCms, ImageOps, UnidentifiedImageError

from app.avatars.frames import GREEDY
from models.pictures import SIZES, PictureForm

Squares = tuple[PictureForm, list[bytes]]
"""The form, and a picture in it for each of `SIZES`."""

_MOST_PIXELS: Final[Mapping[str, int]] = {
    "JPEG": 120_000_000,  # decoded at a fraction of its size
    "PNG": 12_500_000,
    "GIF": 12_500_000,
    "AVIF": 12_500_000,
    "WEBP": 8_000_000,  # which Pillow holds four times
}
"""Pixels by form, so that reading takes less than 200 MiB: the picture of a phone has up to 12.2 million."""
_MOST_PROGRESSIVE: Final = 40_000_000
"""Of a JPEG whose pixels come in several passes, and are held whole."""
_LARGEST: Final = max(SIZES)
_ORIENTATION: Final = 0x0112
"""The EXIF tag that says how to turn the picture."""
_WEBP_SIZES: Final[Mapping[bytes, tuple[int, int, int]]] = {
    b"VP8 ": (26, 16, 14),
    b"VP8L": (21, 14, 14),
    b"VP8X": (24, 24, 24),
}
"""By first chunk of a WebP (RFC 9649, section 2): where the width is, bits to the height, those of each."""
_SRGB: Final = ImageCms.createProfile("sRGB")
_OPAQUE: Final = (255, 255)

Image.MAX_IMAGE_PIXELS = None  # the limits above say more
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each further one would take its share of the address space
for _name in ("Gif", "Jpeg", "Mpo", "Png", "WebP"):
    import_module(f"PIL.{_name}ImagePlugin")  # now, not again in the process of each picture


class PictureError(Exception):
    """What is wrong with a picture; `code` is that of the error that tells the caller."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def draw(content: bytes) -> Squares:
    """The squares of an uploaded picture; PictureError if it cannot be read or is too large."""
    try:
        _check_webp(content)
        with Image.open(BytesIO(content), formats=tuple(_MOST_PIXELS)) as picture:
            _check(picture)
            return _encode(_square(picture))
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError("unreadable_picture", "The picture's header is damaged.") from None
    except MemoryError:
        raise PictureError("picture_too_large", GREEDY) from None
    except Exception as error:
        raise PictureError("unreadable_picture", "The picture is damaged, or ends too early.") from error


def warm_up() -> None:
    """Draw a small picture, so that a process has pages of its own by the time a large one comes."""
    out = BytesIO(_encode_one(Image.new("RGB", (_LARGEST, 1)), 64, "jpeg"))
    with Image.open(out) as picture:
        _encode_one(picture, 32, "jpeg")


def _check_webp(content: bytes) -> None:
    """Refuse a WebP by its header, give or take a row: opening it takes the memory of its pixels."""
    if content[8:12] == b"WEBP":
        place, apart, bits = _WEBP_SIZES.get(content[12:16], (0, 0, 0))
        sizes = int.from_bytes(content[place : place + 6], "little")
        _check_pixels(sizes % 2**bits * ((sizes >> apart) % 2**bits), _MOST_PIXELS["WEBP"])


def _check(picture: Image.Image) -> None:
    """Refuse by the header what would take too much; a JPEG is told to be decoded as small as will do."""
    form = "JPEG" if picture.format == "MPO" else str(picture.format)  # a JPEG that has more than one
    most = _MOST_PROGRESSIVE if picture.info.get("progressive") else _MOST_PIXELS[form]
    _check_pixels(picture.width * picture.height, most)
    picture.draft(None, (_LARGEST, _LARGEST))


def _check_pixels(pixels: int, most: int) -> None:
    if pixels > most:
        raise PictureError("picture_too_large", f"The picture may have at most {most:,} pixels.")


def _square(picture: Image.Image) -> Image.Image:
    """The middle of the first frame, as large as the largest square, upright, in sRGB."""
    orientation = _find_orientation(picture)
    profile = picture.info.get("icc_profile")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    middle = picture if side == max(picture.size) else picture.crop((left, top, left + side, top + side))
    middle = _convert(middle)
    small = middle.resize((_LARGEST, _LARGEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info.clear()
    small.getexif()[_ORIENTATION] = orientation
    upright = ImageOps.exif_transpose(small)
    return _to_srgb(upright, profile)


def _find_orientation(picture: Image.Image) -> int:
    """How the picture is to be turned; not at all where its EXIF is broken, which raises anything."""
    with suppress(Exception):
        return int(picture.getexif().get(_ORIENTATION, 1))
    return 1


def _convert(picture: Image.Image) -> Image.Image:
    """The same in RGB, or in RGBA where something may be transparent."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which `convert` would clip
        picture = picture.convert("I").point(lambda value: value / 257).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours that are right without the profile (Display P3 of phones); a bad one is ignored."""
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            own = ImageCms.ImageCmsProfile(BytesIO(profile))
            ImageCms.profileToProfile(picture, own, _SRGB, inPlace=True)
    return picture


def _encode(square: Image.Image) -> Squares:
    """JPEG where nothing is transparent, which is encoded fastest, else WebP."""
    if square.mode == "RGBA" and square.getchannel("A").getextrema() == _OPAQUE:
        square = square.convert("RGB")
    form: PictureForm = "jpeg" if square.mode == "RGB" else "webp"
    return form, [_encode_one(square, size, form) for size in SIZES]


def _encode_one(square: Image.Image, size: int, form: PictureForm) -> bytes:
    small = square if size == _LARGEST else square.resize((size, size), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, form, quality=85, method=2)
    return out.getvalue()

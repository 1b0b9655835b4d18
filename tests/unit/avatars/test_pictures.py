"""Pictures of every kind become upright squares without metadata, or are refused."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from app.avatars.pictures import PictureError, draw
from models.pictures import SIZES
from tests.support.pictures import corners, decode, encode, halves


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010E] = "a description that nobody else should see"
    made.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return made


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("AVIF", {"quality": 95}),
    ],
)
def test_a_picture_of_each_kind_becomes_a_square_of_its_middle_in_each_size(
    form: str, options: dict[str, Any]
) -> None:
    made, squares = draw(encode(halves(), form, **options))
    assert made == "jpeg"
    for size, square in zip(SIZES, squares, strict=True):
        picture = decode(square)
        assert (picture.format, picture.size) == ("JPEG", (size, size))
        assert corners(picture) == ["red", "blue", "red"]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_a_picture_in_each_mode_has_the_same_light(mode: str) -> None:
    grey = Image.new("L", (100, 100), 255).convert(mode)
    form = "JPEG" if mode == "CMYK" else "PNG"
    _, squares = draw(encode(grey, form))
    assert decode(squares[0]).getpixel((30, 30)) == (255, 255, 255)


def test_sixteen_bits_of_grey_are_not_clipped() -> None:
    _, squares = draw(encode(Image.new("I;16", (100, 100), 128 * 257), "PNG"))
    assert decode(squares[0]).getpixel((30, 30)) == (128, 128, 128)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_transparent_picture_stays_so_as_webp(mode: str) -> None:
    form, squares = draw(encode(Image.new("RGBA", (100, 100), (0, 0, 0, 40)).convert(mode), "PNG"))
    assert form == "webp"
    assert decode(squares[1]).mode == "RGBA"


def test_a_picture_that_could_be_transparent_and_is_not_becomes_a_jpeg() -> None:
    assert draw(encode(halves().convert("RGBA"), "PNG"))[0] == "jpeg"


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, ["red", "blue", "red"]),
        (2, ["blue", "red", "blue"]),
        (3, ["blue", "red", "blue"]),
        (4, ["red", "blue", "red"]),
        (5, ["red", "red", "blue"]),
        (6, ["red", "red", "blue"]),
        (7, ["blue", "blue", "red"]),
        (8, ["blue", "blue", "red"]),
    ],
)
def test_a_picture_is_turned_as_its_orientation_says(orientation: int, expected: list[str]) -> None:
    _, squares = draw(encode(halves(), "JPEG", exif=exif(orientation)))
    assert corners(decode(squares[2])) == expected


@pytest.mark.parametrize("broken", [b"no tags", b"II*\0", b"\xff\xff\xff\xff\0\0\0\x08"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_whose_exif_is_broken_stays_as_it_is(form: str, broken: bytes) -> None:
    _, squares = draw(encode(halves(), form, exif=b"Exif\0\0" + broken))
    assert corners(decode(squares[2])) == ["red", "blue", "red"]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_nothing_else_of_the_file_is_left(form: str) -> None:
    _, squares = draw(encode(halves(), form, exif=exif(1), xmp=b"<x:xmpmeta/>"))
    for square in squares:
        assert not decode(square).getexif()
        assert b"nobody else" not in square
        assert b"xmpmeta" not in square


def test_a_comment_and_a_script_after_the_picture_are_left_out() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "a secret", zip=True)
    _, squares = draw(encode(halves(), "PNG", pnginfo=texts) + b"<script>alert(1)</script>")
    assert all(b"script" not in square and b"secret" not in square for square in squares)


def test_of_an_animation_the_first_frame_is_taken() -> None:
    more = [Image.new("RGB", (600, 300), (0, 255, 0))] * 3
    for form in ("GIF", "WEBP", "PNG"):
        _, squares = draw(encode(halves(), form, save_all=True, append_images=more))
        assert corners(decode(squares[1])) == ["red", "blue", "red"], form


@pytest.mark.parametrize(("mode", "made"), [("RGB", "jpeg"), ("RGBA", "webp")])
def test_a_profile_is_applied_and_a_broken_one_is_ignored(mode: str, made: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    turned = srgb.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")
    picture = halves().convert(mode)
    if mode == "RGBA":
        picture.putalpha(254)
    for profile, left, right in (
        (srgb, "red", "blue"),
        (b"no profile", "red", "blue"),
        (turned, "blue", "red"),
    ):
        form, squares = draw(encode(picture, "PNG", icc_profile=profile))
        square = decode(squares[1])
        assert (form, square.mode) == (made, mode)
        assert corners(square) == [left, right, left]
        assert "icc_profile" not in square.info


@pytest.mark.parametrize(
    ("form", "side"), [("PNG", 3_600), ("GIF", 3_600), ("WEBP", 2_900), ("JPEG", 11_000)]
)
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(form: str, side: int) -> None:
    content = encode(Image.new("L", (side, side)), form)
    with pytest.raises(PictureError, match="may have at most") as raised:
        draw(content)
    assert raised.value.code == "picture_too_large"


@pytest.mark.parametrize(
    ("options", "place", "size"),
    [
        ({}, 26, b"\xff\x3f\xff\x3f"),
        ({"lossless": True}, 21, b"\xff\xff\xff\x0f"),
        ({"exif": exif(1)}, 24, b"\xff\x3f\x00\xff\x3f\x00"),
    ],
    ids=["lossy", "lossless", "extended"],
)
def test_a_webp_of_more_pixels_than_memory_can_hold_is_said_to_have_too_many(
    options: dict[str, Any], place: int, size: bytes
) -> None:
    content = encode(halves(), "WEBP", **options)
    with pytest.raises(PictureError, match="at most 8,000,000 pixels") as raised:
        draw(content[:place] + size + content[place + len(size) :])
    assert raised.value.code == "picture_too_large"


def test_a_progressive_picture_may_have_fewer_pixels() -> None:
    content = encode(Image.new("L", (6_400, 6_400)), "JPEG", progressive=True)
    with pytest.raises(PictureError, match="40,000,000"):
        draw(content)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_a_picture_that_ends_too_early_is_refused(form: str) -> None:
    noise = encode(Image.effect_noise((300, 300), 80).convert("RGB"), form)
    for part in (0.02, 0.5, 0.9):
        with pytest.raises(PictureError) as raised:
            draw(noise[: int(len(noise) * part)])
        assert raised.value.code == "unreadable_picture"


def test_what_is_no_picture_is_refused() -> None:
    for content in (b"", b"\xff\xd8\xff", BytesIO(b"<svg/>").getvalue(), b"GIF89a" + b"\xff" * 400):
        with pytest.raises(PictureError) as raised:
            draw(content)
        assert raised.value.code == "unreadable_picture"

"""Initials: of any name, and safe in SVG."""

import pytest

from app.avatars import initials


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ana Silva", "AS"),
        ("ana", "A"),
        ("Ludwig van Beethoven", "LB"),
        ("张伟", "张"),
        ("小中 同学", "小"),
        ("E\u0301mile Zola", "E\u0301Z"),
        ("(Ana) Silva", "S"),
        ("!!!", "!"),
        ("ß", "SS"),
    ],
)
def test_a_name_has_the_first_letters_of_its_first_and_last_word(name: str, expected: str) -> None:
    assert initials.find(name) == expected


def test_a_name_cannot_leave_its_place_in_the_svg() -> None:
    drawn = initials.draw("6742f0c1a5d3b8e9f0123456", "<script> &", 64).decode()
    assert "&lt;" in drawn
    assert "<script" not in drawn


def test_a_user_has_one_colour_at_each_size() -> None:
    small, large = (initials.draw("6742f0c1a5d3b8e9f0123456", "Ana", size) for size in (64, 512))
    assert small.replace(b'"64"', b"") != small
    assert small.split(b"fill=")[1] == large.split(b"fill=")[1]


def test_white_text_is_readable_on_every_colour() -> None:
    for colour in initials._COLOURS:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) >= 4.5, colour

from pathlib import Path
from typing import Any

import pytest

from app.core.errors import StartError
from app.core.settings import Settings
from app.pages import brand


def read(**settings: Any) -> brand.Brand:
    return brand.read(Settings(_env_file=None, **settings))


def refusal(**settings: Any) -> str:
    with pytest.raises(StartError) as refused:
        read(**settings)
    return str(refused.value)


def test_contrast_is_as_wcag_reckons_it() -> None:
    assert brand.find_contrast("#000000", "#ffffff") == pytest.approx(21)
    assert brand.find_contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert brand.find_contrast("#ffffff", "#ffffff") == 1


def test_a_colour_on_which_white_text_cannot_be_read_is_refused() -> None:
    assert refusal(brand_colour="#ffcc00") == (
        "ROSTER_BRAND_COLOUR=#ffcc00 has a contrast of 1.5 to the background of light pages (#ffffff): "
        "choose one with at least 4.5 to 1."
    )
    assert refusal(brand_colour_dark="#333333").startswith(
        "ROSTER_BRAND_COLOUR_DARK=#333333 has a contrast of"
    )


@pytest.mark.parametrize("colour", ["#000000", "#1f5fbf", "#7a0019", "#006644"])
def test_a_dark_colour_becomes_as_much_lighter_as_it_takes(colour: str) -> None:
    made = read(brand_colour=colour)
    assert made.colour == colour
    assert 4.5 <= brand.find_contrast(made.dark_colour, "#181c22") < 6


def test_both_colours_may_be_set() -> None:
    made = read(brand_colour="#006644", brand_colour_dark="#66ffcc")
    assert (made.colour, made.dark_colour) == ("#006644", "#66ffcc")


def test_a_logo_is_an_image_that_can_be_read_and_is_small(tmp_path: Path) -> None:
    for name, content in (("logo.gif", b"GIF"), ("large.png", b"x" * 65_537)):
        (tmp_path / name).write_bytes(content)
    assert refusal(brand_logo=tmp_path / "logo.gif") == (
        "ROSTER_BRAND_LOGO must be a file of these: .svg, .png, .webp, .jpg, .jpeg."
    )
    assert refusal(brand_logo=tmp_path / "large.png") == (
        "ROSTER_BRAND_LOGO has 65537 bytes, which each sign-in would load: at most 65536."
    )
    assert refusal(brand_logo=tmp_path / "none.png") == (
        f"ROSTER_BRAND_LOGO cannot be read (No such file or directory): {tmp_path / 'none.png'}."
    )

"""The brand: the name, logo and colours that an operator sets."""

from dataclasses import dataclass, field
from pathlib import Path

from app.core.errors import StartError
from app.core.settings import Settings

_BACKGROUNDS = {"light": "#ffffff", "dark": "#181c22"}
"""What the colours stand on, and the colour of the text on them: `--card` in style.css."""
_LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""
_LINEAR = 0.04045
_LARGEST = 64 * 1024
_MEDIA_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


@dataclass(frozen=True, slots=True)
class Logo:
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    logo: Logo | None
    colour: str
    dark_colour: str
    """For those who prefer dark pages."""


def read(settings: Settings) -> Brand:
    """StartError if a colour cannot be read on its background, or the logo is no image for pages."""
    colour, dark = settings.brand_colour, settings.brand_colour_dark or _lighten(settings.brand_colour)
    _check_contrast("ROSTER_BRAND_COLOUR", colour, "light")
    _check_contrast("ROSTER_BRAND_COLOUR_DARK", dark, "dark")
    logo = None if settings.brand_logo is None else _read_logo(settings.brand_logo)
    return Brand(settings.brand_name, logo, colour, dark)


def find_contrast(one: str, other: str) -> float:
    """The contrast of two colours, `#rrggbb`: from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _check_contrast(setting: str, colour: str, scheme: str) -> None:
    if (contrast := find_contrast(colour, _BACKGROUNDS[scheme])) < _LEAST_CONTRAST:
        raise StartError(
            f"{setting}={colour} has a contrast of {contrast:.1f} to the background of {scheme} pages "
            f"({_BACKGROUNDS[scheme]}): choose one with at least {_LEAST_CONTRAST} to 1."
        )


def _lighten(colour: str) -> str:
    """The colour, mixed with as much white as it takes to be read on dark pages."""
    mixed = (_mix(colour, white / 20) for white in range(21))
    return next(each for each in mixed if find_contrast(each, _BACKGROUNDS["dark"]) >= _LEAST_CONTRAST)


def _mix(colour: str, white: float) -> str:
    return "#" + "".join(f"{round(part + (255 - part) * white):02x}" for part in _parts(colour))


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    shares = [part / 255 for part in _parts(colour)]
    red, green, blue = (s / 12.92 if s <= _LINEAR else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> bytes:
    return bytes.fromhex(colour[1:])


def _read_logo(path: Path) -> Logo:
    media_type = _MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise StartError(f"ROSTER_BRAND_LOGO must be a file of these: {', '.join(_MEDIA_TYPES)}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StartError(f"ROSTER_BRAND_LOGO cannot be read ({error.strerror}): {path}.") from None
    if len(content) > _LARGEST:
        raise StartError(
            f"ROSTER_BRAND_LOGO has {len(content)} bytes, which each sign-in would load: at most {_LARGEST}."
        )
    return Logo(media_type, content)

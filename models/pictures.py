"""Sizes and forms of the pictures made of an uploaded one; apart, as the drawing process loads little."""

from typing import Final, Literal, get_args

Size = Literal[64, 128, 256, 512]
"""The pixels of each side."""
SIZES: Final[tuple[Size, ...]] = get_args(Size)
PictureForm = Literal["jpeg", "webp"]

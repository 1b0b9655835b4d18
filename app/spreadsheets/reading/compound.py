"""The names of streams in a compound file, which old Office documents and encrypted new ones are.

By [MS-CFB]: a header, a table that links sectors to chains, and a directory of 128 bytes an entry.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SHIFT: Final = struct.Struct("<30xH")
_HEADER: Final = struct.Struct("<48xI24x109I")
_LINK: Final = struct.Struct("<I")
_ENTRY: Final = struct.Struct("<64sH")
_SHIFTS: Final = frozenset({9, 12})
"""Of the two sizes of a sector."""
_MOST_SECTORS: Final = 64


def stream_names(file: BinaryIO) -> list[str]:
    """As many as can be read; an empty name is always among them."""
    names = {""}
    try:
        for sector in _directory(file):
            for place in range(0, len(sector), 128):
                name, size = _ENTRY.unpack_from(sector, place)
                names.add(name[: max(size - 2, 0)].decode("utf-16-le", "replace"))
    except struct.error:  # a file that was cut off
        pass
    return sorted(names)


def _directory(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    header = file.read(512)
    (shift,) = _SHIFT.unpack_from(header)
    sector, *tables = _HEADER.unpack_from(header)
    size = 1 << shift if shift in _SHIFTS else 512
    for _ in range(_MOST_SECTORS):
        file.seek((sector + 1) * size)
        yield file.read(size)
        table, link = divmod(sector, size // _LINK.size)
        if table >= len(tables):
            return
        file.seek((tables[table] + 1) * size + link * _LINK.size)
        (sector,) = _LINK.unpack(file.read(_LINK.size))

"""The encodings that a text file can be in by its bytes, among which nothing is guessed."""

import codecs
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from typing import BinaryIO, Final

from models.encodings import DOUBLE_BYTE, NAMES, UNICODE

BLOCK: Final = 64 * 1024
WINDOWS: Final = "windows"
"""The error handler for characters that Windows writes and Python's codecs do not know."""
_CODECS: Final = {
    "big5-hkscs": "big5hkscs",
    "windows-874": "cp874",
    **{f"windows-125{n}": f"cp125{n}" for n in range(9)},
}
_LATE_TRAILS: Final = bytes(range(0xA1, 0xFF))
_TRAILS: Final = bytes(range(0x40, 0x7F)) + _LATE_TRAILS
_OWN: Final = {
    "cp950": (
        (b"\xfa\x40", b"\xfe\xfe", 0xE000), (b"\x8e\x40", b"\xa0\xfe", 0xE311),
        (b"\x81\x40", b"\x8d\xfe", 0xEEB8),
    ),
    "cp949": ((b"\xc9\xa1", b"\xc9\xfe", 0xE000), (b"\xfe\xa1", b"\xfe\xfe", 0xE05E)),
}  # fmt: skip
"""Windows' user-defined characters, used in Taiwan for rare names: from, to, code point."""
ASCII: Final = bytes(range(0x80))
_NO_TEXT: Final = frozenset({"Cc", "Cn", "Co", "Cs"})
"""Controls, noncharacters and private-use characters."""


def codec(name: str) -> str:
    """Python's name of an encoding of ours."""
    return _CODECS.get(name, name)


def decoder(name: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(codec(name))(WINDOWS)


def decode(text: str, name: str) -> str:
    """Decode the bytes of a Latin-1 text in this encoding."""
    return text if text.isascii() else text.encode("latin-1").decode(codec(name), "replace")


def find_fits(file: BinaryIO) -> list[list[str]]:
    """The encodings in which the whole file is text, grouped by the same text."""
    groups: dict[str | bytes, list[str]] = {}
    used = bytes(sorted(_high_bytes(file)))
    for name in NAMES:
        if name not in UNICODE:
            text = _read_all(file, name) if name in DOUBLE_BYTE else _read_bytes(used, name)
            if text is not None:
                groups.setdefault(text, []).append(name)
    return list(groups.values())


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """The blocks of the file, from its start."""
    file.seek(0)
    while block := file.read(BLOCK):
        yield block


def is_text(letters: set[str]) -> bool:
    """Whether all of these beyond ASCII occur in texts."""
    return not any(unicodedata.category(each) in _NO_TEXT for each in letters if not each.isascii())


def _high_bytes(file: BinaryIO) -> set[int]:
    used: set[int] = set()
    for block in blocks(file):
        used.update(block.translate(None, ASCII))
    return used


def _read_bytes(used: bytes, name: str) -> str | None:
    """The characters of single bytes; None if one has none."""
    try:
        text = used.decode(codec(name))
    except UnicodeDecodeError:
        return None
    return text if is_text(set(text)) else None


def _read_all(file: BinaryIO, name: str) -> bytes | None:
    """A digest of the text; None if it is not text in this encoding."""
    reader, digest, letters = decoder(name), blake2b(digest_size=16), set[str]()
    try:
        for block in blocks(file):
            text = reader.decode(block)
            digest.update(text.encode())
            letters.update(text)
        reader.decode(b"", final=True)
    except UnicodeError:
        return None
    return digest.digest() if is_text(letters) else None


def _read_as_windows(error: UnicodeError) -> tuple[str, int]:
    """Decode what Python's codecs do not know: a euro sign, and user-defined characters."""
    if isinstance(error, UnicodeDecodeError):
        start = error.start
        pair = error.object[start : start + 2]
        if error.encoding == "gb18030" and pair[:1] == b"\x80":  # code page 936
            return "€", start + 1
        for first, last, place in _OWN.get(error.encoding, ()):
            if len(pair) != len(first) or not first <= pair <= last:
                continue
            if (offset := _count(first, pair)) is not None:
                return chr(place + offset), start + 2
    raise error


def _count(first: bytes, pair: bytes) -> int | None:
    """The number of characters between two pairs of bytes; None if the second is invalid."""
    trails = _TRAILS if first[1] == _TRAILS[0] else _LATE_TRAILS
    if pair[1] not in trails:
        return None
    return (pair[0] - first[0]) * len(trails) + trails.index(pair[1]) - trails.index(first[1])


codecs.register_error(WINDOWS, _read_as_windows)

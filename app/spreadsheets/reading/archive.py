"""The ZIP archive of a workbook: its parts as streams of bounded size.

Names in it are never used as paths. zipfile enforces the sizes of its directory: no part yields more bytes,
and one that is cut off fails its checksum.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Final

from app.core.errors import FileTooLargeError, UnreadableFileError, UnsupportedFileError
from app.spreadsheets.reading import foreign
from app.spreadsheets.reading.values import Limits

BLOCK: Final = 64 * 1024
_SMALL: Final = 8 * 2**20
"""A part with fewer bytes may be compressed to any degree."""
_MOST_PARTS: Final = 10_000
_LONGEST_DIRECTORY: Final = 2 * 2**20
_END: Final = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT: Final = 65_535
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""The errors of zipfile for a damaged archive."""
_CUT_OFF: Final = "The workbook is damaged or incomplete: save it again, and send all of it."


class Archive:
    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        self._inflated = 0
        _check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGE:
            raise UnreadableFileError(_CUT_OFF) from None
        self._parts = {_normalise(info.filename): info for info in self._zip.infolist()}
        if len(self._parts) < len(self._zip.infolist()):
            raise UnreadableFileError("The workbook has two parts with one name: save it again.")
        self._check()

    def __iter__(self) -> Iterator[str]:
        """The names of all parts, in lower case."""
        return iter(self._parts)

    @property
    def is_open_document(self) -> bool:
        return "content.xml" in self and "[Content_Types].xml" not in self

    def __contains__(self, part: str) -> bool:
        return _normalise(part) in self._parts

    def stream(self, part: str, *, is_again: bool = False) -> Iterator[bytes]:
        """The blocks of a part; a second read does not count towards the bytes of all parts."""
        if (info := self._parts.get(_normalise(part))) is None:
            raise UnreadableFileError(f"The workbook lacks its part {part}: save it again.")
        try:
            with self._zip.open(info) as entry:
                yield from self._inflate(entry, info, is_again=is_again)
        except _DAMAGE:
            raise UnreadableFileError(_CUT_OFF) from None

    def _inflate(self, entry: IO[bytes], info: zipfile.ZipInfo, *, is_again: bool) -> Iterator[bytes]:
        size = 0
        while block := entry.read(BLOCK):
            size += len(block)
            self._inflated += 0 if is_again else len(block)
            self._check_size(size, info.compress_size, self._inflated)
            yield block

    def _check(self) -> None:
        """Refuse an archive whose directory is not that of a supported workbook."""
        names = self._parts
        foreign.refuse_archive(names)
        if any(PurePosixPath(name).name == "vbaproject.bin" for name in names):
            raise UnsupportedFileError(
                "The workbook contains macros: save it as an .xlsx workbook without them."
            )
        if "[content_types].xml" not in names and not self.is_open_document:
            raise UnsupportedFileError(f"The file is a ZIP archive, but no workbook: {foreign.UNPACK}")
        for info in names.values():
            if info.flag_bits & _ENCRYPTED:
                raise UnsupportedFileError(
                    f"The workbook is encrypted: take its password off, and {foreign.SAVE_AS}"
                )
            if info.compress_type not in _METHODS:
                raise UnsupportedFileError(
                    f"The workbook is packed in a way that no spreadsheet does: {foreign.SAVE_AS}"
                )
            self._check_size(info.file_size, info.compress_size, info.file_size)

    def _check_size(self, size: int, packed: int, total: int) -> None:
        limits = self._limits
        if total > limits.inflated_bytes:
            raise FileTooLargeError(f"The workbook unpacks to more than {limits.inflated_bytes:,} bytes.")
        if size > _SMALL and size > packed * limits.inflation:
            raise FileTooLargeError(
                f"A part of the workbook unpacks to more than {limits.inflation} times its size: "
                "no spreadsheet does."
            )


def _normalise(part: str) -> str:
    """The name of a part, whose case does not matter; some writers use backslashes."""
    return part.replace("\\", "/").lstrip("/").lower()


def _check_directory(file: BinaryIO) -> None:
    """Check that the archive's directory is short, as zipfile reads all of it at once."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _LONGEST_COMMENT - _END.size))
    end = file.read()
    if end[-_END.size :].startswith(b"PK\5\6") and end.endswith(b"\0\0"):
        place = len(end) - _END.size
    else:
        place = end.rfind(b"PK\5\6")
    if place < 0 or len(end) < place + _END.size:
        raise UnreadableFileError(_CUT_OFF)
    _, _, _, _, parts, length, _, _ = _END.unpack_from(end, place)
    if parts > _MOST_PARTS or length > _LONGEST_DIRECTORY:
        raise UnreadableFileError(f"The workbook has more than {_MOST_PARTS:,} parts: no spreadsheet does.")

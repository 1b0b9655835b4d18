"""Uploads: writes a raw body or a multipart form's file to disk, counting and hashing it."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.core.errors import (
    FieldError,
    InvalidError,
    MalformedFormError,
    TooLargeError,
    UnsupportedMediaTypeError,
    UploadStalledError,
)
from app.core.field_errors import from_validation
from models.export import MEDIA_TYPES
from models.imports import ImportQuery

STALLED_S: Final = 30.0
"""How long a client may send nothing."""
_FORM: Final = "multipart/form-data"
_RAW: Final = frozenset(MEDIA_TYPES.values()) | {
    "application/csv", "application/json", "application/json-lines", "application/jsonl",
    "application/ndjson", "application/octet-stream", "application/vnd.ms-excel", "application/x-jsonlines",
    "text/plain", "text/tab-separated-values",
}  # fmt: skip
"""Content types of files, generic ones included; the file's bytes decide."""

_OPTIONS: Final = frozenset(ImportQuery.model_fields)
_LONGEST_OPTION: Final = 16_384
_LONGEST_NAME: Final = 200
_HEADERS: Final = 8
_LONGEST_HEADER: Final = 4_096


@dataclass(slots=True)
class Upload:
    path: Path
    name: str | None = None
    size: int = 0
    sha256: str = ""
    options: dict[str, str] = field(default_factory=dict)
    """The form's options."""


@asynccontextmanager
async def receive(
    body: AsyncIterator[bytes], content_type: str, *, encoding: str, limit: int
) -> AsyncIterator[Upload]:
    """Receive a file into a private folder, which is deleted when the block is left.

    `encoding` is that of the content (RFC 9110, section 8.4). TooLargeError past `limit` bytes;
    UnsupportedMediaTypeError, MalformedFormError and InvalidError say what to send.
    """
    if encoding.lower() != "identity":
        raise UnsupportedMediaTypeError(
            "Send the file without Content-Encoding.", headers={"Accept-Encoding": "identity"}
        )
    kind, parameters = _media_type(content_type)
    with tempfile.TemporaryDirectory(prefix="roster-import-") as folder:
        upload = Upload(Path(folder) / "file")
        with upload.path.open("xb") as file:
            sink = _Sink(file, limit)
            form = _Form(parameters, sink) if kind == _FORM else None
            write = sink.write if form is None else form.feed
            async for chunk in _in_time(body):
                await asyncio.to_thread(write, chunk)
            if form is not None:
                form.finish(upload)
        upload.size, upload.sha256 = sink.size, sink.digest.hexdigest()
        if not upload.size:
            raise _bad("file", "Must be a file that is not empty.")
        yield upload


async def _in_time(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks; a client that stalls would keep a slot from others."""
    while True:
        try:
            async with asyncio.timeout(STALLED_S):
                chunk = await anext(body, None)
        except TimeoutError:
            raise UploadStalledError(f"No more of the file arrived for {STALLED_S:.0f} s.") from None
        if chunk is None:
            return
        yield chunk


def _media_type(content_type: str) -> tuple[str, dict[bytes, bytes]]:
    kind, parameters = parse_options_header(content_type)
    name = kind.decode("latin-1").lower()
    if name == _FORM and parameters.get(b"boundary"):
        return name, parameters
    if name not in _RAW:
        accepted = f"{_FORM}, {', '.join(MEDIA_TYPES.values())}"
        raise UnsupportedMediaTypeError(
            f"Send the file with Content-Type {accepted}.", headers={"Accept-Post": accepted}
        )
    return name, parameters


class _Sink:
    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.size = 0
        self.digest = hashlib.sha256()
        self._file = file
        self._limit = limit

    def write(self, block: bytes) -> None:
        self.size += len(block)
        if self.size > self._limit:
            raise TooLargeError(f"The file may have at most {self._limit} bytes.")
        self.digest.update(block)
        self._file.write(block)


class _Form:
    """A multipart form (RFC 7578) with one `file` and options, each once; sizes and headers are bounded."""

    def __init__(self, parameters: dict[bytes, bytes], sink: _Sink) -> None:
        self._sink = sink
        self._header = (bytearray(), bytearray())
        self._part = ""
        self._seen: set[str] = set()
        self._value = bytearray()
        self._options: dict[str, str] = {}
        self._filename: str | None = None
        self._ended = False
        with _malformed():
            self._parser = MultipartParser(
                parameters[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._open_part,
                    "on_part_data": self._take,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
                max_header_count=_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )

    def feed(self, chunk: bytes) -> None:
        with _malformed():
            self._parser.write(chunk)

    def finish(self, upload: Upload) -> None:
        with _malformed():
            self._parser.finalize()
        if not self._ended:
            raise MalformedFormError("The form ends before its last boundary.")
        if "file" not in self._seen:
            raise _bad("file", "Must be the file, in a part of this name.")
        upload.options = self._options
        upload.name = self._filename

    def _begin_part(self) -> None:
        self._part = ""
        self._value = bytearray()

    def _end_header(self) -> None:
        name, value = (bytes(part) for part in self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() != b"content-disposition":
            return
        _, parameters = parse_options_header(value)
        self._part = parameters.get(b"name", b"").decode("utf-8", "replace")
        if self._part == "file":
            self._filename = clean_name(parameters.get(b"filename", b"").decode("utf-8", "replace"))

    def _open_part(self) -> None:
        if self._part != "file" and self._part not in _OPTIONS:
            raise _bad(self._part[:64], f"There is no part of this name: send file and {_listed()}.")
        if self._part in self._seen:
            raise _bad(self._part, "May be given only once.")
        self._seen.add(self._part)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self._sink.write(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > _LONGEST_OPTION:
            raise _bad(self._part, f"Must have at most {_LONGEST_OPTION} bytes.")

    def _end_part(self) -> None:
        if self._part != "file":
            try:
                self._options[self._part] = self._value.decode()
            except UnicodeDecodeError:
                raise _bad(self._part, "Must be UTF-8.") from None

    def _end(self) -> None:
        self._ended = True


def combine(asked: ImportQuery, upload: Upload) -> ImportQuery:
    """The options of query and form together; InvalidError if one is in both, or wrong in the form."""
    twice = sorted(asked.model_fields_set & upload.options.keys())
    if twice:
        raise _bad(twice[0], "May be given only once: in the query or in the form.")
    said = asked.model_dump(exclude_unset=True) | upload.options
    try:
        return ImportQuery.model_validate(said)
    except ValidationError as error:
        found = from_validation(error, said)
        errors = tuple(FieldError(bad.detail, parameter=(bad.pointer or "")[1:]) for bad in found)
        raise InvalidError("The form is not an upload of a file.", errors=errors) from None


def clean_name(name: str) -> str | None:
    """The last part of a path, without unprintable characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:_LONGEST_NAME] or None


@contextmanager
def _malformed() -> Iterator[None]:
    try:
        yield
    except FormParserError:
        raise MalformedFormError("The body is not a multipart form: see RFC 7578.") from None


def _listed() -> str:
    return ", ".join(sorted(_OPTIONS))


def _bad(name: str, detail: str) -> InvalidError:
    return InvalidError("The form is not an upload of a file.", errors=(FieldError(detail, parameter=name),))

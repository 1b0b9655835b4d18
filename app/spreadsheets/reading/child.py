"""The process that reads one file, so that no file can harm anything else.

python -I -c '…; child.main()' REQUEST

Standard input is a pipe that only the owner holds: when it closes, this process ends. Frames go to standard
output, whose pipe slows the reader down while the owner is busy.
"""

import gc
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import orjson

from app.core.errors import FieldError, FileTooLargeError, InvalidError, RosterError
from app.spreadsheets.reading import (
    csv_source,
    encodings,
    frames,
    grid,
    json_array,
    ndjson_source,
    ods_source,
    sniffing,
    texts,
    xlsx_source,
)
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.values import Cell, Choices, Limits
from models.export import Format

if sys.platform != "win32":
    import resource

T = TypeVar("T")

ROWS: Final = 250
"""The most rows of a frame."""
CHARACTERS: Final = 2**18
"""Characters after which a frame is sent, even with few rows."""


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    limits: Limits
    choices: Choices
    is_look: bool = False
    """Whether rows are only counted; covered cells of merges count as blank then, as merges end a sheet."""

    def write(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def read(cls, text: str) -> "Request":
        said = orjson.loads(text)
        return cls(said["path"], Limits(**said["limits"]), Choices(**said["choices"]), said["is_look"])


def main() -> None:
    gc.disable()  # it would walk the trees of a block again and again; little here is in cycles
    request = Request.read(sys.argv[1])
    threading.Thread(target=_end_with_owner, daemon=True).start()
    _restrain(request.limits)
    out = sys.stdout.buffer
    try:
        for frame in _answer(request):
            out.write(frame)
            out.flush()
    except BrokenPipeError:
        os._exit(0)


def _answer(request: Request) -> Iterator[bytes]:
    try:
        with Path(request.path).open("rb") as file:
            yield from read(file, request)
    except RosterError as error:
        yield frames.write_error(error)
    except (MemoryError, RecursionError):
        yield frames.write_error(
            FileTooLargeError(
                f"Reading the file takes more than {request.limits.memory_bytes:,} bytes of memory."
            )
        )


def read(file: BinaryIO, request: Request) -> Iterator[bytes]:
    """The frames of a file: its head, its rows, and what was left out of them."""
    choices = request.choices
    form = sniffing.find_form(file, choices.format)
    if form in ("xlsx", "ods"):
        with tempfile.TemporaryFile() as scratch:
            yield from _read_workbook(file, scratch, request)
    else:
        yield from _read_text(file, form, request)
        yield frames.write_end()


def _read_text(file: BinaryIO, form: Format, request: Request) -> Iterator[bytes]:
    choices = request.choices
    if choices.sheet is not None:
        detail = f"the file is {form.upper()}, which has no sheets: leave sheet out"
        raise InvalidError("The file has no sheets.", errors=(FieldError(detail, parameter="sheet"),))
    encoding = texts.find_encoding(file, choices.encoding)
    if encoding is None:
        yield frames.write({"fits": encodings.find_fits(file)})
        return
    lines = texts.Lines(file, encoding, longest=request.limits.row_characters)
    if form == "ndjson":
        read_objects = json_array.read if texts.begins(file, encoding, "[") else ndjson_source.read
        yield from _read_documents(lines, read_objects(lines, request.limits), is_look=request.is_look)
    else:
        yield from _read_csv(lines, request)


def _read_workbook(file: BinaryIO, scratch: BinaryIO, request: Request) -> Iterator[bytes]:
    limits = request.limits
    archive = Archive(file, limits)
    form: Format = "ods" if archive.is_open_document else "xlsx"
    sniffing.check_workbook(form, request.choices.format)
    if form == "ods":
        book = ods_source.read(archive, limits, request.choices)
    else:
        book = xlsx_source.read(archive, scratch, limits, request.choices, splits_merges=not request.is_look)
    width = len(book.heading)
    yield frames.write_head(
        form,
        book.heading,
        sheet=book.sheet,
        other_sheets=book.other_sheets,
        hidden_columns=sorted(place for place in book.hidden.columns if place < width),
    )
    yield from _write_rows(grid.read_rows(book.rows, width, limits), is_look=request.is_look)
    yield frames.write_end(book.hidden.rows)


def _read_csv(lines: texts.Lines, request: Request) -> Iterator[bytes]:
    said, limits = request.choices.delimiter, request.limits
    delimiter, records = csv_source.read(lines, "\t" if said == "tab" else said, limits)
    heading, rows = grid.read_heading(records, limits)
    yield frames.write_head("csv", heading, encoding=lines.encoding, delimiter=delimiter)
    yield from _write_rows(grid.read_rows(rows, len(heading), limits), is_look=request.is_look)


def _read_documents(
    lines: texts.Lines, documents: Iterator[tuple[int, dict[str, Any]]], *, is_look: bool
) -> Iterator[bytes]:
    first = next(documents)  # an unreadable file has no head
    yield frames.write_head("ndjson", [], encoding=lines.encoding)
    for numbers, batch in _batch(chain([first], documents), _weigh_document):
        yield frames.write_count(len(batch)) if is_look else frames.write_documents(numbers, batch)


def _write_rows(records: Iterable[grid.Record], *, is_look: bool) -> Iterator[bytes]:
    for numbers, rows in _batch(records, _weigh_row):
        yield frames.write_count(len(rows)) if is_look else frames.write_rows(numbers, rows)


def _batch(
    records: Iterable[tuple[int, T]], weigh: Callable[[T], int]
) -> Iterator[tuple[list[int], list[T]]]:
    """Batches of records for frames, by number and weight."""
    numbers: list[int] = []
    batch: list[T] = []
    weight = 0
    for number, record in records:
        numbers.append(number)
        batch.append(record)
        weight += weigh(record)
        if len(batch) == ROWS or weight > CHARACTERS:
            yield numbers, batch
            numbers, batch, weight = [], [], 0
    if batch:
        yield numbers, batch


def _weigh_row(cells: list[Cell]) -> int:
    return sum([len(cell) for cell in cells if type(cell) is str])


def _weigh_document(document: dict[str, Any]) -> int:
    return CHARACTERS // 100 + len(str(document.get("name"))) + len(str(document.get("profile")))


def _restrain(limits: Limits) -> None:
    if sys.platform == "win32":  # which has no such limits: the owner still watches the time
        return
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


def _end_with_owner() -> None:
    while os.read(0, 1):  # the owner never writes: this returns nothing once the pipe is closed
        pass
    os._exit(0)

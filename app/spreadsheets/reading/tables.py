"""Reads files as tables, through the reader process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading import frames, grid
from app.spreadsheets.reading.child import Request
from app.spreadsheets.reading.values import Choices, Limits, SourceRow
from models.export import Format

ROOT: Final = Path(__file__).parents[3]
_START: Final = """
import os, sys
hasattr(os, "nice") and os.nice(10)
sys.path.insert(0, sys.argv.pop(1))
from app.spreadsheets.reading import child
child.main()
"""
"""It lowers its priority before it imports anything, as that takes a core, too."""
LEAST_LOOK_S: Final = 0.1
"""The least time for rows, even if the heading took long."""
_NOTHING: Final = Choices()
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")
"""Variables that are passed on; others may be secret."""


@dataclass(slots=True)
class Table:
    """An open file, whose rows can be read once."""

    form: Format
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    other_sheets: list[str]
    """Sheets of the workbook that are not read."""
    heading: list[str]
    """Empty for NDJSON; an empty text for a column without a heading."""
    hidden_columns: list[int]
    """Places in the heading of columns to leave out."""
    _reader: "_Reader"

    @property
    def hidden_rows(self) -> int:
        """The number of rows left out, after reading the others."""
        return self._reader.hidden_rows

    async def chunks(self, size: int = 500) -> AsyncIterator[list[SourceRow]]:
        """All rows in chunks of `size`; an error is raised when its row is reached."""
        rows: list[SourceRow] = []
        async for frame in self._reader.frames():
            rows += frames.read_rows(frame)
            while len(rows) >= size:
                yield rows[:size]
                del rows[:size]
        if rows:
            yield rows

    async def counts(self) -> AsyncIterator[int]:
        """The numbers of rows, part by part, of a table that is only looked at."""
        async for frame in self._reader.frames():
            yield frame["count"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of a first look at a file."""

    form: Format
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    other_sheets: list[str]
    heading: list[str]
    hidden_columns: list[int]
    rows: int
    """The rows seen; all of them if `is_whole`."""
    is_whole: bool


@contextlib.asynccontextmanager
async def open_table(
    path: Path,
    limits: Limits,
    choices: Choices = _NOTHING,
    *,
    is_look: bool = False,
) -> AsyncIterator[Table]:
    """
    Open a file as a table, read by a process of its own that ends with the context.

    UncertainEncodingError for a text whose encoding is to be decided, if none was said. UnsupportedFileError
    for what is no spreadsheet, UnreadableFileError for what is wrong in one, FileTooLargeError for what asks
    for more than the limits, InvalidError for a choice it has not. `is_look`: rows are only counted, which
    costs this process next to nothing.
    """
    request = Request(str(path), limits, choices, is_look)
    reader = await _Reader.start(request)
    try:
        head = (await reader.frame())["head"]
        yield Table(**head, _reader=reader)
    finally:
        await reader.end()


async def inspect(
    path: Path,
    limits: Limits,
    choices: Choices = _NOTHING,
    *,
    within_s: float = 4.0,
) -> Inspection:
    """
    Inspect a file, and its rows for so long; raises as open_table does.

    It waits for the heading within the limits, which is a moment for a sound file.
    """
    ends = time.monotonic() + within_s
    rows = 0
    async with open_table(path, limits, choices, is_look=True) as table:
        is_whole = True
        try:
            async with asyncio.timeout(max(LEAST_LOOK_S, ends - time.monotonic())):
                async for count in table.counts():
                    rows += count
        except TimeoutError:
            is_whole = False
        if is_whole and not rows and table.hidden_rows:
            raise UnreadableFileError(f"All rows below the heading are hidden: {grid.SHOW_THEM}")
        if is_whole and not rows:
            raise UnreadableFileError("The file has a heading and no rows below it.")
        return Inspection(
            table.form, table.encoding, table.delimiter, table.sheet, table.other_sheets, table.heading,
            table.hidden_columns, rows, is_whole,
        )  # fmt: skip


def command(request: Request) -> list[str]:
    return [sys.executable, "-I", "-c", _START, str(ROOT), request.write()]


def begin(request: Request) -> subprocess.Popen[bytes]:
    """Not by the event loop: uvloop forks, and copies the server's page tables while everything waits."""
    return subprocess.Popen(  # noqa: S603 - a fraction of a millisecond, by vfork; the program is ours
        command(request),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        start_new_session=True,  # an interrupt from the keyboard is for the owner, which ends the reader
    )


def environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # One arena: each further one takes 64 MiB of the reader's limited address space.
    return kept | {"MALLOC_ARENA_MAX": "1"}


class _Reader:
    """The reader process and its pipe."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        self._process = process
        self._limits = limits
        self.hidden_rows = 0
        self._out = asyncio.StreamReader()
        self._pipe: asyncio.ReadTransport | None = None

    @classmethod
    async def start(cls, request: Request) -> Self:
        reader = cls(begin(request), request.limits)
        try:
            await reader._listen()
        except BaseException:
            await reader.end()
            raise
        return reader

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._pipe, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._out), self._process.stdout
        )

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """The frames of rows."""
        while "end" not in (frame := await self.frame()):
            yield frame
        self.hidden_rows = frame["end"]["hidden_rows"]

    async def frame(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._limits.seconds):
                (length,) = frames.LENGTH.unpack(await self._out.readexactly(frames.LENGTH.size))
                if length > frames.LONGEST:
                    raise FileTooLargeError("The file has rows that are larger than any user.")
                return frames.read(await self._out.readexactly(length))
        except TimeoutError:
            raise self._too_slow() from None
        except asyncio.IncompleteReadError:
            raise await self._explain() from None

    async def end(self) -> None:
        self._process.kill()
        await asyncio.shield(self._wait())
        for pipe in (self._pipe or self._process.stdout, self._process.stdin):
            if pipe is not None:
                pipe.close()

    async def _explain(self) -> Exception:
        """The error of a process that ended early: a limit, however the system enforces it."""
        code = await self._wait()
        if code == -signal.SIGXCPU:
            return self._too_slow()
        if code == 1:
            return RuntimeError("The reader of a file failed: the log has its traceback.")
        return FileTooLargeError(
            "Reading the file takes more memory or time than is allowed: send it in parts."
        )

    async def _wait(self) -> int:
        return await asyncio.to_thread(self._process.wait)

    def _too_slow(self) -> FileTooLargeError:
        return FileTooLargeError(
            f"Reading the file takes more than {self._limits.seconds} s: send it in parts."
        )

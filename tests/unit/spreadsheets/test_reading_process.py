"""What is seen of the process that reads, from outside."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading import frames, tables
from app.spreadsheets.reading.tables import inspect, open_table
from app.spreadsheets.reading.values import Formula, Limits, SourceRow
from models.export import Format
from tests.unit.spreadsheets.files import moment, person, write
from tests.unit.spreadsheets.readers import cells, keep, workbook

MANY = b"name,city\n" + b"Ana,Berlin\n" * 2_000


def children() -> list[int]:
    folder = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return [int(pid) for pid in folder.read_text().split() if b"spreadsheets.reading" in _command(int(pid))]


def _command(pid: int) -> bytes:
    """Empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def await_end(pid: int) -> None:
    while _command(pid):
        time.sleep(0.01)


def read_environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_rows_come_in_chunks_of_the_size_asked_for_and_in_their_order(tmp_path: Path) -> None:
    file = b"n\n" + b"".join(b"%d\n" % n for n in range(1_234))
    async with open_table(keep(tmp_path, file), Limits()) as table:
        chunks = [chunk async for chunk in table.chunks(100)]
    assert [len(chunk) for chunk in chunks] == [100] * 12 + [34]
    assert [row for chunk in chunks for row in chunk][1_233] == SourceRow(1_235, ["1233"], None)
    assert not children()


async def test_cells_of_every_type_come_through_the_pipe(tmp_path: Path) -> None:
    row = person(name="\x01 =1 😀", profile={"age": 30, "bio": "x" * 32_767})
    file = write("xlsx", [row], "name,age,is_active,updated_at,phone,bio")
    async with open_table(keep(tmp_path, file), Limits()) as table:
        assert (table.form, table.sheet, table.heading[0]) == ("xlsx", "Users", "name")
        ((read,),) = [chunk async for chunk in table.chunks()]
    assert read.cells == [
        "\x01 =1 😀", 30, True, moment("2024-01-02T03:04:05.678").replace(tzinfo=UTC), None, "x" * 32_767
    ]  # fmt: skip


async def test_formulas_come_through_the_pipe_as_such(tmp_path: Path) -> None:
    file = workbook(cells('<c r="REF"><f>A1</f><v>1</v></c>', '<c r="REF" s="1"><v>45293</v></c>'))
    async with open_table(keep(tmp_path, file), Limits()) as table:
        ((formula, date),) = [chunk async for chunk in table.chunks()]
    assert formula.cells == ["=A1"]
    assert type((formula.cells or [])[0]) is Formula
    assert date.cells == [datetime(2024, 1, 2, tzinfo=UTC)]


async def test_whole_users_come_through_the_pipe(tmp_path: Path) -> None:
    async with open_table(keep(tmp_path, write("ndjson", [person(name="张")])), Limits()) as table:
        ((row,),) = [chunk async for chunk in table.chunks()]
    assert (table.form, table.heading, row.number, row.cells) == ("ndjson", [], 1, None)
    assert row.document is not None
    assert row.document["name"] == "张"


async def test_what_is_wrong_further_down_is_raised_when_it_is_reached(tmp_path: Path) -> None:
    async with open_table(keep(tmp_path, MANY + b"x,y,z\n"), Limits()) as table:
        chunks = table.chunks(100)
        assert sum([len(await anext(chunks)) for _ in range(20)]) == 2_000
        with pytest.raises(UnreadableFileError, match="The cell C2002 stands right"):
            await anext(chunks)


async def test_an_inspection_says_what_a_file_is(tmp_path: Path) -> None:
    seen = await inspect(keep(tmp_path, MANY), Limits())
    assert (seen.form, seen.encoding, seen.delimiter, seen.heading) == ("csv", "utf-8", ",", ["name", "city"])
    assert (seen.rows, seen.is_whole) == (2_000, True)


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods", "ndjson"])
async def test_an_inspection_counts_rows_that_stay_in_the_reader(
    form: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "read_rows", None)
    seen = await inspect(
        keep(tmp_path, write(form, [person(name=f"name {n}") for n in range(300)])), Limits()
    )
    assert (seen.form, seen.rows, seen.is_whole) == (form, 300, True)


async def test_an_inspection_without_time_says_that_it_has_not_seen_all(tmp_path: Path) -> None:
    seen = await inspect(keep(tmp_path, b"a\n" + b"x\n" * 3_000_000), Limits(rows=10**9), within_s=0.1)
    assert not seen.is_whole
    assert seen.heading == ["a"]
    assert not children()


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (b"a,b\n", "a heading and no rows"),
        (MANY + b"x,y,z\n", "The cell C2002"),
        (b"a,a\n1,2\n", "headed `a`"),
    ],
)
async def test_an_inspection_raises_what_is_wrong(file: bytes, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=complaint):
        await inspect(keep(tmp_path, file), Limits())
    assert not children()


async def test_a_reader_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)  # nobody will ever write into it
    with pytest.raises(FileTooLargeError, match="takes more than 1 s"):
        await inspect(path, Limits(seconds=1))
    assert not children()


async def test_a_reader_that_computes_too_long_is_ended_by_the_system(tmp_path: Path) -> None:
    file = keep(tmp_path, b"a\n" + b",\n" * 30_000_000)
    with pytest.raises(FileTooLargeError, match="takes more than 1 s"):
        await inspect(file, Limits(seconds=1), within_s=60)


async def test_a_reader_that_is_killed_is_an_error_and_no_short_file(tmp_path: Path) -> None:
    async with open_table(keep(tmp_path, MANY * 100), Limits()) as table:
        (reader,) = children()
        os.kill(reader, signal.SIGKILL)
        with pytest.raises(FileTooLargeError, match="more memory or time"):
            [chunk async for chunk in table.chunks()]


async def test_a_reader_that_fails_is_no_fault_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the log has its traceback"):
        await inspect(tmp_path / "missing", Limits())


async def test_a_reader_ends_with_its_owner(tmp_path: Path) -> None:
    path = keep(tmp_path, MANY * 1_000)
    owner = (
        "import asyncio, pathlib, sys; from app.spreadsheets.reading.tables import Limits, open_table\n"
        "async def hold():\n"
        f"    async with open_table(pathlib.Path({str(path)!r}), Limits()) as table:\n"
        "        print(table._reader._process.pid, flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(hold())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", owner, stdout=asyncio.subprocess.PIPE, cwd=tables.ROOT
    )
    assert process.stdout
    reader = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    await asyncio.to_thread(await_end, reader)


async def test_a_walk_that_is_given_up_ends_the_reader(tmp_path: Path) -> None:
    async with open_table(keep(tmp_path, MANY * 100), Limits()) as table:
        async for _ in table.chunks(10):
            break
    assert not children()


async def test_the_reader_sees_nothing_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTER_SECRET_KEY", "secret")
    async with open_table(keep(tmp_path, MANY * 100), Limits()):
        (reader,) = children()
        assert b"secret" not in read_environment(reader)
        assert os.getpriority(os.PRIO_PROCESS, reader) > os.getpriority(os.PRIO_PROCESS, 0)


def test_a_reader_starts_without_what_its_owner_alone_needs() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(tables.ROOT)!r}); from app.spreadsheets.reading import child; "
        "print({'asyncio', 'logging', 'pydantic'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=True, text=True)
    assert ran.stdout == "set()\n"

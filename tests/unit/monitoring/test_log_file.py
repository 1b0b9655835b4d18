"""A log file with several writers: no line is lost, torn or readable by others."""

import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app.core.errors import StartError
from app.core.settings import Settings
from app.monitoring import logs
from app.monitoring.log_file import LogFile

WRITERS, LINES = 3, 400


@pytest.fixture(autouse=True)
def _leave_no_file_open() -> Iterator[None]:
    yield
    logs.configure("info", "json")


def write_many(path: Path, writer: int) -> None:
    file = LogFile(path, most_bytes=3_000, kept=1_000)
    for number in range(LINES):
        file.write(json.dumps({"writer": writer, "number": number, "filling": "x" * (number % 90)}) + "\n")
    file.close()


def read(path: Path) -> list[str]:
    return [line for file in path.parent.iterdir() for line in file.read_text().splitlines()]


def test_lines_of_several_processes_are_whole_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "roster.log"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_many, args=(path, writer)) for writer in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    found = sorted((line["writer"], line["number"]) for line in map(json.loads, read(path)))
    assert found == [(writer, number) for writer in range(WRITERS) for number in range(LINES)]
    assert len(list(tmp_path.iterdir())) > 10
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_only_so_many_full_ones_stay_and_the_newest_has_the_plain_name(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "roster.log", most_bytes=10, kept=2)
    for number in range(9):
        file.write(f"line number {number}\n")
    file.write("end\n")
    file.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "roster.log": "end\n",
        "roster.log.1": "line number 8\n",
        "roster.log.2": "line number 7\n",
    }


def test_one_that_was_taken_away_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "roster.log"
    file = LogFile(path, most_bytes=10, kept=2)
    path.unlink()
    file.write("to a file that nobody finds\n")
    file.write("found\n")
    file.close()
    assert read(path) == ["found"]


def settings(path: Path, **more: object) -> Settings:
    return Settings(_env_file=None, log_file=path, **more)  # type: ignore[arg-type]  # validated as they come


def test_lines_go_to_stderr_and_to_the_file_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(settings(tmp_path / "roster.log"))
    structlog.get_logger("test").info("one", name="ana@example.com\nforged")
    written = (tmp_path / "roster.log").read_text()
    assert written == capsys.readouterr().err
    assert json.loads(written)["name"] == "***\\nforged"


def test_the_file_is_json_also_where_somebody_sits_at_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    logs.set_up(settings(tmp_path / "roster.log"))
    structlog.get_logger("test").info("one")
    assert json.loads((tmp_path / "roster.log").read_text())["event"] == "one"
    logs.set_up(settings(tmp_path / "pretty.log", log_format="pretty"))
    structlog.get_logger("test").info("one")
    assert "\x1b" not in (tmp_path / "pretty.log").read_text()


def test_a_full_disk_fails_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    logs.set_up(settings(tmp_path / "roster.log"))
    monkeypatch.setattr(os, "write", fail)
    structlog.get_logger("test").info("one")


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(
        StartError, match=r"^ROSTER_LOG_FILE=.+ cannot be written \(No such file or directory\)\.$"
    ):
        logs.set_up(settings(tmp_path / "nowhere" / "roster.log"))

"""`python -m app export`: the route's file, with the route's options, whole or not at all."""

import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.commands import exporting
from app.commands.running import progress
from app.commands.samples import add
from app.exports import streaming
from models.export_job import ExportBody
from tests.support.api import serving
from tests.support.jobs import backends
from tests.support.live import command
from tests.support.users import create


@pytest.fixture
async def people(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_uri, redis_url) as client:
        await add(backends(client), 50)
        await create(client, name="Zoë", tags=["red"])
        yield client


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_the_file_is_that_of_the_route(
    people: httpx.AsyncClient, tmp_path: Path, mongo_uri: str, redis_url: str
) -> None:
    ran = command(
        tmp_path, "export", "red.csv", "--columns", "name:Who,tags", "--filter", "tag=red", "--sort", "name",
        mongo_uri=mongo_uri, redis_url=redis_url,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, "1 people in red.csv.\n"), ran.stderr
    asked = "format=csv&columns=name:Who,tags&tag=red&sort=name"
    assert (tmp_path / "red.csv").read_bytes() == (await people.get(f"/users/export?{asked}")).content
    assert names(tmp_path) == ["red.csv"]


async def test_a_filter_may_be_a_number_or_a_day(
    people: httpx.AsyncClient, tmp_path: Path, mongo_uri: str, redis_url: str
) -> None:
    await create(people, name="Old", profile={"age": 150})
    ran = command(
        tmp_path, "export", "old.csv", "--filter", "age_min=150", "--filter", "created_from=2026-01-01",
        mongo_uri=mongo_uri, redis_url=redis_url,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, "1 people in old.csv.\n"), ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("users.pdf",), ".csv, .xlsx, .ods or .ndjson"),
        (("users",), "--format"),
        (("users.csv", "--format", "pdf"), "--format"),
        (("users.csv", "--addresses", "11"), "addresses: Must be at most 10."),
        (("users.csv", "--sort", "odd"), "sort: "),
        (("users.csv", "--filter", "odd=1"), "odd: There is no field of this name here."),
        (("users.csv", "--filter", "age_min=x"), "age_min: must be a whole number in digits, such as 50."),
        (("users.csv", "--filter", "columns=name"), "use --columns"),
    ],
)
def test_what_makes_no_file_is_said_before_anything_starts(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del capsys
    ran = CliRunner().invoke(cli, ["export", *arguments])
    assert ran.exit_code == 2
    assert said in ran.output


async def test_a_file_that_breaks_off_leaves_the_one_before(
    people: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.ndjson"
    file.write_text("before")
    original = streaming.begin

    async def break_off(*args: Any, **said: Any) -> Any:
        sheet, chunks = await original(*args, **said)

        async def broken() -> AsyncIterator[bytes]:
            yield await anext(chunks)
            await chunks.aclose()
            msg = "the disk is full"
            raise OSError(msg)

        return sheet, broken()

    asked = ExportBody(format="ndjson")
    with monkeypatch.context() as patched, progress() as bar:
        patched.setattr(streaming, "begin", break_off)
        with pytest.raises(OSError, match="full"):
            await exporting._write(backends(people), asked, file, bar)
    assert names(tmp_path) == ["users.ndjson"]
    assert file.read_text() == "before"
    with progress() as bar:
        assert await exporting._write(backends(people), asked, file, bar) == 51
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 51


async def test_a_file_of_csv_has_all_columns_and_as_many_addresses_as_asked_for(
    people: httpx.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "users.csv"
    with progress() as bar:
        await exporting._write(backends(people), ExportBody(format="csv", addresses=1), file, bar)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        heading = next(csv.reader(opened))
    assert "address1_city" in heading
    assert "address2_city" not in heading

"""`python -m office`: exports, opened and saved by each program that is found, imported again as plans."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx

from office import programs, report
from office.people import people
from office.report import Trip
from tests.support.imports import create_all, importing, upload
from tests.support.servers import MongoServer, RedisServer

_BATCH: Final = 500
_DIFFERENT: Final = ("create", "update", "conflict", "error", "delete")


def main() -> int:
    print(programs.NEEDS)
    found = programs.find()
    print("Found:", ", ".join(f"{each.name} {each.version}" for each in found) or "none")
    if not found:
        return 1
    with tempfile.TemporaryDirectory(prefix="roster-office-") as name:
        trips = asyncio.run(_travel(Path(name), found))
    report.REPORT.write_text(report.write(trips))
    differing = [trip for trip in trips if not trip.is_clean]
    for trip in differing:
        print(f"{trip.program.name}, {trip.before} saved as {trip.after}: {trip.failure or trip.counts}")
    print(f"{len(trips) - len(differing)} of {len(trips)} round trips changed nothing: {report.REPORT}")
    return 1 if differing else 0


async def _travel(folder: Path, found: list[programs.Program]) -> list[Trip]:
    with MongoServer(folder) as mongo, RedisServer(folder) as redis:
        async with importing(mongo.uri, redis.url, log_level="error") as client:
            everyone = list(people())
            for start in range(0, len(everyone), _BATCH):
                part = everyone[start : start + _BATCH]
                if await create_all(client, part) < len(part):
                    sys.exit("Some of the people are not valid users: see office/people.py.")
            return [
                await _try(client, program, folder, before, after)
                for program in found
                for before, after in program.trips
            ]


async def _try(
    client: httpx.AsyncClient, program: programs.Program, folder: Path, before: str, after: str
) -> Trip:
    """One file there and back."""
    exported = await client.get(f"/users/export?format={before}")
    place = folder / program.name / f"{before}-{after}"
    place.mkdir(parents=True)
    sent, saved = place / f"export.{before}", place / "saved" / f"export.{after}"
    saved.parent.mkdir()
    sent.write_bytes(exported.content)
    try:
        await asyncio.to_thread(program.save, sent, saved)
    except (subprocess.SubprocessError, OSError) as error:
        return Trip(program, before, after, failure=f"not saved: {type(error).__name__}")
    reply = await upload(client, saved.read_bytes(), "application/octet-stream")
    if reply.status_code != httpx.codes.CREATED:
        return Trip(program, before, after, failure=f"{reply.status_code} {reply.json()['detail']}")
    counts = {status: count for status, count in reply.json()["counts"].items() if count}
    return Trip(program, before, after, counts, await _list_differing(client, reply.json()["id"]))


async def _list_differing(client: httpx.AsyncClient, import_id: str) -> list[dict[str, Any]]:
    asked = "&".join(f"status={status}" for status in _DIFFERENT)
    rows: list[dict[str, Any]] = []
    address: str | None = f"/users/imports/{import_id}?limit=1000&{asked}"
    while address is not None:
        page = (await client.get(address)).json()
        rows += page["items"]
        address = page["next"] and f"/users/imports/{import_id}?limit=1000&{asked}&cursor={page['next']}"
    return rows


if __name__ == "__main__":
    sys.exit(main())

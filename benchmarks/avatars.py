"""Uploads of pictures: their rate to that of Pillow alone; what the greediest take from others."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from statistics import median

import httpx
from PIL import Image
from pymongo import MongoClient

from app.avatars.pictures import draw
from benchmarks import memory
from benchmarks.bystander import beside, repeating
from benchmarks.plan import Sizes
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Database, Server, serving
from tests.support.pictures import encode, many_scans

AT_LEAST = 0.7
MOST_SECONDS = 2
MOST_MIB = 200
AT_MOST = 2
_USERS = 2_000
_PICTURES = 60
"""A round; each is another user's, as each has 20 an hour."""
_AT_ONCE = 4
_FORESEEN = (200, 413, 422)
_Send = Callable[[], tuple[int, float]]


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(_USERS, name="avatars")
    picture, people = _photograph(), _find_people(database)
    ours, alone = list[float](), list[float]()
    with serving("roster", database, jobs_inside=False) as server, _client(server) as client:
        _upload(client, people[0], picture)
        for _ in range(sizes.rounds):
            alone.append(_rate(lambda: [draw(picture) for _ in range(_PICTURES)]))
            ours.append(_rate(partial(_upload_all, client, people, picture)))
        rate = Finding(
            "avatars",
            f"uploads of pictures of {len(picture) // 1000} KB, {_AT_ONCE} at once, of Pillow alone",
            f"{median(ours):.0f}/s to {median(alone):.0f}/s{spread(ours, alone)}",
            ratio(ours, alone),
            at_least=AT_LEAST,
        )
        turns = cycle(people)
        bombs = {name: partial(_send, client, turns, bomb) for name, bomb in _bombs().items()}
        return [rate, *_refuse(server, bombs), _beside(server, bombs, sizes)]


def _photograph() -> bytes:
    """A JPEG of 1600 by 1200 pixels and about 200 KB."""
    noise = Image.effect_noise((400, 300), 20).resize((1600, 1200)).convert("RGB")
    return encode(noise, "JPEG", quality=55)


def _find_people(database: Database) -> list[str]:
    with MongoClient[dict[str, object]](database.mongo_uri) as client:
        found = client.get_default_database()["users"].find({}, {"_id": 1}).limit(_PICTURES)
        return [str(person["_id"]) for person in found]


def _client(server: Server) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "image/jpeg"}
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=30)


def _rate(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return _PICTURES / (time.perf_counter() - started)


def _upload_all(client: httpx.Client, people: list[str], picture: bytes) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda person: _upload(client, person, picture), islice(cycle(people), _PICTURES)))


def _upload(client: httpx.Client, person: str, picture: bytes) -> None:
    client.put(f"/users/{person}/avatar", content=picture).raise_for_status()


def _bombs() -> dict[str, bytes]:
    """Pictures that take the most, and those that would take more than there is."""
    frames = [Image.new("P", (64, 64), number % 2) for number in range(10_000)]
    return {
        "900 million pixels": encode(Image.new("1", (30_000, 30_000)), "PNG"),
        "the most of a PNG": encode(Image.new("RGBA", (3_535, 3_535), (1, 2, 3, 4)), "PNG"),
        "the most of a WebP": encode(Image.new("RGBA", (2_828, 2_828), (1, 2, 3, 4)), "WEBP", method=0),
        "the most of an AVIF": encode(Image.new("RGBA", (3_535, 3_535), (1, 2, 3, 4)), "AVIF", speed=10),
        "the most of a progressive JPEG": encode(Image.new("RGB", (6_300, 6_300)), "JPEG", progressive=True),
        "a JPEG of 50,000 scans": many_scans(6_300, 50_000),
        "10,000 frames": encode(frames[0], "GIF", save_all=True, append_images=frames[1:]),
    }


def _send(client: httpx.Client, people: Iterator[str], bomb: bytes) -> tuple[int, float]:
    """Its status, and the seconds that it took; to the next of the people, as each has 20 an hour."""
    started = time.perf_counter()
    status = client.put(f"/users/{next(people)}/avatar", content=bomb).status_code
    if status not in _FORESEEN:
        raise RuntimeError(f"A bomb was answered with {status}.")
    return status, time.perf_counter() - started


def _refuse(server: Server, bombs: Mapping[str, _Send]) -> list[Finding]:
    """Of each bomb the status and the seconds; and the memory of the server with what it started."""
    idle = memory.wait_until_idle(server.process.pid)
    with memory.watching(server.process.pid) as used:
        took = {name: send() for name, send in bombs.items()}
    told = "; ".join(f"{name} {status} {seconds:.2f} s" for name, (status, seconds) in took.items())
    slowest, above = max(seconds for _, seconds in took.values()), (max(used) - idle) / 2**20
    memory_told = f"{idle / 2**20:.0f} MiB idle, {max(used) / 2**20:.0f} MiB at most"
    return [
        Finding("avatars", "seconds of the greediest pictures", told, slowest, at_most=MOST_SECONDS),
        Finding("avatars", "the same: MiB above idle", memory_told, above, at_most=MOST_MIB),
    ]


def _beside(server: Server, bombs: Mapping[str, _Send], sizes: Sizes) -> Finding:
    busy = partial(repeating, *bombs.values())
    when = "while they come one after the other"
    return beside(server, sizes, busy, bench="avatars", when=when, at_most=AT_MOST)

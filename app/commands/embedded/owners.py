"""The owner of a data folder's servers, as that process recorded itself for others that use them."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from app.commands.embedded import processes
from app.core.errors import StartError

_STARTING_S = 60
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Owner:
    pid: int | None = None
    mongo_uri: str | None = None
    redis_url: str | None = None
    is_ready: bool = False
    """Whether all its servers have started."""


def find(data_dir: Path) -> Path:
    """The file that the owner keeps locked."""
    return data_dir / "owner.lock"


def write(data_dir: Path, owner: Owner) -> None:
    find(data_dir).write_text(json.dumps(asdict(owner)))


def read(data_dir: Path) -> Owner:
    """The owner; an empty one while it is being written."""
    try:
        return Owner(**json.loads(find(data_dir).read_text()))
    except (OSError, ValueError, TypeError):
        return Owner()


def share(data_dir: Path, *, mongo: bool, redis: bool) -> tuple[str | None, str | None]:
    """The addresses of another process's servers, once it has started them."""
    owner = _wait(data_dir)
    missing = [
        name
        for name, wanted, uri in (("MongoDB", mongo, owner.mongo_uri), ("Redis", redis, owner.redis_url))
        if wanted and uri is None
    ]
    if missing:
        raise StartError(
            f"Process {owner.pid or 'unknown'} has {data_dir} without a private {' and '.join(missing)}: "
            "use the settings it was started with, or stop it first."
        )
    return owner.mongo_uri if mongo else None, owner.redis_url if redis else None


def _wait(data_dir: Path) -> Owner:
    deadline = time.monotonic() + _STARTING_S
    while not (owner := read(data_dir)).is_ready and time.monotonic() < deadline:
        if owner.pid and not processes.read_command_line(owner.pid):
            break
        time.sleep(_POLL_S)
    return owner

"""The token and session check with nothing around it: `python -m benchmarks.checking TOKEN SECONDS`.

Called as each protected route calls it, in a process of its own that asks the same Redis.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter, process_time

import uvloop

from app import container
from app.accounts.bearer import authorise
from app.core import settings
from benchmarks.servers import Database, Server


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of one check: the median it takes, and the mean of CPU time in its process."""

    takes: float
    cpu: float


def measure(server: Server, database: Database, token: str, seconds: float) -> Cost:
    environment = database.environment() | {"ROSTER_PORT": str(server.port)}  # which its tokens name
    command = [sys.executable, "-m", "benchmarks.checking", token, str(seconds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return Cost(**json.loads(done.stdout))


async def _check(token: str, seconds: float) -> Cost:
    async with container.opened(settings.load(), apply_indexes=False) as opened:
        await authorise(opened.auth, [f"Bearer {token}"], "me")  # connects, and verifies what is kept
        times: list[float] = []
        cpu = process_time()
        end = perf_counter() + seconds
        while (started := perf_counter()) < end:
            await authorise(opened.auth, [f"Bearer {token}"], "me")
            times.append(perf_counter() - started)
        return Cost(median(times) * 1e6, (process_time() - cpu) / len(times) * 1e6)


def main() -> None:
    print(json.dumps(asdict(uvloop.run(_check(sys.argv[1], float(sys.argv[2]))))))


if __name__ == "__main__":
    main()

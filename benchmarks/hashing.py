"""Argon2id with nothing around it: `python -m benchmarks.hashing SECONDS` prints passwords a second.

A process of its own, like a server's, with a thread for each core.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from argon2 import PasswordHasher

from benchmarks.accounts import hashed
from benchmarks.tokens import PASSWORD


def measure(seconds: float) -> float:
    """Passwords verified a second, in another process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hashing", str(seconds)], stdout=subprocess.PIPE, check=True
    )
    return float(done.stdout)


def _verify(stored: str, seconds: float) -> float:
    hasher = PasswordHasher()
    started = perf_counter()
    verified = 0
    while perf_counter() - started < seconds:
        hasher.verify(stored, PASSWORD)  # with the parameters that the hash names
        verified += 1
    return verified / (perf_counter() - started)


def main() -> None:
    cores = os.cpu_count() or 1
    stored = hashed()
    with ThreadPoolExecutor(cores) as pool:
        print(sum(pool.map(_verify, [stored] * cores, [float(sys.argv[1])] * cores)))


if __name__ == "__main__":
    main()

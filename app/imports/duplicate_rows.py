"""Finds rows of a file about the same user, in a temporary file, for any number of rows."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import blake2b
from itertools import groupby
from typing import Final, Self

_SHOWN: Final = 5
_FOUND: Final = """
    SELECT key, kind, n, row FROM claims
    WHERE key IN (SELECT key FROM claims GROUP BY key HAVING COUNT(*) > 1)
    ORDER BY key, n
"""
RowKey = tuple[str, str, int, int]
"""Kind, normalised value, place among the rows, number in the file."""


class DuplicateRows:
    """The rows of a file by their keys. Make every call in a thread, one at a time."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", check_same_thread=False, isolation_level=None)  # a temporary file
        self._file.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        self._file.execute("CREATE TABLE claims (key BLOB, kind TEXT, n INTEGER, row INTEGER)")

    def add(self, claims: Iterable[RowKey]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO claims VALUES (?, ?, ?, ?)",
            [(_digest(kind, value), kind, n, row) for kind, value, n, row in claims],
        )
        self._file.execute("COMMIT")

    def find_repeated(self) -> Iterator[tuple[int, str, list[int]]]:
        """Yields rows with the key of another: their place, the kind, numbers of up to five others."""
        with closing(self._file.execute(_FOUND)) as found:
            for _, group in groupby(found, lambda claim: claim[0]):
                first: list[tuple[int, int]] = []
                for _, kind, n, row in group:
                    if len(first) <= _SHOWN:
                        first.append((n, row))
                    else:
                        yield n, kind, [number for _, number in first[:_SHOWN]]
                for n, _ in first:
                    yield n, kind, [number for other, number in first if other != n][:_SHOWN]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _digest(kind: str, value: str) -> bytes:
    return blake2b(f"{kind}\0{value}".encode("utf-8", "replace"), digest_size=16).digest()

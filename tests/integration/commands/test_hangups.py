"""SIGHUP to one process alone: ignored where nobody sits at a terminal, a stop where the terminal goes."""

import os
import pty
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import LiveProcess, LiveServer, LiveWorker, wait_until

Kind = type[LiveServer] | type[LiveWorker]
kinds = pytest.mark.parametrize("kind", [LiveServer, LiveWorker])


@pytest.fixture
def backends(mongo_uri: str, redis_url: str) -> dict[str, Any]:
    return {"mongo_uri": mongo_uri, "redis_url": redis_url}


@pytest.fixture
def terminal() -> Iterator[int]:
    ours, theirs = pty.openpty()
    yield theirs
    os.close(ours)
    os.close(theirs)


@kinds
def test_a_single_process_tells_of_a_hangup_and_goes_on(
    kind: Kind, tmp_path: Path, backends: dict[str, Any]
) -> None:
    with kind(tmp_path, **backends) as live:
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: live.find("hangup_ignored"))
        assert live.stop() == 0


@kinds
def test_at_a_terminal_a_hangup_stops_it_as_sigterm_does(
    kind: Kind, tmp_path: Path, backends: dict[str, Any], terminal: int
) -> None:
    live: LiveProcess
    with kind(tmp_path, stdin=terminal, **backends) as live:
        assert live.stop(signal.SIGHUP) == 0
        assert not live.find("hangup_ignored")

"""The port at which Prometheus fetches metrics: in the first process of `serve`, for all its workers.

Several workers write their metrics into files of one folder:
`docs/decisions/0016-metrics-of-several-workers.md`.
"""

import multiprocessing
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from app.core.errors import StartError
from app.core.settings import Settings

log = structlog.get_logger("roster.metrics")

_LIVE_FILE = re.compile(r"gauge_live.*_(\d+)\.db")


@contextmanager
def exposed(settings: Settings, *, workers: int) -> Iterator[None]:
    """Serve metrics at ROSTER_METRICS_PORT, if that is set, until the block is left. Start workers within."""
    if settings.metrics_port is None:
        yield
        return
    shared = tempfile.TemporaryDirectory(prefix="roster-metrics-") if workers > 1 else nullcontext()
    with shared as folder:
        if folder is not None:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # what prometheus_client looks for in the workers
        server, _ = _listen(settings.metrics_host, settings.metrics_port, _find_registry(folder))
        log.info("metrics_listening", address=settings.metrics_host, port=server.server_port)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def _find_registry(folder: str | None) -> CollectorRegistry:
    if folder is None:
        return REGISTRY
    registry = CollectorRegistry()
    registry.register(_Workers(Path(folder)))
    return registry


def _listen(host: str, port: int, registry: CollectorRegistry) -> Any:
    try:
        return start_http_server(port, host, registry)
    except OSError as error:
        raise StartError(
            f"Metrics cannot be served at port {port} of {host} ({error.strerror}): "
            "choose another with ROSTER_METRICS_PORT."
        ) from None


class _Workers:
    """The metrics of all workers: of dead ones their counters, but not their gauges."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = MultiProcessCollector(None, str(folder))

    def collect(self) -> Any:
        alive = {process.pid for process in multiprocessing.active_children()}
        for file in self._folder.iterdir():
            if (found := _LIVE_FILE.fullmatch(file.name)) and (pid := int(found[1])) not in alive:
                mark_process_dead(pid, str(self._folder))
        return self._files.collect()

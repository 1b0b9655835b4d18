"""A worker that is killed in the moment that is worst for who should notice."""

import os
import signal
import time
from pathlib import Path

from app.embedded import processes
from tests.live import LiveServer, find_children, wait_until
from tests.servers import RedisServer

PATIENTLY = ("-m", "tests.programs.patient_server")
TWO_LOOKS_S = 1
"""The process that started the workers asks them every half a second how they are."""


def find_workers(server: LiveServer) -> set[int]:
    return {pid for pid in find_children(server.pid) if "spawn_main" in processes.read_command_line(pid)}


def test_a_worker_killed_while_it_owes_an_answer_is_replaced_at_once(
    mongo_uri: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    settings = {"mongo_uri": mongo_uri, "redis_url": redis_server.url}
    with LiveServer(tmp_path, "--workers", "2", program=PATIENTLY, **settings) as live:
        wait_until(lambda: len(live.find("Application startup complete.")) == 2)
        victim, other = find_workers(live)
        os.kill(victim, signal.SIGSTOP)
        time.sleep(TWO_LOOKS_S)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(live.find("Application startup complete.")) == 3)
        assert other in find_workers(live)

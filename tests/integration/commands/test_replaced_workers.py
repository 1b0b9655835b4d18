"""A worker that is killed in the moment that is worst for who should notice."""

import os
import signal
import time
from pathlib import Path

from tests.support.live import LiveServer, wait_until
from tests.support.servers import RedisServer

PATIENTLY = ("-m", "tests.programs.patient_server")
TWO_LOOKS_S = 1
"""The process that started the workers asks them every half a second how they are."""


def test_a_worker_killed_while_it_owes_an_answer_is_replaced_at_once(
    mongo_uri: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    settings = {"mongo_uri": mongo_uri, "redis_url": redis_server.url}
    with LiveServer(tmp_path, "--workers", "2", program=PATIENTLY, **settings) as live:
        wait_until(lambda: live.count_started() == 2)
        victim, other = live.find_workers()
        os.kill(victim, signal.SIGSTOP)
        time.sleep(TWO_LOOKS_S)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: live.count_started() == 3)
        assert other in live.find_workers()

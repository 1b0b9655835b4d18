"""Files pass both ways in memory that does not grow with them."""

from pathlib import Path

import pytest

from tests.support import forked
from tests.support.live import environment
from tests.support.servers import MongoServer

SMALL, LARGE = 12, 48
"""MiB: parts of both are on their way at the same time."""


@pytest.mark.parametrize("store", ["gridfs", "s3"])
def test_a_file_four_times_as_large_takes_no_more_memory(
    mongo_server: MongoServer, store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = request.getfixturevalue("s3_server").settings if store == "s3" else {}
    variables = environment(tmp_path, mongo_uri=mongo_server.uri_of("t_weighed"), **settings)
    words = ["tests.programs.weighed_files", str(SMALL), str(LARGE)]
    done = forked.run(words, cwd=tmp_path, env=variables, timeout_s=60)
    assert done.returncode == 0, done.stderr
    small, large = map(int, done.stdout.split())
    assert large < 2 * small, (small, large)

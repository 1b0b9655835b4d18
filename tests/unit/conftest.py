import logging
from collections.abc import Iterator

import pytest

from app.monitoring import logs


@pytest.fixture(autouse=True)
def _logging_as_in_production() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    logs.configure("info", "json")
    yield
    root.handlers[:], root.level = before

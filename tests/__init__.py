"""Two tiers: unit tests on mongomock-motor, integration tests on real servers."""

import os
import sys

# Each process that a test starts would compile the service anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

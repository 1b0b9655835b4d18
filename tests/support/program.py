"""The program, imported once: for the process from which the tests fork servers, workers and commands."""

import gc
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # its consoles look for a terminal only now
    import app.__main__  # noqa: F401 - for the processes that are forked

gc.collect()
gc.freeze()  # no fork looks through it again, and so copies it

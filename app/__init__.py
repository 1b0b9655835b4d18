"""The application: settings, wiring, and one package for each noun of the domain."""

import gc

# Here, before all else is imported: collections would take a fifth of that, and, at work, a third of a page
# of 100, which makes 700 containers that die with it.
gc.set_threshold(100_000, 50, 50)

__version__ = "0.1.0"
"""The same as in pyproject.toml."""

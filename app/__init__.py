"""The application: settings, wiring, and one package for each noun of the domain."""

__version__ = "0.1.0"
"""The same as in pyproject.toml."""

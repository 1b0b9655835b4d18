"""The application: settings, wiring, and one module per noun of what can be done."""

__version__ = "0.1.0"
"""As pyproject.toml says, too."""

"""The console: the files of the page at `/console`, its texts, and what the page is told."""

from app.console.assets import Asset, Assets
from app.console.console import Console

__all__ = ["Asset", "Assets", "Console"]

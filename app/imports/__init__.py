"""Imports: a file becomes a plan, row by row, which can be applied and reverted."""

from app.imports.import_views import ImportView
from app.imports.imports import Imports
from app.imports.uploads import Upload, combine, receive

__all__ = ["ImportView", "Imports", "Upload", "combine", "receive"]

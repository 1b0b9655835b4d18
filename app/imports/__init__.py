"""Imports: a file becomes a plan, row by row, which can be applied and reverted."""

from app.imports.import_views import ImportPage, ImportView, RowPage
from app.imports.imports import Imports
from app.imports.uploads import Upload, combine, receive

__all__ = ["ImportPage", "ImportView", "Imports", "RowPage", "Upload", "combine", "receive"]

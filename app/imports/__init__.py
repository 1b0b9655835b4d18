"""Imports: a file becomes a plan, row by row, which is then applied."""

from app.imports.applying import apply, begin
from app.imports.import_views import ImportPage, ImportView, RowPage, delete, find, list_all, page
from app.imports.planning import plan
from app.imports.reverting import submit as revert
from app.imports.sheets import begin as begin_sheet
from app.imports.submitting import check_room, submit
from app.imports.uploads import Upload, combine, receive

__all__ = [
    "ImportPage",
    "ImportView",
    "RowPage",
    "Upload",
    "apply",
    "begin",
    "begin_sheet",
    "check_room",
    "combine",
    "delete",
    "find",
    "list_all",
    "page",
    "plan",
    "receive",
    "revert",
    "submit",
]

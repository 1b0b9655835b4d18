"""Exports: the listing's users as a file, streamed to whoever waits, or made by a job and kept."""

from app.exports.schedules import Schedules
from app.exports.stored_exports import Export, Exports, check

__all__ = ["Export", "Exports", "Schedules", "check"]

"""Exports: the users of a listing as a file, streamed, or made by a job and stored."""

from app.exports.schedules import Schedules
from app.exports.stored_exports import Export, Exports, check

__all__ = ["Export", "Exports", "Schedules", "check"]

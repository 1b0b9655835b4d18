"""Exports: the listing's users as a file, streamed to whoever waits, or made by a job and kept."""

from app.exports.stored_exports import Export, check, delete, expect, find, open_file, page, submit, write
from app.exports.streaming import begin

__all__ = ["Export", "begin", "check", "delete", "expect", "find", "open_file", "page", "submit", "write"]

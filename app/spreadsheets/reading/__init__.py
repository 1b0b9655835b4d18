"""Spreadsheets that others wrote, as rows: read by a process of its own, within limits, as a stream."""

from app.spreadsheets.reading.tables import Inspection, Table, inspect, open_table
from app.spreadsheets.reading.texts import ENCODINGS
from app.spreadsheets.reading.values import Cell, Choices, Formula, Limits, SourceRow, Unread

__all__ = [
    "ENCODINGS",
    "Cell",
    "Choices",
    "Formula",
    "Inspection",
    "Limits",
    "SourceRow",
    "Table",
    "Unread",
    "inspect",
    "open_table",
]

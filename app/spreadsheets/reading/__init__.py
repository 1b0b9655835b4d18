"""Spreadsheets that others wrote, as rows: read by a process of its own, within limits, as a stream."""

from app.spreadsheets.reading.tables import Inspection, Table, inspect, open_table
from app.spreadsheets.reading.values import (
    Cell,
    Choices,
    Formula,
    Limits,
    SourceRow,
    UncertainEncodingError,
    Unread,
)

__all__ = [
    "Cell",
    "Choices",
    "Formula",
    "Inspection",
    "Limits",
    "SourceRow",
    "Table",
    "UncertainEncodingError",
    "Unread",
    "inspect",
    "open_table",
]

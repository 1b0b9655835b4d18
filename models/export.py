"""The formats of an export."""

from typing import Final, Literal

Format = Literal["csv", "xlsx", "ndjson", "ods"]
WorkbookFormat = Literal["xlsx", "ods"]

MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ndjson": "application/x-ndjson",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}

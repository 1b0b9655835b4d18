"""Finds in a server's log why it did not start."""

import contextlib
import json
from pathlib import Path

_SILENT = "it wrote no log"


def find_last_error(path: Path, *, start: int) -> str:
    """The last error since byte `start`, where this run began to write; else the last line."""
    try:
        log = path.read_bytes()
    except OSError:
        return _SILENT
    recent = log[start:] if start <= len(log) else log  # shorter: it was rotated meanwhile
    lines = [line for line in recent.decode(errors="replace").splitlines() if line.strip()]
    errors = (error for line in reversed(lines) if (error := _read_error(line)))
    return next(errors, lines[-1] if lines else _SILENT)


def _read_error(line: str) -> str | None:
    if " # " in line:  # Redis marks its warnings so, and all its start-up errors are warnings
        return line.split(" # ", 1)[1]
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        entry = json.loads(line)
        if (
            entry["s"] in {"E", "F"} and entry["c"] != "ASSERT"
        ):  # these only repeat the number of the previous error
            details = entry.get("attr", {})
            return f"{entry['msg']} {details.get('error', details) or ''}".strip()
    return None

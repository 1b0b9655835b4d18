"""What `make office` found, as docs/office.md has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from office.programs import Program

REPORT: Final = Path("docs/office.md")
_MOST_LISTED: Final = 12
_LONGEST: Final = 60
_INTRODUCTION: Final = (
    "Written by `make office`: an export of ours is opened and saved by each program, and imported again as "
    "a plan. Every row should be `unchanged`; what is not is listed below. The people are a thousand "
    "samples and those of `office/people.py`, whose values programs take for numbers, dates, times, formulas "
    "and escapes."
)


@dataclass(frozen=True, slots=True)
class Trip:
    program: Program
    before: str
    after: str
    counts: dict[str, int] = field(default_factory=dict)
    differing: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the plan that are not unchanged."""
    failure: str | None = None
    """Why there is no plan."""

    @property
    def is_clean(self) -> bool:
        return self.failure is None and set(self.counts) <= {"unchanged"}


def write(trips: Sequence[Trip]) -> str:
    names = dict.fromkeys(f"{trip.program.name} {trip.program.version}" for trip in trips)
    return "\n".join([
        "# Office programs", "",
        _INTRODUCTION, "",
        f"Programs: {', '.join(names)}.", "",
        "| Program | Opened | Saved as | Rows |", "|---|---|---|---|",
        *map(_line, trips), "",
        *(line for trip in trips for line in _list(trip)),
    ]).rstrip() + "\n"  # fmt: skip


def _line(trip: Trip) -> str:
    rows = trip.failure or ", ".join(f"{count} {status}" for status, count in sorted(trip.counts.items()))
    return f"| {trip.program.name} | {trip.before} | {trip.after} | {_cell(rows)} |"


def _list(trip: Trip) -> list[str]:
    if not trip.differing:
        return []
    shown = [_describe(row) for row in trip.differing[:_MOST_LISTED]]
    more = len(trip.differing) - len(shown)
    rest = [f"- and {more} more"] if more else []
    return [f"## {trip.program.name}: {trip.before} saved as {trip.after}", "", *shown, *rest, ""]


def _describe(row: dict[str, Any]) -> str:
    changes = [f"{each['pointer']} from `{each['from']!r:.{_LONGEST}}` to `{each['to']!r:.{_LONGEST}}`"
               for each in row["differences"]]  # fmt: skip
    errors = [f"{bad['column']}: {bad['detail']}" for bad in row["errors"]]
    return f"- row {row['row']}, {row['status']}: {_cell('; '.join([*changes, *errors]))}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

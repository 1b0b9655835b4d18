"""Replies about statistics: all series as JSON, or one as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import Response

from app.core.errors import FieldError, InvalidError
from app.core.mongo import Row
from app.spreadsheets import csv_file
from models.statistics import SERIES, PeopleOfDay, Queue, Series, SignInsOfDay, Statistics
from models.statistics import Active as ActivePeople

_LABELS: dict[Series, tuple[str, ...]] = {
    "people": tuple(PeopleOfDay.model_fields),
    "sign_ins": tuple(SignInsOfDay.model_fields),
    "active": tuple(ActivePeople.model_fields),
    "queues": tuple(Queue.model_fields),
}
"""The columns of series that are tables as they are."""
_SHARE = ("kind", "value", "people")


def json(found: Row) -> Response:
    whole = Statistics.model_validate(dict.fromkeys(SERIES) | found)
    return Response(whole.model_dump_json(), media_type="application/json")


def only(series: Sequence[Series]) -> Series:
    """The one series of a table. InvalidError where it is none or several."""
    if len(set(series)) != 1:
        detail = f"For CSV, one of {', '.join(SERIES)}."
        raise InvalidError("A table holds one series.", errors=(FieldError(detail, parameter="series"),))
    return series[0]


def csv(found: Row, series: Series) -> Response:
    content = csv_file.table(_LABELS.get(series, _SHARE), _rows(found.get(series) or [], series))
    return Response(
        content,
        media_type=csv_file.CsvWriter.media_type,
        headers={"Content-Disposition": f'attachment; filename="{series}.csv"'},
    )


def _rows(found: Any, series: Series) -> Iterator[Sequence[Any]]:
    if series in _LABELS:
        yield from ([row[label] for label in _LABELS[series]] for row in found)
    elif found:
        yield from (("value", item["value"], item["people"]) for item in found["items"])
        yield "others", None, found["others"]
        yield "missing", None, found["missing"]

"""`/statistics`: the directory in figures."""

from typing import Any

from fastapi import APIRouter, Response

from app.core.errors import InvalidError
from app.http import statistics_replies
from app.http.dependencies import Backends, Reader, StatisticsOptions, WantsCsv, query_parameters
from app.http.json_route import JsonRoute
from app.http.problems import PROTECTED, responses
from models.export import MEDIA_TYPES
from models.statistics import Statistics, StatisticsQuery

router = APIRouter(tags=["statistics"], route_class=JsonRoute)

_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The series; as CSV a table of one, with a line of headings.",
        "content": {MEDIA_TYPES["csv"]: {"schema": {"format": "binary"}}},
    }
}


@router.get(
    "/statistics",
    response_model=Statistics,
    summary="People and sign-ins by day, shares of values, sizes of queues",
    openapi_extra=query_parameters(StatisticsQuery),
    responses=responses(InvalidError, *PROTECTED) | _CSV,
)
async def read_statistics(
    asked: StatisticsOptions, _: Reader, opened: Backends, *, wants_csv: WantsCsv
) -> Response:
    """Counted by a periodic task, each minute or as often as takes a hundredth of its time; `queues` at once.

    Days are those of UTC. CSV by `format=csv` or `Accept: text/csv`, of one series.
    """
    if asked.format == "csv" or (asked.format is None and wants_csv):
        series = statistics_replies.only(asked.series)
        return statistics_replies.csv(await opened.statistics.read(asked), series)
    return statistics_replies.json(await opened.statistics.read(asked))

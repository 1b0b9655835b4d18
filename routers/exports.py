"""`/users/export`: listings as downloads."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response

from app.core.errors import BusyError, InvalidError, NotAcceptableError
from app.http import replies
from app.http.dependencies import (
    AcceptedFormat,
    Backends,
    Exporter,
    ExportOptions,
    FileOptions,
    query_parameters,
)
from app.http.problems import PROTECTED, responses
from models.export import MEDIA_TYPES, Format
from models.listing import ExportQuery, FileQuery

router = APIRouter(tags=["export"])

FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, streamed. If the transfer breaks, the file is incomplete: download it "
        "again.",
        "headers": replies.AGED,
        "content": {media_type: {"schema": {"format": "binary"}} for media_type in MEDIA_TYPES.values()},
    }
}


def _file(form: Format) -> dict[int | str, dict[str, Any]]:
    return {200: FILE[200] | {"content": {MEDIA_TYPES[form]: {"schema": {"format": "binary"}}}}}


@router.get(
    "/users/export",
    response_class=Response,
    summary="Download users as CSV, XLSX, ODS or NDJSON",
    openapi_extra=query_parameters(ExportQuery),
    responses=responses(NotAcceptableError, InvalidError, BusyError, *PROTECTED) | FILE,
)
async def export_users(
    asked: ExportOptions, _: Exporter, backends: Backends, accepted: AcceptedFormat
) -> Response:
    """The format is `format`, else the best one in `Accept`, else CSV.

    Text that a spreadsheet would run as a formula gets an apostrophe in CSV; in workbooks it is plain text.
    """
    form = asked.format or accepted
    if form is None:
        raise NotAcceptableError(f"Exports are available as {', '.join(MEDIA_TYPES.values())}.")
    return await _download(backends, asked, form)


@router.get(
    "/users/export/csv",
    response_class=Response,
    summary="Download users as CSV",
    openapi_extra=query_parameters(FileQuery),
    responses=responses(InvalidError, BusyError, *PROTECTED) | _file("csv"),
)
async def export_users_csv(asked: FileOptions, _: Exporter, backends: Backends) -> Response:
    """UTF-8 with a byte order mark, so that Excel shows every script correctly."""
    return await _download(backends, asked, "csv")


@router.get(
    "/users/export/excel",
    response_class=Response,
    summary="Download users as an Excel workbook",
    openapi_extra=query_parameters(FileQuery),
    responses=responses(InvalidError, BusyError, *PROTECTED) | _file("xlsx"),
)
async def export_users_excel(asked: FileOptions, _: Exporter, backends: Backends) -> Response:
    """Dates are dates, phone numbers and zip codes are text; the heading is bold, frozen and has filters."""
    return await _download(backends, asked, "xlsx")


async def _download(backends: Backends, asked: FileQuery, form: Format) -> Response:
    sheet, chunks = await backends.exports.begin(asked, form)
    name = f"users-{datetime.now(UTC):%Y%m%d-%H%M%S}.{sheet.extension}"
    return replies.Download(chunks, media_type=sheet.media_type, filename=name)

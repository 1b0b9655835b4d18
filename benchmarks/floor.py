"""The floor: one query of the public fields, one decode, orjson or csv.writer; nothing checked or guarded.

The XLSX is openpyxl's write-only workbook, fed by the same cursor.
"""

import csv
import io
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import bson
import orjson
from openpyxl import Workbook
from pymongo import AsyncMongoClient, MongoClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

Row = dict[str, Any]

# What users hold beside these (keys, facets) is never answered.
PUBLIC = (
    *("username", "email", "name", "phone", "avatar_url", "locale", "tags", "scopes", "is_active", "profile"),
    *("email_verified", "created_at", "updated_at", "last_login_at", "last_login_ip", "version"),
)
ADDRESS = ("label", "street", "city", "region", "zipcode", "country")
EVERY = (
    *("id", "username", "email", "name", "phone", "avatar_url", "locale", "tags", "scopes", "is_active"),
    *("bio", "age", "title", "department"),
    *(f"address{place}_{part}" for place in (1, 2, 3) for part in ADDRESS),
    *("addresses_more", "email_verified", "created_at", "updated_at", "last_login_at", "last_login_ip"),
    "version",
)
SIX = ("id", "name", "email", "age", "bio", "address1_city")
TWELVE = (
    *("id", "username", "email", "phone", "name", "department", "address1_street", "age", "version"),
    *("is_active", "created_at", "last_login_at"),
)
COLUMNS = {len(columns): columns for columns in (EVERY, SIX, TWELVE)}
"""The column sets an export can be asked for by their number, `?columns=6`."""

_JSON = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_ORDER = [("created_at", 1), ("_id", 1)]
_EXPORT_ROWS = 1000
_CHUNK = 1 << 16
_NO_ADDRESS: Row = {}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    client: AsyncMongoClient[Row] = AsyncMongoClient(os.environ["MONGO_URI"])
    app.state.users = client.get_default_database()["users"]
    yield
    await client.close()


async def page(request: Request) -> Response:
    limit = int(request.query_params.get("limit", 10))
    users = request.app.state.users
    batches = users.find_raw_batches({}, dict.fromkeys(PUBLIC, 1)).sort(_ORDER).limit(limit)
    rows: list[Row] = []
    async for batch in batches:
        rows += bson.decode_all(batch)
    for row in rows:
        row["id"] = str(row.pop("_id"))
    return Response(orjson.dumps(rows, option=_JSON), media_type="application/json")


async def export_csv(request: Request) -> Response:
    columns = COLUMNS[int(request.query_params.get("columns", len(SIX)))]
    cells = CELLS[columns]

    async def lines() -> AsyncIterator[bytes]:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(columns)
        batches = request.app.state.users.find_raw_batches(
            {}, _projection(columns), sort=_ORDER, batch_size=_EXPORT_ROWS
        )
        async for batch in batches:
            writer.writerows(map(cells, bson.decode_all(batch)))
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()

    return StreamingResponse(lines(), media_type="text/csv")


async def export_xlsx(request: Request) -> Response:
    columns = COLUMNS[int(request.query_params.get("columns", len(TWELVE)))]
    return StreamingResponse(_workbook(columns))


def _workbook(columns: tuple[str, ...]) -> Iterator[bytes]:
    """Run in a thread, being a plain generator; openpyxl has nothing to send until the end."""
    cells = CELLS[columns]
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.append(columns)
    with MongoClient[Row](os.environ["MONGO_URI"]) as client, tempfile.TemporaryFile() as out:
        users = client.get_default_database()["users"]
        for batch in users.find_raw_batches({}, _projection(columns), sort=_ORDER, batch_size=_EXPORT_ROWS):
            raw = cast("bytes", batch)  # declared as decoded documents
            for row in bson.decode_all(raw):
                sheet.append(cells(row))
        workbook.save(out)
        out.seek(0)
        while chunk := out.read(_CHUNK):
            yield chunk


def _projection(columns: tuple[str, ...]) -> dict[str, int]:
    nested = {name: f"profile.{name}" for name in ("bio", "age", "title", "department")}
    paths = {
        f"profile.addresses.{column[9:]}" if column.startswith("address") else nested.get(column, column)
        for column in columns
        if column not in ("id", "addresses_more")
    }
    if "addresses_more" in columns:
        paths = {path for path in paths if not path.startswith("profile.addresses.")} | {"profile.addresses"}
    return dict.fromkeys(sorted(paths), 1)


def _six(row: Row) -> tuple[Any, ...]:
    profile = row["profile"]
    addresses = profile["addresses"]
    city = addresses[0]["city"] if addresses else None
    return (str(row["_id"]), row["name"], row["email"], profile["age"], profile["bio"], city)


def _twelve(row: Row) -> tuple[Any, ...]:
    profile = row["profile"]
    addresses = profile["addresses"]
    return (
        *(str(row["_id"]), row["username"], row["email"], row["phone"], row["name"], profile["department"]),
        *(addresses[0]["street"] if addresses else None, profile["age"], row["version"], row["is_active"]),
        *(row["created_at"], row["last_login_at"]),
    )


def _every(row: Row) -> tuple[Any, ...]:
    profile = row["profile"]
    addresses = profile["addresses"]
    padded = (*addresses, _NO_ADDRESS, _NO_ADDRESS, _NO_ADDRESS)
    more = orjson.dumps(addresses[3:]).decode() if len(addresses) > 3 else None
    return (
        *(str(row["_id"]), row["username"], row["email"], row["name"], row["phone"], row["avatar_url"]),
        *(row["locale"], ",".join(row["tags"]), ",".join(row["scopes"]), row["is_active"], profile["bio"]),
        *(profile["age"], profile["title"], profile["department"]),
        *(address.get(part) for address in padded[:3] for part in ADDRESS),
        *(more, row["email_verified"], row["created_at"], row["updated_at"], row["last_login_at"]),
        *(row["last_login_ip"], row["version"]),
    )


CELLS: dict[tuple[str, ...], Callable[[Row], tuple[Any, ...]]] = {SIX: _six, TWELVE: _twelve, EVERY: _every}

app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/users", page),
        Route("/users/export/csv", export_csv),
        Route("/users/export/xlsx", export_xlsx),
    ],
)

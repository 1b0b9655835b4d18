"""Downloads as their callers see them: the listing's users, in the listing's order, nothing lost or run."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from bson import Decimal128, ObjectId

from app.commands.samples import add
from app.container import Container
from models.listing import ExportQuery
from tests.support.databases import PreparedDatabases
from tests.support.exports import (
    TIMES,
    as_cells,
    as_text,
    flatten,
    read_cells,
    read_lines,
    read_texts,
    walk,
)
from tests.unit.spreadsheets.files import (
    NASTY,
    open_with_calamine,
    open_with_openpyxl,
    read_csv,
    show_escapes,
)

SORTS = [
    f"{sign}{field}"
    for field in ("created_at", "updated_at", "name", "email", "username", "last_login_at", "age")
    for sign in ("", "-")
]
FILTERS = [
    "is_active=false",
    "is_active=true&is_active=false",
    "scope=users:read",
    "scope=users:read&scope=users:admin",
    "age_min=30&age_max=40",
    "created_from=2024-01-01&created_to=2024-12-31",
    "updated_to=2025-01-01",
    "last_login_from=2024-06-01T00:00:00Z",
    "last_login_to=2026-01-01&sort=-name",
    "age_max=50&is_active=true&sort=email",
    "city=Nowhere",
]
OF_A_USER = ("email", "username", "phone", "id")
OF_MANY = ("tag", "department", "city", "country")


@pytest.fixture(scope="module")
async def people(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """A directory of 400 sample people; tests that add to it say so by a tag of their own."""
    async with prepared_databases.serving() as client:
        await add(backends(client), 400)
        yield client


def backends(client: httpx.AsyncClient) -> Container:
    found: Container = client.app.state.container  # type: ignore[attr-defined]  # the handle of `serving`
    return found


async def export(client: httpx.AsyncClient, form: str, query: str = "") -> bytes:
    reply = await client.get(f"/users/export?format={form}&{query}")
    assert reply.status_code == 200, reply.text
    return reply.content


async def create(client: httpx.AsyncClient, users: list[dict[str, Any]]) -> list[dict[str, Any]]:
    created = []
    for user in users:
        reply = await client.post("/users", json=user)
        assert reply.status_code == 201, reply.text
        created.append(reply.json())
    return created


async def agree(client: httpx.AsyncClient, query: str, addresses: int = 3) -> list[dict[str, Any]]:
    """The listed users, once all three files were found to hold just them in the same order."""
    listed = await walk(client, query)
    flat = [flatten(user, addresses) for user in listed]
    more = f"{query}&addresses={addresses}"
    assert read_lines(await export(client, "ndjson", query)) == listed
    assert read_texts(await export(client, "csv", more)) == [as_text(user) for user in flat]
    assert read_cells(await export(client, "xlsx", more)) == [as_cells(user) for user in flat]
    return listed


async def test_all_three_files_hold_every_column_of_every_listed_user(people: httpx.AsyncClient) -> None:
    assert len(await agree(people, "")) >= 400


@pytest.mark.parametrize("sort", SORTS)
async def test_a_file_is_in_the_order_of_the_listing(sort: str, people: httpx.AsyncClient) -> None:
    listed = await walk(people, f"sort={sort}")
    assert len(listed) >= 400
    assert read_lines(await export(people, "ndjson", f"sort={sort}")) == listed


@pytest.mark.parametrize("query", FILTERS)
async def test_a_file_has_just_the_users_that_the_listing_finds(
    query: str, people: httpx.AsyncClient
) -> None:
    found = await agree(people, query)
    assert len(found) < 400 or "is_active=true&is_active=false" in query
    assert bool(found) == (query != "city=Nowhere")


@pytest.mark.parametrize("name", [*OF_A_USER, *OF_MANY])
async def test_a_file_honours_the_filters_by_a_value_and_by_several(
    name: str, people: httpx.AsyncClient
) -> None:
    values = list(dict.fromkeys(_values(await walk(people), name)))[:2]
    for chosen in (values[:1], values):
        query = str(httpx.QueryParams({name: chosen}))
        found = await agree(people, query)
        assert found
        assert len(found) == len(chosen) if name in OF_A_USER else len(found) < 400


def _values(users: list[dict[str, Any]], name: str) -> list[str]:
    if name == "tag":
        return [tag for user in users for tag in user["tags"]]
    if name in {"city", "country"}:
        return [place[name] for user in users for place in user["profile"]["addresses"] if place[name]]
    return [value for user in users if (value := (user | user["profile"])[name])]


async def test_columns_come_in_the_order_asked_for_under_the_names_asked_for(
    people: httpx.AsyncClient,
) -> None:
    asked = "sort=name&columns=age,name:Name des Menschen,address1_city:=Ort,id"
    listed = await walk(people, "sort=name")
    expected = [
        (user["profile"]["age"], user["name"], flatten(user)["address1_city"], user["id"]) for user in listed
    ]
    header, *rows = read_csv(await export(people, "csv", asked))
    assert header == ["age", "Name des Menschen", "'=Ort", "id"]
    assert [row[3] for row in rows] == [user["id"] for user in listed]
    cells = read_cells(await export(people, "xlsx", asked))
    assert [tuple(row.values()) for row in cells] == expected
    lines = read_lines(await export(people, "ndjson", asked))
    assert list(lines[0]) == ["age", "Name des Menschen", "=Ort", "id"]
    assert [tuple(line.values()) for line in lines] == expected


@pytest.mark.parametrize("addresses", [0, 1, 9, 10])
async def test_of_ten_addresses_nothing_is_cut_off(addresses: int, people: httpx.AsyncClient) -> None:
    ten = [{part: f"{part} {place}" for part in ("street", "city", "zipcode")} for place in range(10)]
    tag = f"ten-{addresses}"
    sent = {"name": "Ten", "email": f"{tag}@example.com", "tags": [tag], "profile": {"addresses": ten}}
    await create(people, [sent])
    (user,) = await agree(people, f"tag={tag}", addresses)
    kept = [{key: value for key, value in place.items() if value} for place in user["profile"]["addresses"]]
    assert kept == ten


async def test_a_user_without_the_optional_fields_leaves_empty_cells(people: httpx.AsyncClient) -> None:
    await create(people, [{"name": "Bare", "email": "bare@example.com", "tags": ["bare"]}])
    await agree(people, "tag=bare")
    (texts,) = read_texts(await export(people, "csv", "tag=bare"))
    filled = {name for name, text in texts.items() if text}
    assert filled == {
        *("id", "email", "email_verified", "name", "tags", "scopes", "is_active"),
        *("created_at", "updated_at", "version"),
    }


async def test_names_that_a_spreadsheet_would_run_or_choke_on_are_read_back_as_they_were(
    people: httpx.AsyncClient,
) -> None:
    names = [*(name for name in NASTY if name.strip()), "bell \a, null-like \ufffe and \v tab", "@\x1bcmd"]
    users = [
        {"name": str(place), "email": f"nasty-{place}@example.com", "tags": ["nasty"]}
        for place in range(len(names))
    ]
    for user, name in zip(await create(people, users), names, strict=True):
        # some of them were taken by earlier releases alone
        await backends(people).connections.users.update_one(
            {"_id": ObjectId(user["id"])}, {"$set": {"name": name}}
        )
    listed = await walk(people, "tag=nasty")
    assert sorted(user["name"] for user in listed) == sorted(names)
    assert read_lines(await export(people, "ndjson", "tag=nasty")) == listed
    texts = read_texts(await export(people, "csv", "tag=nasty"))
    assert texts == [as_text(flatten(user)) for user in listed]
    workbook = await export(people, "xlsx", "tag=nasty")
    cells = read_cells(workbook)
    shown = [flatten(user) | {"name": show_escapes(user["name"])} for user in listed]
    assert cells == [as_cells(user) for user in shown]
    calamine = open_with_calamine(workbook).get_sheet_by_index(0).to_python()
    assert [show_escapes(row[3]) for row in calamine[1:]] == [user["name"] for user in shown]


async def test_no_cell_of_a_csv_begins_with_what_a_spreadsheet_would_run(people: httpx.AsyncClient) -> None:
    risky = ("=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "\t=1")
    users = [
        {
            "name": text,
            "email": f"=risky{place}@example.com",
            "tags": [f"risky{place}", "risky"],
            "phone": f"+49 30 90182{place}",
            "profile": {"bio": text, "title": text, "addresses": [{"street": text, "zipcode": "-1"}]},
        }
        for place, text in enumerate(risky)
    ]
    await create(people, users)
    _, *rows = read_csv(await export(people, "csv", "tag=risky&addresses=0"))
    assert len(rows) == len(risky)
    cells = [cell for row in rows for cell in row if cell]
    assert not [cell for cell in cells if cell[0] in "=+-@\t\r"]
    assert sum(cell.startswith("'+49") for cell in cells) == len(risky)


async def test_a_workbook_keeps_texts_of_digits_as_texts_and_types_the_rest(
    people: httpx.AsyncClient,
) -> None:
    sent = {
        "name": "00123",
        "email": "typed@example.com",
        "phone": "+49 30 555001",
        "tags": ["typed"],
        "profile": {"age": 41, "addresses": [{"zipcode": "01234", "street": "12345678901234567890"}]},
    }
    (user,) = await create(people, [sent])
    workbook = await export(people, "xlsx", "tag=typed")
    (cells,) = read_cells(workbook)
    assert {name: cells[name] for name in ("id", "name", "phone", "address1_zipcode", "address1_street")} == {
        "id": user["id"],
        "name": "00123",
        "phone": "+4930555001",
        "address1_zipcode": "01234",
        "address1_street": "12345678901234567890",
    }
    assert type(cells["age"]) is int
    assert cells["is_active"] is True
    assert cells["created_at"] == datetime.fromisoformat(user["created_at"]).replace(tzinfo=None)
    header, row = open_with_calamine(workbook).get_sheet_by_name("Users").to_python()
    calamine = dict(zip(header, row, strict=True))
    assert isinstance(calamine["created_at"], datetime)
    assert (calamine["phone"], calamine["age"], calamine["is_active"]) == ("+4930555001", 41, True)
    sheet = open_with_openpyxl(workbook).worksheets[0]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", sheet.dimensions)
    assert all(cell.font.b for cell in sheet[1])


@pytest.mark.parametrize(
    ("path", "media_type", "extension"),
    [
        ("/users/export", "text/csv; charset=utf-8; header=present", "csv"),
        ("/users/export?format=ndjson", "application/x-ndjson", "ndjson"),
        ("/users/export/csv", "text/csv; charset=utf-8; header=present", "csv"),
        (
            "/users/export/excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
    ],
)
async def test_a_file_says_what_it_is_and_head_says_the_same_without_it(
    path: str, media_type: str, extension: str, people: httpx.AsyncClient
) -> None:
    got = await people.get(path)
    assert got.status_code == 200
    assert got.headers["content-type"] == media_type
    disposition = rf'attachment; filename="users-\d{{8}}-\d{{6}}\.{extension}"'
    assert re.fullmatch(disposition, got.headers["content-disposition"])
    assert got.headers["cache-control"] == "no-store"
    assert "content-length" not in got.headers
    head = await people.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == media_type
    assert head.headers.keys() == got.headers.keys()


async def test_the_short_paths_are_the_same_files(people: httpx.AsyncClient) -> None:
    query = "sort=-age&is_active=true&columns=id,age,created_at"
    csv = await people.get(f"/users/export/csv?{query}")
    assert csv.content == await export(people, "csv", query)
    assert csv.content.startswith(b"\xef\xbb\xbfid,age,created_at\r\n")
    assert csv.content.count(b"\r\n") == csv.content.count(b"\n")
    assert csv.content.endswith(b"\r\n")
    excel = await people.get(f"/users/export/excel?{query}")
    assert read_cells(excel.content) == read_cells(await export(people, "xlsx", query))


CSV, XLSX, NDJSON = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/x-ndjson",
)


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", CSV),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", CSV),
        (XLSX, XLSX),
        (f"text/csv;q=0.5, {XLSX};q=0.9", XLSX),
        (f"{NDJSON}, */*;q=0.1", NDJSON),
        ("application/*", XLSX),
        ("text/csv;q=0, */*", XLSX),
        ("TEXT/CSV", CSV),
        ("application/*;q=0.8, application/x-ndjson;q=0.2, text/*;q=0.5", XLSX),
        ("application/json", None),
        ("text/csv;q=0", None),
        ("image/*", None),
        ("nonsense", None),
    ],
)
async def test_without_a_format_the_best_that_accept_names_is_sent(
    accept: str, answered: str | None, people: httpx.AsyncClient
) -> None:
    reply = await people.get("/users/export?age_min=150", headers={"Accept": accept})
    if answered is None:
        assert (reply.status_code, reply.json()["code"]) == (406, "not_acceptable")
        assert XLSX in reply.json()["detail"]
        return
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith(answered)


async def test_a_format_goes_before_accept(people: httpx.AsyncClient) -> None:
    reply = await people.get("/users/export?format=ndjson&age_min=150", headers={"Accept": XLSX})
    assert reply.headers["content-type"] == NDJSON


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/users/export?columns=nmae", "columns"),
        ("/users/export?columns=", "columns"),
        ("/users/export?columns=name,name", "columns"),
        ("/users/export?columns=keys.email", "columns"),
        ("/users/export?format=ndjson&columns=password_hash", "columns"),
        ("/users/export/excel?columns=name:,email", "columns"),
        ("/users/export?addresses=11", "addresses"),
        ("/users/export?addresses=-1", "addresses"),
        ("/users/export?format=pdf", "format"),
        ("/users/export?limit=10", "limit"),
        ("/users/export?cursor=x", "cursor"),
        ("/users/export?fields=name", "fields"),
        ("/users/export?colour=red", "colour"),
        ("/users/export/csv?format=xlsx", "format"),
        ("/users/export?sort=password", "sort"),
        ("/users/export?email[$ne]=x", "email[$ne]"),
        ("/users/export?format=csv&format=xlsx", "format"),
    ],
)
async def test_a_bad_parameter_is_refused_before_any_byte_of_a_file(
    path: str, parameter: str, people: httpx.AsyncClient
) -> None:
    reply = await people.get(path)
    assert reply.status_code == 422, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == "validation_failed"
    assert {error["parameter"] for error in reply.json()["errors"]} == {parameter}


async def test_a_file_of_nobody_is_whole(people: httpx.AsyncClient) -> None:
    assert read_texts(await export(people, "csv", "age_min=150")) == []
    assert read_cells(await export(people, "xlsx", "age_min=150")) == []
    assert await export(people, "ndjson", "age_min=150") == b""


async def test_no_file_and_no_column_tells_what_is_hidden(people: httpx.AsyncClient) -> None:
    lines = read_lines(await export(people, "ndjson"))
    assert not {key for line in lines for key in line} & {"keys", "facets", "_id", "password_hash"}
    header = read_csv(await export(people, "csv", "age_min=150"))[0]
    assert not {"keys", "facets", "_id", "password_hash"} & set(header)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
async def test_times_have_six_digits_of_fraction_though_some_are_whole_seconds(
    form: str, people: httpx.AsyncClient
) -> None:
    tag = f"seconds-{form}"
    (whole, _) = await create(
        people, [{"name": "Ana", "email": f"{tag}-{n}@example.com", "tags": [tag]} for n in range(2)]
    )
    moment = datetime(2024, 10, 14, 5, 33, 8, tzinfo=UTC)
    stored = {"_id": ObjectId(whole["id"])}
    await backends(people).connections.users.update_one(
        stored, {"$set": {"created_at": moment, "last_login_at": moment}}
    )
    read = {"csv": read_texts, "ndjson": read_lines}[form]
    rows = read(await export(people, form, f"tag={tag}"))
    found = {row["id"]: row for row in rows}[whole["id"]]
    assert found["created_at"] == found["last_login_at"] == "2024-10-14T05:33:08.000000Z"
    times = [row[name] for row in rows for name in TIMES if row[name]]
    assert all(re.fullmatch(r"[0-9T:-]{19}\.[0-9]{6}Z", text) for text in times), times


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_malformed_rows_are_reported_and_left_out(
    form: str, people: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled = {
        "name": 5,
        "profile.age": float("nan"),
        "created_at": datetime(1, 1, 1),  # noqa: DTZ001 - BSON dates have no zone
        "tags": "not a list",
        "is_active": "yes",
        "version": Decimal128("1.5"),
        "profile.addresses": [1],
        "email": b"\xff",
    }
    tag = f"spoiled-{form}"
    users = [
        {"name": f"P{place}", "email": f"{tag}-{place}@example.com", "tags": [tag]}
        for place in range(len(spoiled) + 2)
    ]
    created = await create(people, users)
    collection = backends(people).connections.users.with_options()
    for user, (field, value) in zip(created, spoiled.items(), strict=False):
        await backends(people).connections.database.command(
            "update",
            collection.name,
            updates=[{"q": {"_id": ObjectId(user["id"])}, "u": {"$set": {field: value}}}],
            bypassDocumentValidation=True,
        )
    capsys.readouterr()
    read = {"csv": read_texts, "xlsx": read_cells, "ndjson": read_lines}[form]
    rows = read(await export(people, form, f"tag={tag}"))
    assert [row["id"] for row in rows] == [user["id"] for user in created[-2:]]
    log = capsys.readouterr().err
    for user, field in zip(created, spoiled, strict=False):
        line = next(line for line in log.splitlines() if user["id"] in line)
        assert "unreadable_row" in line
        assert field in line
        assert "P0" not in line
    await collection.delete_many({"facets": f"tag:{tag}"})


async def test_no_time_limit_of_the_first_row_bounds_the_sum_of_all_batches(
    people: httpx.AsyncClient,
) -> None:
    """MongoDB counts a `maxTimeMS` of the find over every batch of its cursor."""
    database = backends(people).connections.database
    await database.command("profile", 2)
    try:
        await export(people, "csv")
        await database.command("profile", 0)
        finds = await database["system.profile"].find({"command.find": "users"}).to_list()
    finally:
        await database.command("profile", 0)
        await database.drop_collection("system.profile")
    assert finds
    assert not [find for find in finds if "maxTimeMS" in find["command"]]


async def test_a_first_row_that_takes_too_long_is_503_and_makes_room_for_others(
    people: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.listing.streams.BATCH_ROWS", 1_000)  # all at once: nothing is left to fetch
    monkeypatch.setattr("app.exports.streaming.FIRST_BATCH_S", 0.000_001)
    reply = await people.get("/users/export?format=csv")
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) >= 1
    assert not backends(people).exports.running.locked()


async def test_an_export_that_is_begun_and_dropped_closes_its_cursor(
    people: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client may be gone before the first byte."""
    monkeypatch.setattr("app.listing.streams.BATCH_ROWS", 10)
    opened = backends(people)
    _, chunks = await opened.exports.begin(ExportQuery(), "csv")
    assert await idle_cursors(opened) == 1
    await chunks.aclose()
    assert await idle_cursors(opened) == 0


async def idle_cursors(opened: Container) -> int:
    found = await opened.connections.database.client.admin.aggregate(
        [
            {"$currentOp": {"idleCursors": True, "allUsers": True}},
            {"$match": {"type": "idleCursor", "ns": f"{opened.connections.database.name}.users"}},
        ]
    )
    return len(await found.to_list())


async def test_many_exports_dropped_anywhere_leave_neither_cursor_nor_task(
    people: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.listing.streams.BATCH_ROWS", 20)
    opened = backends(people)
    running = asyncio.Semaphore(100)
    before = asyncio.all_tasks()

    async def drop(place: int) -> None:
        form: Any = ("csv", "xlsx", "ndjson", "ods")[place % 4]
        _, chunks = await opened.exports.begin(ExportQuery(), form, running=running)
        for _ in range(place % 7):
            await anext(chunks, None)
        await chunks.aclose()

    for start in range(0, 98, 14):
        await asyncio.gather(*(drop(start + place) for place in range(14)))
    assert await idle_cursors(opened) == 0
    left = asyncio.all_tasks() - before
    assert not [task for task in left if "pymongo" not in str(task)], "its monitors come and go"
    assert running._value == 100

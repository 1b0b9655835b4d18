"""GET /statistics: each day counted once, frozen when the day is over, and read without a scan."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from app.audit.sign_ins import SignIns
from app.container import Container
from app.core.clock import now
from app.statistics import shares
from models.statistics import SERIES
from tests.support import bulk
from tests.support.applying import apply, creation, deletion, plan
from tests.support.identity import ask_token, call, member, sign_in, token_of
from tests.support.jobs import Start
from tests.support.listing import add, document, spoil
from tests.support.users import create, database, problem, users

TODAY = now().date().isoformat()


def opened(client: httpx.AsyncClient) -> Container:
    return cast("Container", client.app.state.container)  # type: ignore[attr-defined]  # set by `serving`


async def counted(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    """The statistics after a new count."""
    await opened(client).auth.sign_ins.write()
    await opened(client).statistics.roll_up()
    return await read(client, **asked)


async def read(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    reply = await client.get("/statistics", params=asked)
    assert reply.status_code == 200, reply.text
    return cast("dict[str, Any]", reply.json())


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """The statistics' clock, which only asks which day it is."""
    monkeypatch.setattr("app.statistics.statistics.now", lambda: moment)


def share(found: dict[str, Any]) -> dict[str, int]:
    return {item["value"]: item["people"] for item in found["items"]}


# People by day


async def test_people_of_today_are_those_whom_requests_and_imports_made_and_deleted(
    client: httpx.AsyncClient,
) -> None:
    kept, gone = await create(client), await create(client)
    assert (await client.delete(f"/users/{gone['id']}")).status_code == 204
    await apply(client, await plan(client, [creation(), creation(), deletion(kept)]))
    batch = {"operations": [{"method": "create", "body": {"name": "Bo", "email": "bo@example.com"}}]}
    await client.post("/users:batch", json=batch)
    people = (await counted(client))["people"]
    held = await users(client).count_documents({})
    created = await database(client)["audit"].count_documents({"action": "created"})
    assert people == [{"day": TODAY, "created": created, "deleted": 2, "total": held}]
    assert created >= 4


async def test_people_whom_a_bulk_change_deletes_are_counted_as_the_others(starts: Start) -> None:
    client = await starts()
    made = [await create(client, tags=["leaving"]) for _ in range(3)]
    await create(client)
    await bulk.apply(client, await bulk.plan(client, "delete", ids=[user["id"] for user in made]))
    assert (await counted(client))["people"] == [{"day": TODAY, "created": 4, "deleted": 3, "total": 1}]


async def test_counting_again_and_at_once_counts_each_day_once(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await create(client)
    first = await counted(client)
    await asyncio.gather(*(opened(client).statistics.roll_up() for _ in range(5)))
    assert (await read(client))["people"] == first["people"]
    assert await database(client)["daily_figures"].count_documents({}) == 1
    assert await database(client)["figures"].count_documents({}) == 1


async def test_a_day_that_is_over_stays_as_it_was(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await create(client) for _ in range(3)]
    await counted(client)
    day = datetime.fromisoformat(f"{TODAY}T00:00Z") + timedelta(days=1)
    at(monkeypatch, day + timedelta(minutes=30))
    before = {"day": TODAY, "created": 3, "deleted": 0, "total": 3}
    following = {"day": day.date().isoformat(), "created": 0, "deleted": 0, "total": 3}
    assert (await counted(client))["people"] == [before, following]
    assert (await database(client)["daily_figures"].find_one({"_id": TODAY}))["is_final"] is False
    at(monkeypatch, day + timedelta(hours=2))
    await counted(client)
    await users(client).delete_one({"_id": ObjectId(made[0]["id"])})
    assert (await counted(client))["people"] == [before, following | {"total": 2}]


async def test_an_old_directory_is_filled_with_what_is_known_of_it(client: httpx.AsyncClient) -> None:
    """Users of an earlier release, of whose creation the trail tells nothing; also if they come late."""
    await counted(client)
    month_ago = now().replace(hour=12) - timedelta(days=30)
    old = [document(number, created_at=month_ago + timedelta(days=number // 2)) for number in range(6)]
    await users(client).insert_many(old)
    new = await create(client)
    await client.delete(f"/users/{new['id']}")
    people = (await counted(client))["people"]
    assert [day["day"] for day in people] == [
        (month_ago + timedelta(days=number)).date().isoformat() for number in range(31)
    ]
    assert [(day["created"], day["total"]) for day in people[:4]] == [(2, 2), (2, 4), (2, 6), (0, 6)]
    assert {day["deleted"] for day in people[:-1]} == {None}
    assert (people[-1]["created"], people[-1]["total"]) == (1, 6)


async def test_days_that_the_trail_tells_of_have_their_deletions(client: httpx.AsyncClient) -> None:
    for days, action in ((9, "created"), (5, "created"), (5, "deleted"), (2, "deleted")):
        moment = now() - timedelta(days=days)
        entry_id = ObjectId(ObjectId.from_datetime(moment).binary[:4] + ObjectId().binary[4:])
        entry = {"_id": entry_id, "at": moment, "user": ObjectId(), "action": action}
        await database(client)["audit"].insert_one(entry)
    people = (await counted(client))["people"]
    told = [(day["created"], day["deleted"], day["total"]) for day in people]
    before, between, after = (
        [(1, 0, 1), *[(0, 0, 1)] * 3],
        [(1, 1, 1), *[(0, 0, 1)] * 2],
        [(0, 1, 0), *[(0, 0, 0)] * 2],
    )
    assert told == [*before, *between, *after]


async def test_what_a_stopped_service_missed_is_counted_when_it_is_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, now() - timedelta(days=4))
    await counted(client)
    await database(client)["daily_figures"].update_many({}, {"$set": {"is_final": True}})
    monkeypatch.undo()
    await create(client)
    people = (await counted(client))["people"]
    assert [day["total"] for day in people] == [0, 0, 0, 0, 1]


# Sign-ins


async def test_sign_ins_are_counted_by_outcome_and_of_all_processes_together(
    client: httpx.AsyncClient,
) -> None:
    ana = await member(client)
    for _ in range(3):
        await sign_in(client, ana)
    assert (await ask_token(client, ana["email"], "wrong")).status_code == 400
    assert (await ask_token(client, "nobody@example.com", "wrong")).status_code == 400
    other = SignIns(database(client))
    for outcome in ("succeeded", "throttled", "throttled"):
        other.count(outcome)
    for _ in range(3):
        assert await other.write()
    found = [{"day": TODAY, "succeeded": 4, "failed": 2, "throttled": 2}]
    assert (await counted(client))["sign_ins"] == found
    other.count("succeeded")
    await other.write()
    assert (await counted(client))["sign_ins"] == [found[0] | {"succeeded": 5}]


async def test_throttled_tries_are_counted_as_such(client: httpx.AsyncClient) -> None:
    tries = [await ask_token(client, "nobody@example.com", "wrong") for _ in range(12)]
    throttled = sum(reply.status_code == 429 for reply in tries)
    assert throttled
    told = (await counted(client))["sign_ins"][0]
    assert (told["failed"], told["throttled"]) == (12 - throttled, throttled)


async def test_days_before_sign_ins_were_counted_are_left_out(client: httpx.AsyncClient) -> None:
    await add(client, {"name": "Old", "created_at": now() - timedelta(days=3)})
    found = await counted(client)
    assert [day["day"] for day in found["sign_ins"]] == [TODAY]
    assert len(found["people"]) == 4


async def test_counts_that_could_not_be_written_are_written_later(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_ins = opened(client).auth.sign_ins
    sign_ins.count("failed")

    async def away(*_: Any, **__: Any) -> None:
        raise AutoReconnect

    with monkeypatch.context() as patch:
        patch.setattr(type(sign_ins._stored), "update_one", away)
        assert await sign_ins.write() is False
    assert (await counted(client))["sign_ins"][0]["failed"] == 1


async def test_the_counts_of_a_day_that_is_over_leave_the_process(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_ins = SignIns(database(client))
    monkeypatch.setattr("app.audit.sign_ins.now", lambda: datetime(2026, 1, 30, 23, 59, tzinfo=UTC))
    sign_ins.count("succeeded")
    monkeypatch.setattr("app.audit.sign_ins.now", lambda: datetime(2026, 1, 31, 0, 1, tzinfo=UTC))
    sign_ins.count("failed")
    for _ in range(2):
        await sign_ins.write()
    stored = await database(client)["sign_in_counts"].find({}, {"_id": 0, "expires_at": 0}).to_list()
    assert stored == [{"day": "2026-01-30", "succeeded": 1}, {"day": "2026-01-31", "failed": 1}]
    assert set(sign_ins._counts) == {"2026-01-31"}


# As it is now


async def test_active_people_are_those_who_signed_in_within_one_seven_and_thirty_days(
    client: httpx.AsyncClient,
) -> None:
    for hours in (1, 23, 25, 6 * 24, 8 * 24, 29 * 24, 31 * 24):
        moment = now() - timedelta(hours=hours)
        await add(client, {"email": f"p{hours}@example.com", "last_login_at": moment})
    await create(client)
    active = (await counted(client))["active"]
    assert active == [{"days": 1, "people": 2}, {"days": 7, "people": 4}, {"days": 30, "people": 6}]


async def test_shares_are_of_the_most_frequent_values_and_of_all_others(client: httpx.AsyncClient) -> None:
    departments = ["Sales"] * 3 + ["SALES", "Ventas", "Ventas", "=Ops", None]
    countries = [["DE"], ["de", "ES"], ["DE"], ["ES"], [], [], [], ["FR"]]
    for number, (department, codes) in enumerate(zip(departments, countries, strict=True)):
        await create(
            client,
            locale=["zh-CN", "en", None][number % 3],
            is_active=number != 5,
            profile={"department": department, "addresses": [{"country": code} for code in codes]},
        )
    found = await counted(client, top=2)
    assert share(found["department"]) == {"Sales": 4, "Ventas": 2}
    assert (found["department"]["others"], found["department"]["missing"]) == (1, 1)
    assert share(found["country"]) == {"DE": 3, "ES": 2}
    assert (found["country"]["others"], found["country"]["missing"]) == (1, None)
    assert share(found["locale"]) == {"zh-CN": 3, "en": 3}
    assert found["locale"]["missing"] == 2
    assert found["status"] == {
        "items": [{"value": "active", "people": 7}, {"value": "inactive", "people": 1}],
        "others": 0,
        "missing": 0,
    }


async def test_nothing_of_a_deleted_person_is_left_in_what_is_kept(client: httpx.AsyncClient) -> None:
    alone = await create(client, profile={"department": "Office of Zoë"}, locale="cy")
    assert "Office of Zoë" in share((await counted(client))["department"])
    await client.delete(f"/users/{alone['id']}")
    await counted(client)
    for name in ("figures", "daily_figures", "sign_in_counts"):
        kept = str(await database(client)[name].find().to_list())
        for personal in ("Zoë", "zoë", "'cy'", alone["id"], alone["email"]):
            assert personal not in kept


async def test_more_values_than_are_counted_do_not_go_on_for_ever(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for letter in "cab":
        await create(client, profile={"department": letter})
    monkeypatch.setattr(shares, "MOST_VALUES", 2)
    assert share((await counted(client))["department"]) == {"a": 1, "b": 1}


async def test_malformed_rows_break_no_count(client: httpx.AsyncClient) -> None:
    facets = ["department:odd", "country:de", 7, None]
    await create(client, profile={"department": "Sales"})
    await spoil(
        client,
        {"facets": facets, "profile": "x", "created_at": "yesterday", "locale": 5, "last_login_at": []},
        {"facets": "department:x", "profile": None, "created_at": datetime(1, 1, 1), "locale": None},  # noqa: DTZ001 - as MongoDB has it, without a zone
        {"created_at": datetime(9999, 1, 1, tzinfo=UTC)},
    )
    found = await counted(client)
    assert share(found["department"]) == {"Sales": 1, "odd": 1}
    assert found["people"] == [{"day": TODAY, "created": 1, "deleted": 0, "total": 4}]


async def test_queues_are_as_long_as_they_are(client: httpx.AsyncClient) -> None:
    await client.post("/users/exports", json={"format": "csv"}, headers={"Prefer": "wait=0"})
    queues = (await read(client, series="queues"))["queues"]
    told = {(queue["name"], queue["state"]): queue["count"] for queue in queues}
    assert told["export", "queued"] == 1
    assert told["import_apply", "running"] == told["mails", "waiting"] == 0


async def test_before_the_first_count_the_reply_says_that_nothing_is_known(client: httpx.AsyncClient) -> None:
    found = await read(client)
    assert found["queues"]
    assert {name: value for name, value in found.items() if name != "queues"} == dict.fromkeys(
        ("as_of", "active", "status", "country", "department", "locale")
    ) | {"timezone": "UTC", "people": [], "sign_ins": []}


# When it is counted


async def test_of_several_processes_one_counts_when_it_is_due(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = opened(client).statistics
    done = []
    count = statistics.roll_up

    async def noted() -> None:
        done.append(1)
        await count()

    monkeypatch.setattr(statistics, "roll_up", noted)
    await asyncio.gather(*(statistics.roll_up_when_due() for _ in range(5)))
    await statistics.roll_up_when_due()
    assert done == [1]
    at(monkeypatch, now() + timedelta(minutes=2))
    await statistics.roll_up_when_due()
    assert done == [1, 1]


async def test_a_count_that_fails_is_tried_again_a_minute_later(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = opened(client).statistics

    async def fail() -> None:
        raise AutoReconnect

    with monkeypatch.context() as patch:
        patch.setattr(statistics, "roll_up", fail)
        with pytest.raises(AutoReconnect):
            await statistics.roll_up_when_due()
    at(monkeypatch, now() + timedelta(seconds=61))
    await statistics.roll_up_when_due()
    assert (await read(client))["as_of"] is not None


# How it is asked for


async def test_each_series_comes_alone_and_as_a_table(client: httpx.AsyncClient) -> None:
    await create(client, profile={"department": "=Ops"})
    await counted(client)
    for name in SERIES:
        alone = await read(client, series=name)
        assert {key for key, value in alone.items() if value is not None} == {"as_of", "timezone", name}
        for asked in (f"series={name}&format=csv", f"series={name}"):
            reply = await client.get(f"/statistics?{asked}", headers={"Accept": "text/csv"})
            assert reply.headers["content-type"].startswith("text/csv")
            assert reply.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
            assert reply.content.startswith(b"\xef\xbb\xbf")
            rows = list(csv.reader(io.StringIO(reply.content.decode("utf-8-sig"))))
            _check_table(alone[name], rows)


def _check_table(series: Any, rows: list[list[str]]) -> None:
    if isinstance(series, list):
        assert rows == [list(series[0]), *([str(value) for value in each.values()] for each in series)]
        return
    missing = "" if series["missing"] is None else str(series["missing"])
    values = [["value", item["value"].replace("=", "'="), str(item["people"])] for item in series["items"]]
    rest = [["others", "", str(series["others"])], ["missing", "", missing]]
    assert rows == [["kind", "value", "people"], *values, *rest]


async def test_json_comes_unless_csv_is_liked_better(client: httpx.AsyncClient) -> None:
    for accept in ("*/*", "application/json", "text/csv;q=0.5, application/json", "text/html"):
        reply = await client.get("/statistics", headers={"Accept": accept})
        assert reply.headers["content-type"] == "application/json"
    reply = await client.get("/statistics", params={"format": "json"}, headers={"Accept": "text/csv"})
    assert reply.headers["content-type"] == "application/json"


async def test_days_are_those_between_from_and_to(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(client, {"created_at": datetime(2026, 1, 1, 23, 59, 59, 999000, tzinfo=UTC)})
    at(monkeypatch, datetime(2026, 1, 10, 0, 0, 1, tzinfo=UTC))
    await counted(client)
    found = await read(client, **{"from": "2026-01-02", "to": "2026-01-04"})
    assert [day["day"] for day in found["people"]] == ["2026-01-02", "2026-01-03", "2026-01-04"]
    whole = await read(client)
    assert [day["created"] for day in whole["people"]] == [1] + [0] * 9
    assert (await read(client, **{"from": "2027-01-01", "to": "2027-02-01"}))["people"] == []


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"series": "shoe"}, "series"),
        ({"format": "csv"}, "series"),
        ({"format": "csv", "series": ["people", "active"]}, "series"),
        ({"format": "xlsx"}, "format"),
        ({"top": 0}, "top"),
        ({"top": 101}, "top"),
        ({"from": "yesterday"}, "from"),
        ({"from": "20260131"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "from"),
        ({"from": "2020-01-01", "to": "2026-02-01"}, "from"),
        ({"odd": 1}, "odd"),
    ],
)
async def test_what_cannot_be_answered_is_refused_by_name(
    client: httpx.AsyncClient, asked: dict[str, Any], named: str
) -> None:
    refused = problem(await client.get("/statistics", params=asked), 422, "validation_failed")
    assert {bad["parameter"] for bad in refused["errors"]} == {named}


async def test_statistics_are_for_those_who_may_read_users(client: httpx.AsyncClient) -> None:
    assert (await call(client, "GET", "/statistics", await token_of(client, "users:read"))).status_code == 200
    refused = await call(client, "GET", "/statistics", await token_of(client, "me"))
    problem(refused, 403, "insufficient_scope")
    problem(await call(client, "GET", "/statistics"), 401, "unauthenticated")


async def test_no_request_and_no_count_reads_users_through_or_sorts(client: httpx.AsyncClient) -> None:
    people = [
        document(number, locale="en", profile={"department": f"D{number % 3}"}) | {"created_at": now()}
        for number in range(300)
    ]
    await users(client).insert_many(people)
    await counted(client)
    held = database(client)
    noted = await _profiled(client, counted(client))
    assert not [entry for entry in noted if "COLLSCAN" in entry["planSummary"] and _is_large(entry)]
    assert not [entry for entry in noted if entry.get("hasSortStage")]
    of_users = [entry for entry in noted if entry["ns"] == f"{held.name}.users"]
    reading = [
        (entry["planSummary"], entry["command"]) for entry in of_users if entry.get("docsExamined", 0) > 1
    ]
    assert reading == []
    requested = await _profiled(client, read(client))
    assert {entry["ns"].partition(".")[2] for entry in requested} <= {
        "daily_figures", "figures", "jobs", "mails",
    }  # fmt: skip
    assert not [entry for entry in requested if "COLLSCAN" in entry["planSummary"]]
    assert max(entry.get("docsExamined", 0) for entry in requested) <= 90


async def _profiled(client: httpx.AsyncClient, work: Any) -> list[dict[str, Any]]:
    held = database(client)
    await held.command("profile", 2)
    await work
    await held.command("profile", 0)
    noted = await held["system.profile"].find({"planSummary": {"$exists": True}}).to_list()
    await held.drop_collection("system.profile")
    return cast("list[dict[str, Any]]", noted)


def _is_large(entry: dict[str, Any]) -> bool:
    return not entry["ns"].endswith((".figures", ".daily_figures"))

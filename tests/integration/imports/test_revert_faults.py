"""Reverts under faults: killed workers, cancelled jobs, plans that failed, callers who may do less."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from bson import ObjectId

from app.core import clock
from app.core.errors import ImportNotFoundError
from app.imports import planning
from app.imports.import_records import ImportRecords
from tests.support import forked
from tests.support.applying import apply_plan, resources, statuses, write_together
from tests.support.imports import Plan, counted, importing, plan, upload
from tests.support.live import environment
from tests.support.sessions import add_person, bearing, sign_in
from tests.support.suite_logs import KEEPER
from tests.support.users import create, database, problem, read, until, users

MANY = 1_500
KILLS = 8
LONGEST_MS = 70


@pytest.fixture
async def working(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that works on jobs."""
    async with importing(mongo_uri, redis_url) as opened:
        yield opened


async def renamed(client: httpx.AsyncClient, count: int = MANY) -> Plan:
    """An import that was applied to new users, and one after it that renamed them."""
    emails = [f"u{number}@example.com" for number in range(count)]
    created = "".join(f"{email},Old\n" for email in emails)
    await apply_plan(client, await plan(client, "email,name\n" + created))
    return await apply_plan(client, await plan(client, "email,name\n" + created.replace(",Old", ",New")))


def path_of(applied: Plan) -> str:
    return f"/users/imports/{applied['id']}/revert"


async def ask(client: httpx.AsyncClient, applied: Plan, wait: int = 30) -> httpx.Response:
    return await client.post(path_of(applied), headers={"Prefer": f"wait={wait}"})


async def kill_workers(job_id: str, folder: Path, mongo_uri: str, redis_url: str) -> None:
    """Processes take the job one after another and are killed; the last one is left to end it."""
    words = ["tests.programs.mortal_workers", job_id, str(KILLS), str(LONGEST_MS)]
    variables = environment(folder, mongo_uri=mongo_uri, redis_url=redis_url, log_level="error")
    done = await asyncio.to_thread(forked.run, words, cwd=folder, env=variables, timeout_s=180)
    KEEPER.keep(done.stderr)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


async def test_workers_killed_in_mid_plan_and_mid_apply_of_a_revert_undo_each_row_once(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    async with importing(mongo_uri, redis_url) as working:  # `client` leaves jobs to those that are killed
        applied = await renamed(working)
    imports = database(client)["imports"]
    await ask(client, applied, wait=0)
    begun = await imports.find_one({"reverts": ObjectId(applied["id"])})
    path = f"/users/imports/{begun['_id']}"
    await kill_workers(begun["plan_job"], tmp_path, mongo_uri, redis_url)
    planned = (await client.get(path)).json()
    assert (planned["state"], counted(planned)) == ("planned", {"update": MANY})
    reply = await client.post(f"{path}/apply", headers={"Prefer": "wait=0"})
    await kill_workers(reply.json()["apply_job"], tmp_path, mongo_uri, redis_url)
    assert set(await statuses(client, begun["_id"])) == {"updated"}
    assert await users(client).count_documents({"name": "Old", "version": 3}) == MANY
    assert await database(client)["audit"].count_documents({"import": begun["_id"]}) == MANY


async def test_an_import_that_has_expired_is_not_reverted(working: httpx.AsyncClient) -> None:
    applied = await renamed(working, 1)
    past = {"$set": {"expires_at": clock.now().replace(year=2020)}}
    await database(working)["imports"].update_one({"_id": ObjectId(applied["id"])}, past)
    problem(await ask(working, applied), 404, "import_not_found")


async def test_an_import_whose_rows_have_expired_before_it_is_not_reverted(
    working: httpx.AsyncClient,
) -> None:
    applied = await renamed(working, 1)
    await database(working)["import_rows"].delete_many({"import": ObjectId(applied["id"])})
    problem(await ask(working, applied), 409, "import_not_applied")


@pytest.mark.parametrize("state", ["failed", "cancelled"])
async def test_a_revert_that_never_had_a_plan_is_replaced(working: httpx.AsyncClient, state: str) -> None:
    applied = await renamed(working, 1)
    first = (await ask(working, applied)).json()
    given_up = {"state": state, "planned_at": None}
    await database(working)["imports"].update_one({"_id": ObjectId(first["id"])}, {"$set": given_up})
    second = await ask(working, applied)
    assert (second.status_code, counted(second.json())) == (201, {"update": 1})
    assert second.json()["id"] != first["id"]


async def test_a_caller_who_is_no_administrator_gives_back_no_rights(working: httpx.AsyncClient) -> None:
    importer = await add_person(working, scopes=["users:write", "users:admin"])
    whole, less = [
        bearing(await sign_in(working, importer, scope=scope))
        for scope in ("users:write users:admin", "users:write")
    ]
    ana = await create(working, scopes=["users:read"])
    file = f'email,scopes\n{ana["email"]},"me"\n'.encode()
    planned = (await upload(working, file, **whole)).json()
    path = f"/users/imports/{planned['id']}"
    assert (await working.post(f"{path}/apply", headers=whole | {"Prefer": "wait=30"})).status_code == 200
    [row] = (await working.post(f"{path}/revert", headers=less | {"Prefer": "wait=30"})).json()["items"]
    assert (row["status"], [bad["code"] for bad in row["errors"]]) == ("error", ["insufficient_scope"])
    assert (await read(working, ana))["scopes"] == ["me"]


async def test_a_revert_whose_job_is_cancelled_half_way_goes_on_when_it_is_applied_again(
    working: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = await renamed(working, 300)
    write_together(monkeypatch, 5)
    planned = (await ask(working, applied)).json()
    path = f"/users/imports/{planned['id']}"
    job_id = (await working.post(f"{path}/apply", headers={"Prefer": "wait=0"})).json()["apply_job"]

    async def some_are_back() -> bool:
        return bool(await users(working).count_documents({"name": "Old"}) > 20)

    await until(some_are_back)
    await working.post(f"/jobs/{job_id}/cancel")
    await resources(working).jobs.wait(job_id, 30)
    shown = (await working.get(path)).json()
    assert shown["state"] == "cancelled"
    done = shown["counts"]["updated"]
    assert 20 <= done < 300
    assert await users(working).count_documents({"name": "Old"}) == done
    problem(await ask(working, applied), 409, "import_reverted")
    assert counted(await apply_plan(working, shown)) == {"updated": 300}


async def test_what_the_trail_wrote_is_found_by_an_index(working: httpx.AsyncClient) -> None:
    applied = await renamed(working, 20)
    people = [ObjectId(row["id"]) for row in applied["items"]]
    wanted = {"user": {"$in": people}, "import": ObjectId(applied["id"])}
    found = (
        await ImportRecords(resources(working).connections.database).trail.find(wanted, hint="user").explain()
    )
    stages = str(found["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages
    assert "COLLSCAN" not in stages
    assert found["executionStats"]["totalDocsExamined"] <= 2 * len(people)


async def test_a_revert_whose_import_is_deleted_in_mid_plan_has_no_plan(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "CHUNK", 1)
    async with importing(mongo_uri, redis_url) as working:
        applied = await renamed(working, 3)
    await ask(client, applied, wait=0)
    begun = await database(client)["imports"].find_one({"reverts": ObjectId(applied["id"])})

    class Run:
        subject = str(begun["_id"])

        async def progress(self, _: int) -> None:
            await client.delete(f"/users/imports/{applied['id']}")

    with pytest.raises(ImportNotFoundError):
        await resources(client).imports.plan(Run())  # type: ignore[arg-type]  # all that is asked of a run
    assert (await client.get(f"/users/imports/{begun['_id']}")).json()["planned_at"] is None

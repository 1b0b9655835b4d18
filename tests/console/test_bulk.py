"""Many at once in the console: a change of the selection, its plan, its application, and its undoing."""

import json
import re
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.support.console import ADMIN, Door, judge

ROWS = "tbody tr"


def make_team(door: Door, tag: str, size: int = 3) -> list[str]:
    with door.api() as http:
        people = [
            {"name": f"Member {number}", "email": f"{tag}-{number}@console.example.com", "tags": [tag]}
            for number in range(size)
        ]
        return [http.post("/users", json=person).raise_for_status().json()["id"] for person in people]


def team(door: Door, tag: str) -> list[dict[str, Any]]:
    with door.api() as http:
        found: list[dict[str, Any]] = http.get("/users", params={"tag": tag}).json()["items"]
        return found


async def choose(page: Page, change: str) -> None:
    await page.get_by_role("link", name="Change…").click()
    await page.get_by_role("combobox", name="Change").select_option(change)


async def apply(page: Page, count: int) -> None:
    await page.get_by_role("button", name=re.compile(f"^Apply {count} change")).click()
    await expect(page.locator("h1 + span")).to_have_text("Applied")


async def test_all_who_match_are_deactivated_by_a_plan_and_its_undo_brings_them_back(door: Door) -> None:
    first, *_ = make_team(door, "night-shift")
    admin = door.find(email=ADMIN)
    with door.api() as http:
        http.patch(f"/users/{admin['id']}", json={"tags": ["night-shift"]}).raise_for_status()
    async with door.visit("/people?tag=night-shift") as page:
        await page.get_by_label("Select all on this page").check()
        await page.get_by_role("button", name="Select all that match").click()
        await choose(page, "deactivate")
        assert await judge(page) == []
        await page.get_by_role("button", name="Show the plan").click()
        await expect(page.locator(ROWS)).to_have_count(4)
        await expect(page.get_by_text("1 person: it is your own account")).to_be_visible()
        await expect(page.locator(".notice.warn")).to_contain_text("users sign in again")
        await expect(page.get_by_role("row", name="Member 0").locator("ins")).to_have_text(
            re.compile("Inactive$")
        )
        assert await judge(page) == []
        with door.api() as http:
            http.patch(f"/users/{first}", json={"name": "Somebody else's work"}).raise_for_status()
        await apply(page, 3)
        await expect(page.get_by_text("1 person was changed after the plan was made")).to_be_visible()
        await page.get_by_role("link", name="Conflict 1").click()
        await expect(page.locator(ROWS)).to_have_count(1)
        await expect(page.get_by_role("link", name="Somebody else's work")).to_be_visible()
        assert await judge(page) == []
        assert sorted(person["is_active"] for person in team(door, "night-shift")) == [
            False,
            False,
            True,
            True,
        ]
        await page.get_by_role("button", name="Undo…").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Undo of a bulk change")
        await apply(page, 2)
        assert all(person["is_active"] for person in team(door, "night-shift"))


async def test_rows_are_deleted_only_when_their_number_is_typed_and_a_plan_can_be_discarded(
    door: Door,
) -> None:
    make_team(door, "leavers")
    async with door.visit("/people?tag=leavers", locale="zh-CN") as page:
        await expect(page.locator(ROWS)).to_have_count(3)
        for _ in range(2):
            await page.keyboard.press("j")
            await page.keyboard.press("x")
        await page.get_by_role("link", name="批量修改…").click()
        await page.get_by_role("combobox", name="修改内容").select_option("delete")
        await page.get_by_role("button", name="查看方案").click()
        await page.get_by_role("button", name="应用 2 项更改").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("button", name="应用")).to_be_disabled()
        await dialog.get_by_role("textbox").fill("2")
        assert await judge(page) == []
        await dialog.get_by_role("button", name="取消").click()
        await expect(page.locator(".notice.warn")).to_contain_text("已删除的用户无法恢复")
        await page.get_by_role("button", name="删除此方案").click()
        await dialog.get_by_role("button", name="删除此方案").click()
        await expect(page).to_have_url(re.compile("/bulk$"))
        await expect(page.get_by_role("heading", name="修改 2 人")).to_be_visible()
        assert await judge(page) == []
    assert len(team(door, "leavers")) == 3


async def test_tags_that_nobody_could_have_are_refused_beside_their_field(door: Door) -> None:
    make_team(door, "tagged", 1)
    async with door.visit("/people?tag=tagged") as page:
        await page.locator("tbody input").check()
        await choose(page, "add_tags")
        await page.get_by_role("button", name="Show the plan").click()
        await expect(page.get_by_role("alert")).to_contain_text("change.tags")
        await page.get_by_role("combobox", name="Tag").fill("evening,")
        await page.get_by_role("button", name="Show the plan").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Add tags: evening")
        await apply(page, 1)
    assert team(door, "tagged")[0]["tags"] == ["tagged", "evening"]


async def test_a_change_under_way_shows_how_far_it_is_and_can_be_cancelled(door: Door) -> None:
    make_team(door, "slow", 1)
    with door.api() as http:
        body = {"filter": {"tag": "slow"}, "change": {"action": "add_tags", "tags": ["faster"]}}
        plan: dict[str, Any] = http.post("/users:bulk", json=body).raise_for_status().json()
        job: dict[str, Any] = http.get(f"/jobs/{plan['plan_job']}").json()
    cancelled = False

    async def show(route: Route) -> None:
        state = "cancelled" if cancelled else "applying"
        await route.fulfill(json=plan | {"state": state, "apply_job": job["id"]})

    running = job | {"state": "running", "ended_at": None, "progress": {"done": 1_200, "total": 3_000}}

    async def work(route: Route) -> None:
        told = json.dumps(running)
        is_stream = route.request.url.endswith("/events")
        await route.fulfill(
            content_type="text/event-stream" if is_stream else "application/json",
            body=f"data: {told}\n\n" if is_stream else told,
        )

    async def cancel(route: Route) -> None:
        nonlocal cancelled
        cancelled = True
        await show(route)

    async with door.visit() as page:
        await page.route(f"**/users/bulk/{plan['id']}", show)
        await page.route(f"**/jobs/{job['id']}**", work)
        await page.route(f"**/jobs/{job['id']}/cancel", cancel)
        await page.goto(f"{door.url}/console/bulk/{plan['id']}")
        await expect(page.get_by_role("progressbar", name="1,200 of 3,000 rows")).to_be_visible()
        assert await judge(page) == []
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("button", name="Apply 1 change")).to_be_visible()

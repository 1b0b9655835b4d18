"""For those who operate the service: the audit trail, jobs, health, keys and settings."""

from typing import get_args

import pytest
from playwright.async_api import expect

from app.core.catalogue import texts
from models.audit import Action, Via
from models.client import AuthMethod
from models.job import JobKind, JobState
from tests.support.console import Door, judge


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("job_kind", get_args(JobKind)),
        ("job_state", get_args(JobState)),
        ("audit_action", get_args(Action)),
        ("audit_via", get_args(Via)),
        ("client_method", get_args(AuthMethod)),
    ],
)
def test_each_value_that_the_api_has_is_named(section: str, values: tuple[str, ...]) -> None:
    assert {f"console.{section}.{value}" for value in values} <= texts("en").keys()


async def test_the_audit_trail_says_who_changed_whom_and_is_filtered_by_the_address(door: Door) -> None:
    person = door.find(sort="name")
    with door.api() as http:
        http.patch(f"/users/{person['id']}", json={"profile": {"title": "Keeper of Keys"}}).raise_for_status()
    async with door.visit(f"/audit?user={person['id']}&action=changed") as page:
        row = page.locator("tbody tr").first
        await expect(row.get_by_role("link", name=person["name"])).to_be_visible()
        await expect(row.locator("ins")).to_contain_text("Keeper of Keys")
        assert await judge(page) == []
        await page.get_by_role("button", name="Show everybody again").click()
        assert "user=" not in page.url


async def test_a_job_is_listed_with_who_began_it_and_is_found_by_its_state(door: Door) -> None:
    with door.api() as http:
        http.post("/users/exports", json={"format": "csv", "q": "nobody"}).raise_for_status()
    async with door.visit("/jobs") as page:
        await expect(page.locator("tbody tr").first).to_contain_text("Export")
        await expect(page.locator("tbody tr").first).to_contain_text("Done")
        assert await judge(page) == []
        await page.get_by_role("combobox", name="State").select_option("failed")
        await expect(page.get_by_text("No jobs")).to_be_visible()


async def test_health_keys_and_settings_are_shown_without_secrets(door: Door) -> None:
    async with door.visit("/operations") as page:
        await expect(page.get_by_text("Ready", exact=True)).to_be_visible()
        await expect(page.get_by_role("cell", name="ES256", exact=True).first).to_be_visible()
        await page.get_by_role("searchbox", name="Find a setting").fill("mongo_uri")
        await expect(page.locator("tbody tr", has_text="ROSTER_MONGO_URI")).to_contain_text("Hidden")
        assert await judge(page) == []


async def test_a_new_key_is_made_after_a_question(door: Door) -> None:
    async with door.visit("/operations", locale="zh-CN") as page:
        await page.get_by_role("button", name="新建密钥").click()
        await page.get_by_role("dialog").get_by_role("button", name="新建密钥").click()
        await expect(page.get_by_text("等待启用")).to_be_visible()
        assert await judge(page) == []

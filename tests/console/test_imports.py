"""Spreadsheets in the console: dropped, planned, mended where they are wrong, applied and undone."""

from pathlib import Path
from typing import get_args

import pytest
from playwright.async_api import Page, expect

from app.core.catalogue import texts
from models.imports import STATUSES, ImportState
from tests.support.console import Door, judge

NEW = "email,name,age,Note\nzoe.drop@example.com,Zoë Drop,33,x\n{bad},Bo Drop,old,y\n"


async def give(page: Page, folder: Path, name: str, content: bytes) -> None:
    """Choose a file, as a drop does, and wait for its plan."""
    file = folder / name
    file.write_bytes(content)
    await page.get_by_label("Drop a file of people").set_input_files(file)
    await page.wait_for_selector("tbody tr")


@pytest.mark.parametrize(
    ("section", "values"), [("import_row", STATUSES), ("import_state", get_args(ImportState))]
)
def test_each_state_that_the_api_has_is_named(section: str, values: tuple[str, ...]) -> None:
    assert {f"console.{section}.{value}" for value in values} == {
        key for key in texts("en") if key.startswith(f"console.{section}.")
    }


async def test_a_refused_row_is_mended_on_the_spot_applied_and_undone(door: Door, tmp_path: Path) -> None:
    async with door.visit("/imports") as page:
        await give(page, tmp_path, "team.csv", NEW.format(bad="bo.drop(at)example.com").encode())
        await expect(page.locator("h1")).to_have_text("team.csv")
        await expect(page.locator("tbody tr").first).to_contain_text("zoe.drop@example.com")
        refused = page.locator("tbody tr", has_text="Error")
        await refused.get_by_label("email").fill("bo.drop@example.com")
        await expect(page.get_by_role("button", name="Plan mended rows")).to_be_disabled()
        await refused.get_by_label("age").fill("44")
        assert await judge(page) == []
        await page.get_by_role("button", name="Plan mended rows").click()
        await expect(page.locator("h1")).to_have_text("team (mended).csv")
        await page.get_by_role("button", name="Apply 1 change").click()
        await expect(page.locator("tbody tr")).to_contain_text("Created")
        assert door.find(email="bo.drop@example.com")["profile"]["age"] == 44
        await page.get_by_role("button", name="Undo…").click()
        await expect(page.locator("h1")).to_have_text("Undoing of an import")
        await page.get_by_role("button", name="Apply 1 change").click()
        await page.get_by_role("dialog").get_by_label("Type 1 to confirm").fill("1")
        await page.get_by_role("dialog").get_by_role("button", name="Apply").click()
        await expect(page.locator("tbody tr")).to_contain_text("Deleted")
    with door.api() as http:
        assert http.get("/users", params={"email": "bo.drop@example.com"}).json()["items"] == []


async def test_differences_are_shown_and_refused_rows_can_be_downloaded(door: Door, tmp_path: Path) -> None:
    person = door.find(sort="-name")
    async with door.visit("/imports") as page:
        lines = f"id,title\n{person['id']},Keeper of Sheets\n,Nobody\n"
        await give(page, tmp_path, "change.csv", lines.encode())
        row = page.locator("tbody tr", has_text="Keeper of Sheets")
        await expect(row.get_by_role("link", name=person["name"])).to_be_visible()
        await expect(row.locator("ins").first).to_contain_text("Keeper of Sheets")
        await page.get_by_role("link", name="Error").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody").get_by_label("id")).to_be_visible()
        async with page.expect_download() as saving:
            await page.get_by_role("button", name="Download refused rows").click()
        assert (await saving.value).suggested_filename.endswith(".xlsx")
        await page.get_by_role("button", name="Delete this plan").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete this plan").click()
        await expect(page).to_have_url(f"{door.url}/console/imports")
        assert await judge(page) == []


async def test_the_encoding_can_be_chosen_and_what_is_no_table_is_told(door: Door, tmp_path: Path) -> None:
    async with door.visit("/imports", locale="zh-CN") as page:
        file = tmp_path / "名单.csv"
        file.write_bytes("email,name\nli.sheet@example.com,李雷\n".encode("gb18030"))
        box = page.get_by_label("将人员文件拖到这里")
        await box.set_input_files(file)
        await page.get_by_role("combobox", name="编码").select_option("gb18030")
        await expect(page.locator("h1")).to_have_text("名单.csv")
        await expect(page.locator("tbody tr")).to_contain_text("李雷")
        assert await judge(page) == []
        await page.get_by_role("link", name="返回").click()
        file.with_suffix(".pdf").write_bytes(b"%PDF-1.4\n")
        await box.set_input_files(file.with_suffix(".pdf"))
        await expect(page.get_by_role("alert")).to_be_visible()
        assert await judge(page) == []

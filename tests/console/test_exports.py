"""Exports in the console: columns in one's own order, files with their hashes, and schedules."""

import asyncio
import hashlib
from pathlib import Path

from playwright.async_api import Download, expect

from app.core.catalogue import texts
from app.spreadsheets.columns import catalogue
from models.export import MEDIA_TYPES
from tests.support.console import Door, judge

VIEWS = Path(__file__).parents[2] / "app" / "console" / "static" / "views"


def test_every_format_and_column_that_the_api_exports_can_be_chosen() -> None:
    form, record = ((VIEWS / name).read_text() for name in ("exports/form.js", "person/record.js"))
    source = form + record[: record.index("const ADDRESS")]
    names = [column.name for column in catalogue() if not column.name.startswith("address")]
    assert [
        name for name in names if f"'{name}'" not in source or f"console.field.{name}" not in texts("en")
    ] == []
    assert [name for name in MEDIA_TYPES if f"'{name}'" not in source] == []


async def read(saved: Download) -> bytes:
    path = await saved.path()
    return await asyncio.to_thread(path.read_bytes)


async def test_whom_one_selected_is_exported_in_one_s_own_order_of_columns(door: Door) -> None:
    async with door.visit("/people?sort=name") as page:
        rows = page.locator("tbody tr")
        await rows.nth(0).get_by_role("checkbox").check()
        await rows.nth(1).get_by_role("checkbox").check()
        await page.get_by_role("link", name="Export…").click()
        await expect(page.get_by_text("2 selected")).to_be_visible()
        await page.get_by_role("combobox", name="Format").select_option("csv")
        await page.get_by_role("button", name="Columns").click()
        for name in ("Phone", "Title", "Department", "City, address 1"):
            await page.get_by_label(name, exact=True).uncheck()
        await page.get_by_label("Id", exact=True).check()
        await page.locator("li", has_text="Id").drag_to(page.locator("li", has_text="Name"))
        await page.get_by_role("button", name="Move E-mail up").click()
        assert await judge(page) == []
        await page.get_by_role("button", name="Done").click()
        await expect(page.get_by_text("Id, E-mail, and Name")).to_be_visible()
        await page.get_by_role("button", name="Export", exact=True).click()
        row = page.locator("tbody tr", has_text="id: ")
        await expect(row).to_contain_text("Done")
        async with page.expect_download() as saving:
            await row.get_by_role("button", name="Download").click()
        content = await read(await saving.value)
        assert await row.locator("code[title]").get_attribute("title") == hashlib.sha256(content).hexdigest()
        heading, *lines = content.decode("utf-8-sig").splitlines()
        assert (heading, len(lines)) == ("id,email,name", 2)
        await row.get_by_role("button", name="Delete this export").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete this export").click()
        await expect(row).to_have_count(0)


async def test_an_export_is_made_again_and_again_paused_and_ended(door: Door) -> None:
    async with door.visit("/exports", locale="zh-CN") as page:
        await page.get_by_role("button", name="定时导出…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("名称").fill("每周名单")
        await dialog.get_by_label("邮件通知对象").fill("nobody@console.example.com")
        await dialog.get_by_role("button", name="创建").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("nobody@console.example.com")
        assert await judge(page) == []
        await dialog.get_by_role("button", name="移除 nobody@console.example.com").click()
        await dialog.get_by_role("combobox", name="执行频率").select_option("30 6 1 * *")
        await dialog.get_by_role("button", name="创建").click()
        row = page.get_by_role("row", name="每周名单")
        await row.get_by_role("button", name="暂停").click()
        await expect(row.get_by_role("button", name="恢复")).to_be_visible()
        assert await judge(page) == []
        await row.get_by_role("button", name="删除此定时导出").click()
        await dialog.get_by_role("button", name="删除此定时导出").click()
        await expect(row).to_have_count(0)

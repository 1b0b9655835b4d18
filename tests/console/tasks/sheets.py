"""Tasks with spreadsheets."""

import asyncio
from io import BytesIO

from openpyxl import load_workbook
from playwright.async_api import FilePayload, expect

from tests.console.tasks.task import task
from tests.support.hand import Hand

REFUSED = """email,name,age
adda@console.example.com,Adda Sheet,old
bodil(at)console.example.com,Bodil Sheet,
cato@console.example.com,Cato Sheet,-1
"""


@task("mend three refused rows of a spreadsheet")
async def mend_rows(hand: Hand) -> None:
    page = hand.page
    await hand.press("g", "i")
    hand.clicks += 2  # the file chooser of the system: the button that opens it, and the file
    file = FilePayload(name="people.csv", mimeType="text/csv", buffer=REFUSED.encode())
    await page.get_by_label("Drop a file of people").set_input_files(file)
    rows = page.locator("tbody tr", has_text="Error")
    await expect(rows).to_have_count(3)
    cells = [(0, "age", "31"), (1, "email", "bodil@console.example.com"), (2, "age", "41")]
    for at, column, value in cells:
        await hand.click_at(rows.nth(at).get_by_label(column, exact=True))
        await hand.press("ControlOrMeta+a")
        await hand.type(value)
    await hand.click("Plan mended rows")
    await hand.click("Apply 3 changes")
    await expect(page.locator("tbody tr", has_text="Created")).to_have_count(3)
    assert hand.door.find(email="bodil@console.example.com")["name"] == "Bodil Sheet"


@task("export those who match")
async def export(hand: Hand) -> None:
    page = hand.page
    await page.goto(f"{hand.door.url}/console/people?department=Sales&is_active=false")
    await page.wait_for_selector("tbody tr")
    await hand.click_at(page.get_by_label("Select all on this page"))
    await hand.click_at(page.get_by_role("button", name="Select all that match"))
    await hand.click("Export…", "link")
    await hand.click("Export")
    row = page.locator("tbody tr", has_text="is_active: false").first
    await expect(row).to_contain_text("Done")
    async with page.expect_download() as saving:
        await hand.click("Download", within=row)
    file = await (await saving.value).path()
    content = await asyncio.to_thread(file.read_bytes)
    heading, *rows = load_workbook(BytesIO(content)).worksheets[0].values
    assert heading[:2] == ("name", "email")
    assert len(rows) == hand.door.count(department="Sales", is_active="false")

"""Tasks with spreadsheets."""

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

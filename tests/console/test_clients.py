"""Applications in the console: registered, given another secret, removed."""

from playwright.async_api import expect

from tests.support.console import Door, judge


async def test_an_application_is_registered_given_a_secret_and_removed(door: Door) -> None:
    async with door.visit("/clients") as page:
        await page.get_by_role("button", name="Register").click()
        form = page.get_by_role("dialog", name="Register")
        assert await judge(page) == []
        await form.get_by_role("button", name="Register").click()
        await expect(form.get_by_role("alert")).to_be_visible()
        await form.get_by_role("textbox", name="Name").fill("Wiki <b>of</b> ours")
        await form.get_by_role("combobox", name="Redirect addresses").fill("https://wiki.example.com/back")
        await page.keyboard.press("Enter")
        await form.get_by_role("button", name="Register").click()
        first = await page.get_by_role("dialog", name="The secret").locator("code").inner_text()
        await page.keyboard.press("Escape")
        row = page.locator("tbody tr", has_text="Wiki <b>of</b> ours")
        await row.get_by_role("button", name="New secret").click()
        await page.get_by_role("dialog").get_by_role("button", name="New secret").click()
        second = page.get_by_role("dialog", name="The secret").locator("code")
        await expect(second).not_to_have_text(first)
        await page.keyboard.press("Escape")
        assert await judge(page) == []
        await row.get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("textbox").fill("Wiki <b>of</b> ours")
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(row).to_have_count(0)

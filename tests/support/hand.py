"""A hand at the mouse and the keyboard that counts what it does."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.support.console import Door


@dataclass
class Hand:
    page: Page
    door: Door
    clicks: int = 0
    keys: int = 0

    def find(self, name: str, role: Any = "button", within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role(role, name=name, exact=True)

    async def click(self, name: str, role: Any = "button", within: Locator | None = None) -> None:
        await self.click_at(self.find(name, role, within))

    async def click_at(self, place: Locator) -> None:
        self.clicks += 1
        await place.click()

    async def choose(self, name: str, option: str, within: Locator | None = None) -> None:
        """Open a list, and choose from it."""
        self.clicks += 2
        await self.find(name, "combobox", within).select_option(option)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.keys += 1
            await self.page.keyboard.press(key)

    async def type(self, text: str) -> None:
        self.keys += len(text)
        await self.page.keyboard.type(text)

    async def go_to(self, search: str, name: str) -> None:
        """To a person, by the suggestions of the search."""
        await self.press("/")
        await self.type(search)
        option = self.page.get_by_role("option").first
        await expect(option).to_contain_text(name)
        await self.press("ArrowDown", "Enter")
        await expect(self.page.locator("h1")).to_have_text(name)

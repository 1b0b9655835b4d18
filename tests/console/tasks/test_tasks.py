"""What people come to the console for, each within its budget of clicks and keystrokes."""

import pytest

from tests.console.tasks import listed, many, operated, personal, sheets  # noqa: F401 - they register their scripts
from tests.console.tasks.budgets import BUDGETS
from tests.console.tasks.task import SCRIPTS
from tests.support.console import Door
from tests.support.hand import Hand


def test_each_task_has_a_script_and_a_budget_below_a_peer_s_steps() -> None:
    assert SCRIPTS.keys() == BUDGETS.keys()
    assert [name for name, budget in BUDGETS.items() if budget.clicks > budget.peer] == []


@pytest.mark.parametrize("name", BUDGETS)
async def test_a_task_is_done_within_its_budget(door: Door, name: str) -> None:
    budget = BUDGETS[name]
    async with door.visit("/people") as page:
        await page.wait_for_selector("tbody tr")
        hand = Hand(page, door)
        await SCRIPTS[name](hand)
        assert hand.clicks <= budget.clicks
        assert hand.keys <= budget.keys

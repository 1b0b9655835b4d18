"""The people, as fast as the API: the keystrokes of a search, and 1,000 rows by Chrome's trace."""

from collections.abc import Callable
from statistics import median

import pytest
from playwright.async_api import Page

from tests.support.console import Door, settle, until
from tests.support.trace import Trace, traced

SEARCHES = ("maria berlin", "andersen sales")
SLOWER, LONG_TASK_MS, FRAME_MS = 1.3, 50, 8
ROWS, WHEEL, TURNS = 1_000, 400, 100
_WATCH = """addEventListener('keydown', ({ timeStamp }) => { window.typed = { at: timeStamp }; }, true);
new MutationObserver(() => {
  const { typed } = window;
  if (!typed || typed.seen || document.querySelector('.sheet').ariaBusy === 'true') return;
  typed.seen = true;
  requestAnimationFrame(() => setTimeout(() => { typed.shown = performance.now(); }));
}).observe(document, { subtree: true, attributeFilter: ['aria-busy'] })"""
_TIMES = """() => {
  const all = performance.getEntriesByType('resource');
  const asked = all.filter(({ name }) => name.includes('/users?')).at(-1);
  return [window.typed.shown - window.typed.at, asked.responseEnd - asked.startTime];
}"""
"""From the key to the frame with its result, and of the API's part in that; milliseconds."""
Tell = Callable[[str], None]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Prints a figure, whatever pytest keeps to itself."""

    def line(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="")  # noqa: T201 - it is what the run is for

    return line


def describe(values: list[float]) -> str:
    return f"median {median(values):.1f} ms, most {max(values):.1f} ms"


async def _type(page: Page, letter: str) -> tuple[float, float]:
    await page.evaluate("performance.clearResourceTimings()")
    await page.keyboard.press("Space" if letter == " " else letter)
    await until(page, "window.typed.shown !== undefined")
    shown, api = await page.evaluate(_TIMES)
    return shown, api


async def test_a_keystroke_shows_its_result_within_1_3_times_the_api_s_time(door: Door, tell: Tell) -> None:
    async with door.visit() as page:
        await page.context.add_init_script(_WATCH)
        times = []
        for words in SEARCHES:
            await page.goto(f"{door.url}/console/people")
            await settle(page)
            await page.keyboard.press("/")
            times += [await _type(page, letter) for letter in words if letter != " "]
    ratios = sorted(shown / api for shown, api in times)
    tell(f"the API: {describe([api for _, api in times])}")
    tell(f"keystrokes: {describe([shown for shown, _ in times])}")
    tell(f"keystrokes: {median(ratios):.2f} times the API's time (median), {ratios[-1]:.2f} at most")
    assert median(ratios) <= SLOWER


def _expect_short_tasks(trace: Trace, what: str, tell: Tell) -> None:
    longest = max(trace.tasks(cpu=True))
    tell(
        f"{what}: the longest task {longest:.0f} ms of CPU, {max(trace.tasks(cpu=False)):.0f} ms by the clock"
    )
    assert longest <= LONG_TASK_MS


async def test_a_thousand_rows_are_drawn_and_scrolled_without_a_long_task(door: Door, tell: Tell) -> None:
    async with door.visit() as page:
        await settle(page)
        async with traced(page) as drawing:
            await page.goto(f"{door.url}/console/people?limit={ROWS}")
            await until(page, f"document.querySelectorAll('tbody tr').length === {ROWS}")
            await settle(page)
        _expect_short_tasks(drawing, f"{ROWS:,} rows drawn", tell)
        await page.mouse.move(600, 500)
        async with traced(page) as scrolling:
            for _ in range(TURNS):
                await page.mouse.wheel(0, WHEEL)
                await page.evaluate("new Promise(requestAnimationFrame)")
    _expect_short_tasks(scrolling, f"{ROWS:,} rows scrolled", tell)
    frames = scrolling.frames(cpu=True)
    tell(f"frames of scrolling: {describe(frames)} of scripts and layout, {len(frames)} frames")
    tell(f"frames of scrolling: {describe(scrolling.frames(cpu=True, painting=True))} of painting")
    assert median(frames) <= FRAME_MS

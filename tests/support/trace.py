"""Chrome's own trace of what a page does: its tasks, and what scripts and layout take of each frame."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from playwright.async_api import Page

_CATEGORIES: Final = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel"]
_WORK: Final = {
    *("EvaluateScript", "EventDispatch", "FireAnimationFrame", "FireIdleCallback", "FunctionCall"),
    *(
        "HitTest",
        "IntersectionObserverController::computeIntersections",
        "Layout",
        "RunMicrotasks",
        "TimerFire",
        "UpdateLayoutTree",
    ),
}
_PAINTING: Final = {"Layerize", "Paint", "PrePaint"}
_TASK: Final = "ThreadControllerImpl::RunTask"
_FRAME: Final = "Commit"
"""Ends the main thread's part of a frame."""


@dataclass
class Trace:
    """Milliseconds of the page's main thread; `cpu` without those in which other processes had the core."""

    events: list[dict[str, Any]] = field(default_factory=list)
    """Those of the main thread that last, the earliest first."""

    def tasks(self, *, cpu: bool) -> list[float]:
        return [_length(each, cpu=cpu) for each in self.events if each["name"] == _TASK]

    def frames(self, *, cpu: bool, painting: bool = False) -> list[float]:
        """What scripts and layout take of each frame, or painting with what prepares it."""
        work = _outermost(self.events, _PAINTING if painting else _WORK)
        ends = [0, *(each["ts"] for each in self.events if each["name"] == _FRAME)]
        return [
            sum(_length(each, cpu=cpu) for each in work if start <= each["ts"] < end)
            for start, end in pairwise(ends)
        ]


def _length(event: dict[str, Any], *, cpu: bool) -> float:
    return float(event["tdur" if cpu else "dur"]) / 1000


def _outermost(events: list[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
    found, end = [], 0
    for each in events:
        if each["name"] in names and each["ts"] >= end:
            found.append(each)
            end = each["ts"] + each["dur"]
    return found


@asynccontextmanager
async def traced(page: Page) -> AsyncIterator[Trace]:
    """The trace is there once the block has ended."""
    browser = await page.context.new_cdp_session(page)
    events: list[dict[str, Any]] = []
    complete = asyncio.Event()
    browser.on("Tracing.dataCollected", lambda told: events.extend(told["value"]))
    browser.on("Tracing.tracingComplete", lambda _: complete.set())
    config = {"includedCategories": _CATEGORIES}
    await browser.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})
    trace = Trace()
    yield trace
    await browser.send("Tracing.end")
    await complete.wait()
    trace.events = sorted(_of_main_thread(events), key=lambda each: (each["ts"], -each["dur"]))


def _of_main_thread(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the page that did most: a browser has one that waits, too."""
    named = [each for each in events if each["name"] == "thread_name"]
    threads = [(each["pid"], each["tid"]) for each in named if each["args"]["name"] == "CrRendererMain"]
    lasting = [
        [each for each in events if (each["pid"], each["tid"]) == own and "tdur" in each] for own in threads
    ]
    return max(lasting, key=len)

"""The drawing process: one for all pictures, of which none can harm the next, nor the server."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from app.avatars import drawer as drawing
from app.avatars.drawer import Drawer
from app.core.errors import (
    PictureTooLargeError,
    TooManyPicturesError,
    UnavailableError,
    UnreadablePictureError,
)
from models.pictures import SIZES
from tests.support.pictures import encode, halves, many_scans

PICTURE = encode(halves(), "JPEG")
_COUNT = """
def count():
    files = [f"/proc/self/fd/{number}" for number in range(100)]
    return sum(os.path.lexists(file) and os.readlink(file).startswith("socket") for file in files)
"""
"""Sockets, as which all pipes of pictures are."""
_LOOK = """
import re
def look():
    found = 0
    for place in open("/proc/self/maps"):
        if " rw" in place and "[v" not in place:
            start, end = (int(bound, 16) for bound in place.split()[0].split("-"))
            with open("/proc/self/mem", "rb", 0) as memory:
                memory.seek(start)
                found += len(re.findall(b"[a] marked picture", memory.read(end - start)))
    return found
"""
"""Marks in memory, by a pattern that is none itself."""


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    made = Drawer()
    yield made
    made.close()


def _pid(drawer: Drawer) -> int:
    assert drawer._process is not None
    return drawer._process.pid


async def test_pictures_are_drawn_one_after_the_other_by_one_process(drawer: Drawer) -> None:
    replies = await asyncio.gather(*(drawer.draw(PICTURE) for _ in range(5)))
    first = _pid(drawer)
    with pytest.raises(UnreadablePictureError):
        await drawer.draw(PICTURE[:1_000])
    assert _pid(drawer) == first
    assert [len(reply.squares) for reply in replies] == [len(SIZES)] * 5


async def test_a_process_that_was_killed_is_replaced(drawer: Drawer) -> None:
    await drawer.draw(PICTURE)
    os.kill(killed := _pid(drawer), signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, killed, os.WEXITED | os.WNOWAIT)
    assert len((await drawer.draw(PICTURE)).squares) == len(SIZES)
    assert _pid(drawer) != killed


async def test_a_process_that_is_killed_before_it_answers_is_not_the_pictures_fault(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "START", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(UnavailableError, match="try again"):
        await drawer.draw(PICTURE)


def _drawing(drawn: str, *, first: str = "") -> str:
    """The process, with a picture that has taken it over, which draws what this expression says."""
    over = f"{first}\nchild.draw = lambda content: ('jpeg', [repr({drawn}).encode()])\nchild.main"
    return drawing.START.replace("child.main", over)


async def test_a_picture_gets_at_no_pipe_but_its_own(drawer: Drawer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "START", _drawing("count()", first=_COUNT))
    for _ in range(3):
        assert (await drawer.draw(PICTURE)).squares == [b"1"]


async def test_a_picture_finds_nothing_of_another_in_memory(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "START", _drawing("look()", first=_LOOK))
    assert (await drawer.draw(b"a marked picture" * 10_000)).squares != [b"0"]
    for _ in range(2):
        assert (await drawer.draw(b"another" * 10_000)).squares == [b"0"]


async def test_a_picture_that_has_answered_is_ended(drawer: Drawer, monkeypatch: pytest.MonkeyPatch) -> None:
    lingering = "import signal\nchild.os._exit = lambda code: signal.pause()"
    monkeypatch.setattr(drawing, "START", _drawing("os.getpid()", first=lingering))
    lingerer = int((await drawer.draw(PICTURE)).squares[0])
    await drawer.draw(PICTURE)
    await drawer.draw(PICTURE)
    with pytest.raises(ProcessLookupError):
        os.kill(lingerer, 0)


async def test_a_picture_that_takes_too_long_ends_alone(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "START", drawing.START.replace(".main", ".SECONDS = 0.1\nchild.main"))
    await drawer.draw(PICTURE)
    first = _pid(drawer)
    with pytest.raises(PictureTooLargeError):
        await drawer.draw(many_scans(2_000, 1_000))
    assert len((await drawer.draw(PICTURE)).squares) == len(SIZES)
    assert _pid(drawer) == first


async def test_a_process_that_does_not_answer_is_ended(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drawer.draw(PICTURE)
    os.killpg(frozen := _pid(drawer), signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "LONGEST_S", 0.1)
        with pytest.raises(UnavailableError, match="try again"):
            await drawer.draw(PICTURE)
    with pytest.raises(ProcessLookupError):
        os.kill(frozen, 0)
    assert len((await drawer.draw(PICTURE)).squares) == len(SIZES)


async def test_a_caller_who_goes_leaves_no_answer_to_the_next(drawer: Drawer) -> None:
    await drawer.draw(PICTURE)
    os.killpg(_pid(drawer), signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(drawer.draw(PICTURE), 0.05)
    with pytest.raises(UnreadablePictureError):
        await drawer.draw(PICTURE[:1_000])


async def test_more_than_may_wait_are_refused(drawer: Drawer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "WAITING", 1)
    results = await asyncio.gather(drawer.draw(PICTURE), drawer.draw(PICTURE), return_exceptions=True)
    assert isinstance(results[1], TooManyPicturesError)
    assert results[1].headers["Retry-After"] == "5"


async def test_a_process_that_cannot_start_is_an_error_of_ours(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drawing, "START", "import sys; sys.exit(1)")
    with pytest.raises(RuntimeError, match="log"):
        await drawer.draw(PICTURE)
    assert capfd.readouterr().err == ""

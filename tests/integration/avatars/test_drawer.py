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
    os.kill(_pid(drawer), signal.SIGKILL)
    with pytest.raises(UnavailableError, match="try again"):
        await drawer.draw(PICTURE)
    assert len((await drawer.draw(PICTURE)).squares) == len(SIZES)


async def test_a_picture_that_takes_too_long_ends_alone(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_START", drawing._START.replace(".main", ".SECONDS = 0.1\nchild.main"))
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
    os.kill(frozen := _pid(drawer), signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "LONGEST_S", 0.1)
        with pytest.raises(UnavailableError, match="try again"):
            await drawer.draw(PICTURE)
    with pytest.raises(ProcessLookupError):
        os.kill(frozen, 0)
    assert len((await drawer.draw(PICTURE)).squares) == len(SIZES)


async def test_a_caller_who_goes_leaves_no_answer_to_the_next(drawer: Drawer) -> None:
    await drawer.draw(PICTURE)
    os.kill(_pid(drawer), signal.SIGSTOP)
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
    monkeypatch.setattr(drawing, "_START", "import sys; sys.exit(1)")
    with pytest.raises(RuntimeError, match="log"):
        await drawer.draw(PICTURE)
    assert capfd.readouterr().err == ""

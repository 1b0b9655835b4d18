import asyncio
import threading

import pytest

from app.core.limits import WritingThread


async def test_exports_of_one_process_write_one_batch_at_a_time() -> None:
    thread = WritingThread()
    at_work = 0
    most = 0
    meeting = threading.Barrier(2)

    def write() -> bytes:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        with pytest.raises(threading.BrokenBarrierError):
            meeting.wait(0.02)  # in vain: nobody else writes
        meeting.reset()
        at_work -= 1
        return b"rows"

    written = await asyncio.gather(*(thread.write(write) for _ in range(3)))
    assert list(written) == [b"rows"] * 3
    assert most == 1


async def test_exports_rest_while_requests_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr("app.core.limits.semaphore.asyncio.sleep", rest)
    thread = WritingThread()
    await thread.write(lambda: b"")
    assert rests == []
    thread.is_crowded = lambda: True
    await thread.write(lambda: b"")
    assert len(rests) == 1

import asyncio
import threading

import pytest

from app.core.limits import ExportSlots


async def test_exports_of_one_process_write_one_batch_at_a_time() -> None:
    slots = ExportSlots(4)
    kept = ExportSlots(beside=slots)
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

    written = await asyncio.gather(slots.write(write), slots.write(write), kept.write(write))
    assert list(written) == [b"rows"] * 3
    assert most == 1


async def test_exports_rest_while_requests_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr("app.core.limits.semaphore.asyncio.sleep", rest)
    slots = ExportSlots()
    await slots.write(lambda: b"")
    assert rests == []
    slots.is_crowded = lambda: True
    await slots.write(lambda: b"")
    assert len(rests) == 1

"""The scheduler of exports: taskiq's, which gets the times of due schedules.

It gets times instead of cron expressions, which it would read in a dialect of its own, and forget those due
while it was down.
"""

import asyncio
from datetime import datetime, timedelta
from itertools import count

from bson import ObjectId
from taskiq import ScheduledTask, ScheduleSource, TaskiqScheduler
from taskiq.api import run_scheduler_task
from taskiq.exceptions import ScheduledTaskCancelledError

from app.exports.schedules import Schedules
from app.jobs import TASK, JobQueue

LOOK = timedelta(seconds=10)
_TICK = timedelta(seconds=1)
_CLOSING_S = 5.0


async def run(job_queue: JobQueue, schedules: Schedules) -> None:
    """Start due exports until cancelled. Any number of schedulers may run."""
    source = _DueExports(schedules)
    try:
        await run_scheduler_task(TaskiqScheduler(job_queue, [source]), interval=LOOK, loop_interval=_TICK)
    finally:
        await source.shutdown()


class _DueExports(ScheduleSource):
    def __init__(self, schedules: Schedules) -> None:
        self._schedules = schedules
        self._rounds = count()
        self._busy: set[asyncio.Task[object]] = set()
        self._is_closed = False

    async def get_schedules(self) -> list[ScheduledTask]:
        """The due times, each under a new id in each round, so that a failure is tried again."""
        if self._is_closed:
            return []
        self._note()
        this_round = next(self._rounds)
        return [
            ScheduledTask(
                task_name=TASK,
                labels={},
                args=[],
                kwargs={"schedule_id": str(schedule_id), "due": due.isoformat()},
                schedule_id=f"{schedule_id}@{due.isoformat()}#{this_round}",
                time=due,
            )
            for schedule_id, due in await self._schedules.find_due()
        ]

    async def pre_send(self, task: ScheduledTask) -> None:
        """Make the job before its message is sent; Redis may be unavailable."""
        if self._is_closed:
            raise ScheduledTaskCancelledError
        self._note()
        arguments, task.kwargs = task.kwargs, {}
        job_id = await self._schedules.start(
            ObjectId(arguments["schedule_id"]), datetime.fromisoformat(arguments["due"])
        )
        if job_id is None:
            raise ScheduledTaskCancelledError
        task.args = [job_id]

    async def shutdown(self) -> None:
        """Wait for started tasks, which taskiq does not, while MongoDB can still be reached."""
        self._is_closed = True
        if self._busy:
            await asyncio.wait(self._busy, timeout=_CLOSING_S)

    def _note(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)

"""The jobs that this service knows how to do, and the worker that does them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from app import jobs
from app.container import Container
from app.events import relaying
from app.exports import scheduler
from app.mail.sending import sending
from app.webhooks import delivering, open_sender
from models.job import JobKind

HANDLERS: Mapping[JobKind, Callable[[Container, jobs.Run], Awaitable[None]]] = {
    "export": lambda container, run: container.exports.write(run),
    "import_plan": lambda container, run: container.imports.plan(run),
    "import_apply": lambda container, run: container.imports.apply(run),
    "bulk_plan": lambda container, run: container.bulk.plan(run),
    "bulk_apply": lambda container, run: container.bulk.apply(run),
    "activations": lambda container, run: container.activations.run(run),
    "logout_notice": lambda container, run: container.logout_notices.deliver(run),
}
"""The handler of each kind of job.

Another worker may begin a handler again at any time, after any part of its work: it goes on from what it
finds. It calls `run.progress` now and then, and lets its exceptions pass.
"""

_FILES_SWEPT_S = 60.0
_COUNTED_S = 60.0
_RESTART_S = 5.0


@asynccontextmanager
async def working(opened: Container) -> AsyncIterator[None]:
    """Run jobs, submit those of schedules that are due, and send mails, until the block is left."""
    settings = opened.settings
    leases = jobs.Leases(
        jobs.collection(opened.connections.database),
        lease_ms=settings.job_lease_s * 1000,
        ttl_ms=settings.job_ttl_s * 1000,
        on_end=opened.notices.job_ended,
    )
    handlers: dict[JobKind, jobs.Handler] = {
        kind: partial(handler, opened) for kind, handler in HANDLERS.items()
    }
    periodic_tasks = (
        jobs.PeriodicTask(opened.files.sweep, _FILES_SWEPT_S),
        jobs.PeriodicTask(opened.statistics.roll_up_when_due, _COUNTED_S),
        jobs.PeriodicTask(opened.avatars.sweep, _FILES_SWEPT_S),
        jobs.PeriodicTask(partial(scheduler.run, opened.jobs.job_queue, opened.schedules), _RESTART_S),
    )

    async def wake() -> None:
        await opened.outbox.wake()

    opened.jobs.job_queue.register_task(wake, task_name=jobs.MAIL_TASK)
    async with (
        sending(opened.outbox, settings),
        relaying(opened.connections.database, kept_s=settings.session_absolute_ttl_s),
        open_sender(allowed=settings.webhook_networks, timeout_s=settings.webhook_timeout_s) as sender,
        delivering(opened.webhooks.collection, opened.webhooks.tools(sender)),
        jobs.working(
            opened.jobs,
            opened.jobs.job_queue,
            leases,
            handlers,
            at_once=settings.jobs_at_once,
            periodic_tasks=periodic_tasks,
        ),
    ):
        yield

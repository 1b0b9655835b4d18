"""Jobs: long work that survives the process which began it.

MongoDB keeps the jobs, each with a lease while a worker runs it; Redis only carries messages that a job is
queued (ADR 0011).
"""

from app.jobs.job_queue import MAIL_TASK, TASK, JobQueue
from app.jobs.job_records import Viewer, collection
from app.jobs.jobs import Jobs
from app.jobs.leases import Leases
from app.jobs.runs import Handler, JobCancelledError, LeaseLostError, Run
from app.jobs.workers import PeriodicTask, working
from models.job import Job

__all__ = [
    "MAIL_TASK",
    "TASK",
    "Handler",
    "Job",
    "JobCancelledError",
    "JobQueue",
    "Jobs",
    "LeaseLostError",
    "Leases",
    "PeriodicTask",
    "Run",
    "Viewer",
    "collection",
    "working",
]

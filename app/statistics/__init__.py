"""Statistics of the directory: what a job counts through indexes and keeps, and how long the queues are."""

from app.statistics.statistics import Statistics

__all__ = ["Statistics"]

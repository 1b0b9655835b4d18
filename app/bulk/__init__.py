"""Bulk changes: one change of all users of a filter, planned, applied and reverted as imports are."""

from app.bulk.bulk import Bulk

__all__ = ["Bulk"]

"""Records that are used once: authorization codes, pushed requests, device codes."""

from app.auth.one_time.records import OneTimeRecords, Use

__all__ = ["OneTimeRecords", "Use"]

"""The audit trail (`write`, `read`) and the log of authentication events (`log`)."""

from app.audit import log, read, write

__all__ = ["log", "read", "write"]

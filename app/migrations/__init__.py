"""Migrations of the database's schema, each done once, however many processes start at the same time.

A step is a module `mNNNN_what_it_does` here, with a docstring for those who run it and `async def
migrate(database)`. It may be killed and begun again, so it must be idempotent; the previous release may still
run beside it, so it only adds, and a later step removes.
"""

from app.migrations.steps import STEPS, Step, discover
from app.migrations.versions import apply, check, refuse_newer

__all__ = ["STEPS", "Step", "apply", "check", "discover", "refuse_newer"]

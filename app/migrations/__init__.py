"""Steps from one schema of the database to the next, each done once, whoever starts at the same time.

A step is a module `mNNNN_what_it_does` here, with a docstring for those who run it and
`async def migrate(database)`. It may be killed and begun again, so it must be idempotent; the release before
it may still run beside it, so it adds before a later one takes away.
"""

from app.migrations.steps import STEPS, Step, discover
from app.migrations.versions import apply, check, refuse_newer

__all__ = ["STEPS", "Step", "apply", "check", "discover", "refuse_newer"]

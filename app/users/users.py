"""The one object of users: its verbs, each from the module that does it."""

from functools import partial

from beanie import PydanticObjectId

from app.core.mongo import Collection, Row
from app.database.reads import Reads
from app.users import idempotency, user_records
from app.users.batches import Batches
from app.users.changes import Changes, Writes
from app.users.generations import End, EndAll
from app.users.user_records import Records
from app.users.verification import Verification


class Users:
    def __init__(
        self,
        collection: Collection,
        end: End,
        end_all: EndAll,
        *,
        base: str = "",
        reads: Reads | None = None,
    ) -> None:
        """`end` is entered around each write that ends the sessions of its user, `end_all` of several.

        `base`: the address of this service, by which the URLs of its pictures begin.
        """
        self.collection = collection
        """For the hot paths: a row is decoded and checked in 7 µs, a document made of it in 50 µs."""
        self.end, self.end_all = end, end_all
        self._reads = reads or Reads(collection, stale_s=0)
        self.attempt = partial(idempotency.attempt, collection.database)
        records = Records(collection, base)
        self.settle = records.settle
        self.create, self.insert, self.read = records.create, records.insert, records.read
        self.learn, self.find_taken = records.learn, records.find_taken
        writes = Writes(records)
        self.write, self.erase = writes.write, writes.erase
        verification = Verification(records, writes)
        self.verify, self.move = verification.verify, verification.move
        changes = Changes(records, writes, end)
        self.patch, self.replace, self.delete = changes.patch, changes.replace, changes.delete
        self.set_avatar = changes.set_avatar
        self.apply = Batches(records, changes).apply

    async def show(self, user_id: PydanticObjectId) -> Row:
        """The user's row for a caller, as `read`, but perhaps an older one where the primary is silent."""
        return await self._reads.run(partial(user_records.read, user_id=user_id))

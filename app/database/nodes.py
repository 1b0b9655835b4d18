"""The users as a node of MongoDB has them at some time or later: what PyMongo has for sessions only."""

from typing import Any

from bson import Timestamp
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import Nearest
from pymongo.server_selectors import Selection

from app.core.mongo import Collection, Row


def see(users: Collection, at: Timestamp, by: Any, level: str) -> Collection:
    """The users as they were at this time or later."""
    database = _Database(users.database, by, _After(level, at))
    return database[users.name].with_options(codec_options=users.codec_options)


class Node(Nearest):
    """A read preference for one node, also once it has become the primary: another may know less."""

    def __init__(self, address: tuple[str, int | None]) -> None:
        super().__init__()
        self._address = address

    def __call__(self, selection: Selection) -> Selection:
        here = [server for server in selection.server_descriptions if server.address == self._address]
        return selection.with_server_descriptions(here)


class _After(ReadConcern):
    """A read concern with a time, which PyMongo has only for sessions."""

    def __init__(self, level: str, at: Timestamp) -> None:
        super().__init__(level)
        self._at = at

    @property
    def document(self) -> Row:
        return {"level": self.level, "afterClusterTime": self._at}


class _Database(AsyncDatabase[Row]):
    """A database whose bare commands, too, are read as its collections are: PyMongo asks the primary."""

    def __init__(self, database: AsyncDatabase[Row], by: Any, read_concern: _After) -> None:
        super().__init__(
            database.client, database.name, database.codec_options, by, database.write_concern, read_concern
        )

    async def command(self, command: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(command, dict) and not command.keys().isdisjoint({"find", "aggregate"}):
            command = command | {"readConcern": self.read_concern.document}
        options = {"read_preference": self.read_preference} | options
        return await super().command(command, *arguments, **options)

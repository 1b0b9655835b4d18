"""`q` where nicknames are switched off."""

from tests.support.databases import PreparedDatabases
from tests.support.search import found, somebody, store


async def test_nicknames_find_nobody_where_they_are_switched_off(
    prepared_databases: PreparedDatabases,
) -> None:
    async with prepared_databases.serving(search_nicknames=False) as client:
        await store(client, [somebody("Robert Zellwegerli")])
        assert await found(client, "bob zellwegerli") == []
        assert await found(client, "robert zellwegerli") == ["Robert Zellwegerli"]

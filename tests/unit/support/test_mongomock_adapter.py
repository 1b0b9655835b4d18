"""The adapter of the unit tier, through Beanie's own doors."""

from beanie import Document, PydanticObjectId, init_beanie
from pydantic import Field
from pymongo import IndexModel

from tests.support.mongomock_adapter import open_database


class Person(Document):
    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    name: str
    age: int = 0

    class Settings:
        name = "people"
        indexes = (IndexModel([("name", 1)], unique=True),)


async def test_a_document_is_inserted_found_changed_and_deleted() -> None:
    await init_beanie(open_database(), document_models=[Person])
    ana = await Person(name="Ana", age=30).insert()
    assert await Person.get(ana.id) == ana
    await ana.set({"age": 31})
    assert [person.age async for person in Person.find({"name": "Ana"})] == [31]
    assert await Person.find({"age": {"$gt": 30}}).sort("-age").limit(5).to_list() == [ana]
    await ana.delete()
    assert await Person.count() == 0


async def test_an_aggregation_is_awaited_as_in_pymongo() -> None:
    await init_beanie(open_database(), document_models=[Person])
    await Person.insert_many([Person(name="Ana", age=30), Person(name="Bo", age=40)])
    assert await Person.find_all().avg(Person.age) == 35
    cursor = await Person.get_pymongo_collection().aggregate([{"$sort": {"age": -1}}, {"$limit": 1}])
    assert [row["name"] async for row in cursor] == ["Bo"]

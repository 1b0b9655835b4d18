"""Users in numbers, and what an export of them must say, worked out from what the API answers."""

import io
import json
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
from bson import ObjectId
from pymongo import MongoClient

from app.commands.sample import people
from app.migrations import STEPS
from app.spreadsheets.formulas import unguard
from app.users.user_records import hidden
from models.user import FIELDS, KEPT, UserInput
from tests.unit.spreadsheets.files import open_with_openpyxl, read_csv

Item = dict[str, Any]
TIMES = ("created_at", "updated_at", "last_login_at")
PARTS = ("label", "street", "city", "region", "zipcode", "country")


def store_many(uri: str, count: int) -> list[str]:
    """Users straight into MongoDB, each with a text that does not compress; the ids of some of them.

    Without indexes, which the service builds when it starts: so 50,000 take a second. No word finds them, as
    the index of words takes longest to build. They are as all migrations leave users, so that none runs.
    """
    dice = random.Random(7)  # noqa: S311 - filler
    models = [_model(person) for person in people(200)]
    with MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        migrated: Item = {"version": len(STEPS), "lock": None, "done": []}
        database["schema"].replace_one({"_id": "schema"}, migrated, upsert=True)
        users = database["users"]
        for start in range(0, count, 5_000):
            users.insert_many(
                [_copy(models[n % len(models)], n, dice) for n in range(start, min(start + 5_000, count))]
            )
        return [str(user["_id"]) for user in users.find({}, {"_id": 1}).limit(10)]


def _model(person: Item) -> Item:
    """A stored user, without Beanie, which knows no database here."""
    said = UserInput.model_validate({name: person[name] for name in UserInput.model_fields if name in person})
    user = person | KEPT | said.model_dump()
    derived, _ = hidden(user)
    return user | derived | {"updated_at": person["created_at"], "version": 1}


def _copy(model: Item, number: int, dice: random.Random) -> Item:
    return model | {
        "_id": ObjectId(),
        "phone": None,
        "username": None,
        "email": f"{number}@example.com",
        "keys": model["keys"] | {"email": f"{number}@example.com", "username": None},
        "search": model["search"] | {"t": [], "p": []},
        "profile": model["profile"] | {"bio": dice.randbytes(200).hex()},
    }


async def walk(client: httpx.AsyncClient, query: str = "") -> list[Item]:
    """All users of a listing, page after page, with their times as a file writes them."""
    found: list[Item] = []
    address: str | None = f"/users?limit=1000&{query}"
    while address:
        page = await client.get(address)
        assert page.status_code == 200, page.text
        found += [_write_times(user) for user in page.json()["items"]]
        address = page.links.get("next", {}).get("url")
    return found


def _write_times(user: Item) -> Item:
    """The API leaves out a fraction that is zero."""
    times = {name: user[name] for name in TIMES if user[name] and "." not in user[name]}
    return user | {name: text.replace("Z", ".000000Z") for name, text in times.items()}


def flatten(user: Item, addresses: int = 3) -> Item:
    """A user by columns, in their published order; None where a cell is empty."""
    flat: Item = {}
    for each in FIELDS:
        value: Any = user
        for key in each.path:
            value = value[key]
        if each.name == "addresses":
            for place in range(addresses):
                given = value[place] if place < len(value) else {}
                flat |= {f"address{place + 1}_{part}": given.get(part) for part in PARTS}
            more = value[addresses:]
            rest = json.dumps(more, ensure_ascii=False, separators=(",", ":"))
            flat["addresses_more"] = rest if more else None
        else:
            flat[each.name] = ",".join(value) or None if each.kind.many else value
    return flat


def as_text(flat: Mapping[str, Any]) -> dict[str, str]:
    """A flat user as a CSV says it."""
    said = {True: "TRUE", False: "FALSE", None: ""}
    return {
        name: said[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in flat.items()
    }


def as_cells(flat: Mapping[str, Any]) -> dict[str, Any]:
    """A flat user as a workbook says it: times are naive UTC."""
    return {
        name: datetime.fromisoformat(value).replace(tzinfo=None) if value and name in TIMES else value
        for name, value in flat.items()
    }


def read_texts(file: bytes) -> list[dict[str, str]]:
    header, *rows = read_csv(file)
    return [dict(zip(header, map(unguard, row), strict=True)) for row in rows]


def read_cells(file: bytes) -> list[dict[str, Any]]:
    """The rows of a workbook; no cell is a formula, and moments are rounded to the millisecond."""
    (sheet,) = open_with_openpyxl(file).worksheets
    header, *rows = [list(row) for row in sheet.iter_rows()]
    assert not any(cell.data_type == "f" for row in rows for cell in row)
    names = [str(cell.value) for cell in header]
    return [dict(zip(names, (_round(cell.value) for cell in row), strict=True)) for row in rows]


def _round(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return datetime.fromtimestamp(round(value.timestamp(), 3)) if value.microsecond else value  # noqa: DTZ006


def read_lines(file: bytes) -> list[Item]:
    return [json.loads(line) for line in io.BytesIO(file)]

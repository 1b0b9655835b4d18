"""How a change is told: field by field."""

from typing import Any

import pytest
from bson import ObjectId

from app.audit.write import COMMAND_LINE, differences, entry

NOWHERE = dict.fromkeys(("label", "street", "city"))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"name": "A", "tags": []}, {"name": "A", "tags": []}, []),
        ({"name": "A"}, {"name": "B"}, [("/name", "A", "B")]),
        ({"tags": ["a", "b"]}, {"tags": ["a"]}, [("/tags", ["a", "b"], ["a"])]),
        ({"is_active": True}, {"is_active": False}, [("/is_active", True, False)]),
        ({}, {"is_active": False, "phone": None, "tags": []}, [("/is_active", None, False)]),
        ({}, {"profile": {"age": 0, "bio": None}}, [("/profile/age", None, 0)]),
        ({"profile": {"age": 1, "bio": "x"}}, {"profile": {"age": 2, "bio": "x"}}, [("/profile/age", 1, 2)]),
        (
            {"profile": {"addresses": [NOWHERE | {"city": "Rom"}, NOWHERE | {"city": "Bari"}]}},
            {"profile": {"addresses": [NOWHERE | {"city": "Bari"}]}},
            [("/profile/addresses/0/city", "Rom", "Bari"), ("/profile/addresses/1/city", "Bari", None)],
        ),
    ],
)
def test_only_what_differs_is_told(before: Any, after: Any, told: list[tuple[str, Any, Any]]) -> None:
    found = [(change["pointer"], change["from"], change["to"]) for change in differences(before, after)]
    assert found == told


def test_ids_are_in_the_order_of_time_to_the_microsecond_whatever_process_makes_them() -> None:
    made = [entry(COMMAND_LINE, "changed", ObjectId()) for _ in range(100)]
    for each in made:
        id_, at = each["_id"], each["at"]
        assert id_.generation_time == at.replace(microsecond=0)
        assert int.from_bytes(id_.binary[4:7]) == at.microsecond
    assert len({each["_id"] for each in made}) == len(made)

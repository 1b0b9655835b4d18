"""How a change is told: field by field."""

from typing import Any

import pytest

from app.audit.write import differences

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

"""What the schema of a value lets through is what its model does."""

import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from models.values import Phone, Scopes, Tag, Tags


def allows(kind: Any, value: object) -> tuple[bool, bool]:
    """The schema's word, then the model's."""
    known: TypeAdapter[Any] = TypeAdapter(kind)
    schema = known.json_schema()
    by_schema = re.search(schema.get("pattern", ""), str(value)) is not None
    if schema.get("uniqueItems") and isinstance(value, list):
        by_schema = len(set(value)) == len(value)
    try:
        known.validate_python(value)
    except ValidationError:
        return by_schema, False
    return by_schema, True


@pytest.mark.parametrize(
    "number",
    ["+34600000000", " +49 (151) 123-45.67/8 ", "+\u20103 4 6 0 0 0 0 0 0 0 0", "tel:+34-600-000-000"],
)
def test_a_number_with_its_country_is_a_phone(number: str) -> None:
    assert allows(Phone, number) == (True, True)


@pytest.mark.parametrize("number", ["+1a234567", "+34 600 000 000 x12", "phone +34600000000"])
def test_what_has_letters_is_none(number: str) -> None:
    assert allows(Phone, number) == (False, False)


@pytest.mark.parametrize("number", ["600000000", "+0600000000", "+123456", "+1234567890123456"])
def test_no_schema_can_count_the_digits_of_a_country_and_the_model_does(number: str) -> None:
    assert allows(Phone, number) == (True, False)


@pytest.mark.parametrize(
    ("tag", "good"), [("vip", True), (" a b ", True), ("", False), (" \t", False), ("a,b", False)]
)
def test_a_tag_can_be_seen_and_holds_no_comma(tag: str, good: bool) -> None:  # noqa: FBT001  # a column of the table
    assert allows(Tag, tag) == (good, good)


@pytest.mark.parametrize(("kind", "item"), [(Tags, "vip"), (Scopes, "me")])
def test_a_list_of_tags_or_scopes_has_nothing_twice(kind: Any, item: str) -> None:
    assert allows(kind, [item]) == (True, True)
    assert allows(kind, [item, item]) == (False, False)

"""Arrays of objects, at every place where a block may end, and made to harm."""

import json
from typing import Any

import pytest

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.reading import encodings, texts
from app.spreadsheets.reading.values import Limits
from tests.unit.spreadsheets.readers import complain, read

USERS: list[dict[str, Any]] = [
    {"email": "a@example.com", "name": 'A "]}" \\', "tags": ["x", "y"]},
    {"email": "b@example.com", "name": "张 {[", "profile": {"addresses": [{"city": "Ü"}, {}]}},
    {},
]


@pytest.mark.parametrize("block", [4, 5, 7, 64, encodings.BLOCK])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_its_objects_are_numbered_by_their_place(
    monkeypatch: pytest.MonkeyPatch, block: int, indent: int | None, encoding: str
) -> None:
    monkeypatch.setattr(texts, "BLOCK", block)
    found = read(f" \n{json.dumps(USERS, ensure_ascii=False, indent=indent)}\n".encode(encoding))
    assert found.head["form"] == "ndjson"
    assert found.documents == USERS
    assert found.numbers == [1, 2, 3]


def test_utf_16_is_read_when_the_format_is_said() -> None:
    assert read(json.dumps(USERS).encode("utf-16"), form="ndjson").documents == USERS


def test_a_heading_in_brackets_is_a_csv() -> None:
    assert read(b"[id],email\n1,a@example.com\n").heading == ["[id]", "email"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "The array is empty"),
        ("[ \n ]", "The array is empty"),
        ("[", "Object 1 of the array is no object"),
        ('["a"]', "Object 1 of the array is no object"),
        ("[[1]]", "Object 1 of the array is no object"),
        ('[{"a":1},]', "Object 2 of the array is no object"),
        ('[{"a":1} {"a":2}]', "`,` is missing after an object"),
        ('[{"a":1}', "`,` is missing after an object"),
        ('[{"a":1', "The file ends within an object: object 1"),
        ('[{"a":"1}]', "The file ends within an object: object 1"),
        ('[{"a":1]]', "Object 1 of the array is not strict JSON."),
        ('[{"a":1,"a":2}]', "Object 1 of the array is not strict JSON."),
        ('[{"a":NaN}]', "Object 1 of the array is not strict JSON."),
        ('[{"a":1}][{"a":2}]', "There is text after the end of the array"),
        ('[{"a":' + "[" * 40 + "]" * 40 + "}]", "Object 1 of the array is not strict JSON."),
    ],
)
def test_an_array_that_is_wrong_is_refused_with_the_place(text: str, said: str) -> None:
    assert said in complain(UnreadableFileError, text.encode())


@pytest.mark.parametrize(
    "text", ['[{"a":"' + "x" * 9_999, '[{"a":"' + '\\"' * 9_999, "[{" + "[" * 9_999, "[{" + "a" * 9_999]
)
def test_an_object_without_an_end_is_given_up_at_the_limit(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(texts, "BLOCK", 64)
    said = complain(UnreadableFileError, text.encode(), limits=Limits(row_characters=1_000))
    assert said == "Object 1 of the array has more than 1,000 characters: that is no user."


def test_an_array_has_at_most_as_many_objects_as_a_file_has_rows() -> None:
    said = complain(FileTooLargeError, b"[" + b"{}," * 9 + b"{}]", limits=Limits(rows=9))
    assert said == "The array has more than 9 objects: send it in parts."

import json
from typing import Any

from bson import Decimal128, Int64

from app.spreadsheets.columns import choose
from app.spreadsheets.writing import writer
from tests.unit.spreadsheets.files import NASTY, moment, person, write


def read(file: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.split(b"\n")[:-1]]


def test_without_columns_a_line_is_the_whole_user_with_its_id_first() -> None:
    ana = person(profile={"age": Int64(30), "addresses": [{"city": "北京"}]})
    line = write("ndjson", [ana])
    assert line.startswith(b'{"id":"65a000000000000000000001",')
    assert line.endswith(b"\n")
    assert read(line) == [
        {
            "id": "65a000000000000000000001",
            "email": "ana@example.com",
            "name": "Ana",
            "tags": [],
            "scopes": ["me", "users:read"],
            "is_active": True,
            "email_verified": False,
            "created_at": "2024-01-02T03:04:05.000000Z",
            "updated_at": "2024-01-02T03:04:05.678000Z",
            "version": 1,
            "profile": {"age": 30, "addresses": [{"city": "北京"}]},
        }
    ]


def test_writing_a_user_leaves_the_row_as_it_was() -> None:
    ana = person()
    write("ndjson", [ana])
    assert ana == person()


def test_with_columns_a_line_is_flat_and_typed_under_the_labels() -> None:
    ana = person(profile={"addresses": [{"city": "A"}, {"city": "B"}]})
    spec = "id,tags,scopes,is_active,version,created_at:Since,address1_city:City,addresses_more,phone"
    assert read(write("ndjson", [ana], spec, addresses=1)) == [
        {
            "id": "65a000000000000000000001",
            "tags": [],
            "scopes": ["me", "users:read"],
            "is_active": True,
            "version": 1,
            "Since": "2024-01-02T03:04:05.000000Z",
            "City": "A",
            "addresses_more": [{"city": "B"}],
            "phone": None,
        }
    ]


def test_nasty_names_read_back_equal() -> None:
    rows = [person(name=name) for name in NASTY]
    assert [line["name"] for line in read(write("ndjson", rows))] == list(NASTY)
    assert [line["name"] for line in read(write("ndjson", rows, "name"))] == list(NASTY)


def test_poison_is_written_as_what_json_can_say() -> None:
    poisoned = person(name=Decimal128("1.5"), version=float("nan"), created_at=moment("0001-01-01T00:00:00"))
    (line,) = read(write("ndjson", [poisoned], "name,version,created_at"))
    assert line == {"name": "1.5", "version": None, "created_at": "0001-01-01T00:00:00.000000Z"}


def test_a_batch_of_no_rows_adds_nothing() -> None:
    out = writer("ndjson", choose("name"))
    assert out.head() == out.rows([]) == out.tail() == b""

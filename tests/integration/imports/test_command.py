"""`python -m app import`: what a person at a terminal sees, and what becomes of the users."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.support.live import command

FILE = "email,name,Colour\r\nann@example.com,Ann,blue\r\nbob@example.com,,red\r\neve@example.com,Eva,red\r\n"


@pytest.fixture
def backends(mongo_uri: str, redis_url: str) -> dict[str, Any]:
    return {"mongo_uri": mongo_uri, "redis_url": redis_url, "log_level": "error"}


def names(mongo_uri: str) -> list[str]:
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        return sorted(user["name"] for user in client.get_default_database()["users"].find())


def test_a_plan_is_shown_and_applied_when_somebody_says_yes(
    tmp_path: Path, mongo_uri: str, backends: dict[str, Any]
) -> None:
    (tmp_path / "people.csv").write_text(FILE, encoding="utf-8")
    refused = command(tmp_path, "import", "people.csv", entered="n\n", **backends)
    assert refused.returncode == 1
    assert refused.stdout.startswith("3 rows: 2 create, 1 error\n")
    assert 'not imported: "Colour"' in refused.stdout
    assert 'row 3 error "name": ' in refused.stdout
    assert names(mongo_uri) == []
    applied = command(tmp_path, "import", "people.csv", "--yes", **backends)
    assert applied.returncode == 1, "a row was left out"
    assert "Applied.\n3 rows: 2 created, 1 error\n" in applied.stdout
    assert names(mongo_uri) == ["Ann", "Eva"]
    with MongoClient[dict[str, Any]](
        mongo_uri
    ) as client:  # as a name could be before such texts were refused
        client.get_default_database()["users"].update_one({"name": "Eva"}, {"$set": {"name": "\x1b[2JEve"}})
    (tmp_path / "edited.csv").write_text("email,name\nann@example.com,Anna\neve@example.com,Eve\n")
    planned = command(tmp_path, "import", "edited.csv", "--plan-only", **backends)
    assert planned.returncode == 0, planned.stderr
    assert 'row 2: /name "Ann" becomes "Anna"' in planned.stdout
    assert "\x1b" not in planned.stdout
    assert "Ann" in names(mongo_uri)


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, backends: dict[str, Any]
) -> None:
    (tmp_path / "people.csv").write_text("email,email\r\na@example.com,b@example.com\r\n")
    refused = command(tmp_path, "import", "people.csv", **backends)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "both headed" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_import_is_undone_when_somebody_says_yes(
    tmp_path: Path, mongo_uri: str, backends: dict[str, Any]
) -> None:
    (tmp_path / "people.csv").write_text("email,name\nann@example.com,Ann\n")
    applied = command(tmp_path, "import", "people.csv", "--yes", **backends)
    *_, undo, import_id = applied.stdout.split()
    assert undo == "revert-import"
    planned = command(tmp_path, undo, import_id, entered="n\n", **backends)
    assert planned.stdout.startswith("1 rows: 1 delete\n")
    assert names(mongo_uri) == ["Ann"]
    undone = command(tmp_path, undo, import_id, "--yes", **backends)
    assert undone.returncode == 0, undone.stderr
    assert "Applied.\n1 rows: 1 deleted\n" in undone.stdout
    assert names(mongo_uri) == []
    refused = command(tmp_path, undo, import_id, "--yes", **backends)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "reverts this one" in refused.stderr


@pytest.mark.parametrize(
    ("import_id", "why"), [("people.csv", "24 hexadecimal digits"), ("6b09" * 6, "no import")]
)
def test_what_is_no_import_is_not_undone(
    tmp_path: Path, backends: dict[str, Any], import_id: str, why: str
) -> None:
    refused = command(tmp_path, "revert-import", import_id, **backends)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert why in refused.stderr

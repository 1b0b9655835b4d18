"""Batches of rows: what is prepared before they are written."""

from bson import ObjectId

from app import search
from app.audit.write import Author
from app.imports import row_batches
from models.user import UserInput


def test_words_of_unchanged_fields_are_learnt_only_where_the_stored_search_fields_are_older() -> None:
    said = UserInput(name="Wilhelmine", email="w@example.com", tags=["observatory"]).model_dump()
    differences = [{"pointer": "/tags", "from": [], "to": ["observatory"]}]
    newer, older, gone = [ObjectId() for _ in range(3)]
    rows = [
        {"n": n, "status": "update", "user": user, "version": 1, "said": said, "differences": differences}
        for n, user in enumerate((newer, older, gone))
    ]
    common = {"is_active": True, "scopes": ["me"], "email": "w@example.com"}
    standing = {
        user: common | {"_id": user, "search": {"v": version}}
        for user, version in ((newer, search.VERSION), (older, search.VERSION - 1))
    }
    batch = row_batches.prepare(rows, standing, Author())
    assert ["wilhelmine" in words for words in batch.words] == [False, True, True]
    assert all("observatory" in words for words in batch.words)

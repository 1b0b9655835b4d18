"""Rows about the same user are found, however many there are."""

from app.imports.duplicate_rows import DuplicateRows


def test_each_row_is_told_of_up_to_five_others() -> None:
    with DuplicateRows() as claims:
        claims.add([("email", "a", 1, 2), ("phone", "a", 2, 3), ("email", "b", 3, 4)])
        claims.add([("email", "a", 4, 5)])
        claims.add(("username", "crowd", n, n + 1) for n in range(5, 15))
        found = {(n, kind): others for n, kind, others in claims.find_repeated()}
    assert found[1, "email"] == [5]
    assert found[4, "email"] == [2]
    assert found[5, "username"] == [7, 8, 9, 10, 11]
    assert found[14, "username"] == [6, 7, 8, 9, 10]
    assert len(found) == 12


def test_without_repeats_there_is_nothing() -> None:
    with DuplicateRows() as claims:
        claims.add((kind, "same", n, n) for n, kind in enumerate(["id", "email", "phone"]))
        assert list(claims.find_repeated()) == []

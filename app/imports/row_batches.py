"""Batches of planned rows, prepared with their writes before the transaction that makes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bson import ObjectId
from pymongo import DeleteOne, InsertOne, UpdateOne

from app import audit, search
from app.audit.write import Author, Entry
from app.core.mongo import Row
from app.users import changes, user_records
from app.users.administrators import may_administer

_SIGN_OUT = {"$inc": changes.RAISED}
_Write = DeleteOne | InsertOne[Row] | UpdateOne
_ORDER = (DeleteOne, UpdateOne, InsertOne)
"""So that unique values are freed first."""


_UNIQUE = frozenset(user_records.UNIQUE.values())


@dataclass(slots=True)
class Group:
    """Rows that are written by the same calls."""

    rows: list[Row] = field(default_factory=list)
    writes: list[_Write] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    """Of the audit trail, one for each row."""
    notes: list[tuple[Row, Row]] = field(default_factory=list)
    """Users before and after, for the audit log."""
    ended: list[ObjectId] = field(default_factory=list)
    """The users whose sessions end."""


@dataclass(slots=True)
class Batch:
    """A batch of rows with their writes."""

    rows: list[Row]
    words: list[dict[str, bool]] = field(default_factory=list)
    plain: Group = field(default_factory=Group)
    """Updates of no unique value: written before the transaction of their trail."""
    new: Group = field(default_factory=Group)
    """Creates: written before the transaction of their trail, too."""
    together: Group = field(default_factory=Group)
    """Written with their trail in one transaction."""
    alone: list[tuple[Row, Row]] = field(default_factory=list)
    """Rows that set a password or take away an administrator, each with its user: written singly."""


def prepare(rows: list[Row], standing: dict[ObjectId, Row], author: Author) -> Batch:
    """Prepare a batch; heavy, so call it in a thread. Rows of deleted users will be refused by the write."""
    batch = Batch(rows)
    for row in rows:
        user = standing.get(row["user"], {"_id": row["user"], "is_active": False, "scopes": []})
        if _is_alone(row, user):
            batch.alone.append((row, user))
            continue
        batch.words.append(_add(_choose(batch, row), row, user, author))
    batch.together.writes.sort(key=lambda write: _ORDER.index(type(write)))
    return batch


def _add(group: Group, row: Row, user: Row, author: Author) -> dict[str, bool]:
    """Add a row; the words for the dictionary."""
    write, words, entry = _write(row, user, author)
    group.rows.append(row)
    group.writes.append(write)
    group.entries.append(entry)
    if _ends(row, user):
        group.ended.append(user["_id"])
    if row["status"] == "update" and row["said"] is not None:
        group.notes.append((user, row["said"]))
    return words


def _choose(batch: Batch, row: Row) -> Group:
    if row["status"] == "create":
        return batch.new
    return batch.plain if _is_plain(row) else batch.together


def _is_plain(row: Row) -> bool:
    """Whether it is an update that nothing but another version can refuse."""
    return row["status"] == "update" and bool(fields := _differing(row)) and not fields & _UNIQUE


def _differing(row: Row) -> set[str]:
    """The fields that the row changes; none of a sign-out."""
    return {each["pointer"].split("/")[1] for each in row["differences"]}


def _is_alone(row: Row, user: Row) -> bool:
    if row["status"] == "create":
        return False
    after = {} if row["status"] == "delete" else row["said"] or user
    return row.get("password_hash") is not None or (may_administer(user) and not may_administer(after))


def _ends(row: Row, user: Row) -> bool:
    """Whether the row ends its user's sessions; all that a bulk change does to some."""
    if row["status"] != "update":
        return bool(row["status"] == "delete")
    return row["said"] is None or changes.ends(user, row["said"])


def tell(row: Row, author: Author) -> Entry:
    """The trail's entry of a create or an update."""
    if row["status"] == "create":
        return user_records.creation(row["user"], row["said"], author)
    at = {"_id": row["user"], "version": row["version"]}
    return changes.alteration(at, author, row["differences"])


def _write(row: Row, user: Row, author: Author) -> tuple[_Write, dict[str, bool], Entry]:
    """The write, words for the dictionary and the trail's entry."""
    if row["status"] == "create":
        return _create(row, author)
    at = {"_id": row["user"], "version": row["version"]}
    if row["status"] == "delete":
        return DeleteOne(at), {}, audit.write.entry(author, "deleted", row["user"])
    if row["said"] is None:  # a sign-out raises no version
        return UpdateOne(at, _SIGN_OUT), {}, audit.write.entry(author, "signed_out", row["user"])
    return _update(row, user, author, changes.RAISED if _ends(row, user) else {})


def _create(row: Row, author: Author) -> tuple[InsertOne[Row], dict[str, bool], Entry]:
    """A create without a `User`, which would add half of the work: the plan has validated the values."""
    fields, words = user_records.compose(row["said"])
    credentials = {"password_hash": row.get("password_hash"), "generation": 0}
    new = {"_id": row["user"], **fields, "credentials": credentials}
    return InsertOne(new), words, tell(row, author)


def _update(
    row: Row, user: Row, author: Author, raised: Mapping[str, int]
) -> tuple[UpdateOne, dict[str, bool], Entry]:
    """Of the version that was planned; if that of `user` is another, MongoDB finds nothing to update."""
    is_verified = user_records.stays_verified(user, row["said"])
    is_learnt = user.get("search") == {"v": search.VERSION}
    update, words = user_records.change(
        row["said"], raised, is_verified=is_verified, differing=_differing(row), is_learnt=is_learnt
    )
    at = {"_id": row["user"], "version": row["version"]}
    return UpdateOne(at, update), words, tell(row, author)

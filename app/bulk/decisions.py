"""Decisions on users: what a bulk change does to each, without MongoDB."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from bson import ObjectId

from app.audit.write import differences
from app.core.errors import InsufficientScopeError, LastAdministratorError
from app.core.mongo import Row
from app.core.normalise import canonical
from app.imports.import_records import wrong
from app.users import changes
from app.users.administrators import may_administer
from app.users.authority import ADMIN
from app.users.user_records import SETTABLE
from models.bulk import Change, ScopesChange, StandingChange, TagsChange

_MOST_TAGS: Final = 50
_Why = tuple[str, str]
"""The code and the detail of a refusal."""

_OWN: Final = ("own_account", "This is your own account: change it by itself.")
_TARGET: Final = (InsufficientScopeError.code, "Only an administrator may change an administrator.")
_LAST: Final = (
    LastAdministratorError.code,
    "Nobody could sign in and administer after this: make another administrator first.",
)
_TAGS: Final = ("too_many_tags", f"The user would have more than {_MOST_TAGS} tags.")
_ABSENT: Final = ("user_not_found", "There is no user with this id.")
_UNREADABLE: Final = (
    "unreadable_user",
    "The stored record of this user is not valid: it must be corrected first.",
)


class Decider:
    """Decides for one bulk change, user after user, and counts."""

    def __init__(
        self, change: Change, *, by: str | None, scopes: frozenset[str], administrators: set[ObjectId]
    ) -> None:
        """`administrators` are those who can sign in; they are removed as they go."""
        self.refused: Counter[str] = Counter()
        self.ended = 0
        """Users whose sessions end."""
        self._change = change
        self._by = by
        self._is_admin = ADMIN in scopes
        self._administrators = administrators
        self._count = 0

    def decide(self, user_id: ObjectId, user: Row | None, *, is_stored: bool) -> Row:
        """The user's row, without what all rows share; `user` is None where none is, or a malformed one."""
        self._count += 1
        row: Row = {"n": self._count, "row": self._count, "cells": [], "user": user_id, "version": None}
        row |= {"status": "unchanged", "said": None, "differences": [], "errors": []}
        if user is None:
            return self._refuse(row, _UNREADABLE if is_stored else _ABSENT)
        row["version"] = user["version"]
        after = self._apply(user)
        if after == {} or (after is None and self._change.action == "end_sessions" and not user["is_active"]):
            return row
        if (why := self._find_refusal(user, after)) is not None:
            return self._refuse(row, why)
        return row | self._plan(user, after)

    def _apply(self, user: Row) -> dict[str, Any] | None:
        """The fields that change, with their new values; None where the user is deleted or signed out."""
        after: dict[str, Any]
        match self._change:
            case TagsChange():
                after = {"tags": _change_list(self._change, user["tags"], self._change.tags)}
            case ScopesChange():
                after = {"scopes": _change_list(self._change, user["scopes"], self._change.scopes)}
            case StandingChange(action="activate" | "deactivate" as action):
                after = {"is_active": action == "activate"}
            case _:
                return None
        return {name: value for name, value in after.items() if value != user[name]}

    def _find_refusal(self, user: Row, after: dict[str, Any] | None) -> _Why | None:
        if not self._is_admin and ADMIN in user["scopes"]:
            return _TARGET
        if self._by == str(user["_id"]) and not isinstance(self._change, TagsChange):
            return _OWN
        if len((after or {}).get("tags", ())) > _MOST_TAGS:
            return _TAGS
        return self._find_last(user, after)

    def _find_last(self, user: Row, after: dict[str, Any] | None) -> _Why | None:
        """Why the administrator stays, if they are the last one who can sign in."""
        goes = self._change.action == "delete" or not may_administer(user | (after or {}))
        if not goes or user["_id"] not in self._administrators:
            return None
        if len(self._administrators) == 1:
            return _LAST
        self._administrators.discard(user["_id"])
        return None

    def _plan(self, user: Row, after: dict[str, Any] | None) -> Row:
        if self._change.action == "delete":
            return {"status": "delete"}
        before = {name: user[name] for name in SETTABLE}
        if after is None or changes.ends(before, before | after):
            self.ended += 1
        if after is None:
            return {"status": "update"}
        told = differences({name: before[name] for name in after}, after)
        return {"status": "update", "said": before | after, "differences": told}

    def _refuse(self, row: Row, why: _Why) -> Row:
        code, detail = why
        self.refused[code] += 1
        return row | {"status": "error", "errors": [wrong(code, detail)]}


def _change_list(change: TagsChange | ScopesChange, held: Sequence[str], named: Sequence[str]) -> list[str]:
    """With or without these, which are the same in any case, as they are to filters."""
    if change.action.startswith("remove"):
        gone = set(map(canonical, named))
        return [each for each in held if canonical(each) not in gone]
    there = set(map(canonical, held))
    return [*held, *(each for each in named if canonical(each) not in there)]

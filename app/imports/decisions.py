"""Decisions on rows: the rules of a plan, without MongoDB."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bson import ObjectId
from pydantic import ValidationError

from app.audit.write import differences
from app.auth import passwords
from app.core.errors import InvalidError
from app.core.field_errors import MAX_ERRORS, from_validation
from app.imports.conversion import pointer
from app.imports.merging import BLANK, REQUIRED, merge
from app.imports.recognising import recognise
from app.imports.row_parser import BAD_CELL, ParsedRow
from app.imports.stored_users import UNIQUE, StoredUser, find_key, normalise
from app.users import pictures
from app.users.authority import ADMIN
from models.export import Format
from models.imports import RowStatus
from models.user import STANDING, UserInput
from models.values import Held, held

_MOVED: Final = "An address before others would be empty, and they would move up: give all columns of those."
_BROKEN: Final = "\ufffd"
_LOST: Final = "Holds \ufffd where a program lost a character: write the value again."
_FIELDS: Final = tuple(UserInput.model_fields)


@dataclass(slots=True)
class Decision:
    """The decision on a row. With errors it is an error, whatever its status says."""

    parsed: ParsedRow
    status: RowStatus
    user: ObjectId | None = None
    version: int | None = None
    values: dict[str, Any] | None = None
    differences: list[dict[str, Any]] = field(default_factory=list)
    password_hash: str | None = None
    claims: dict[str, str] = field(default_factory=dict)
    """The keys and unique values of the row, normalised, by kind; no other row may have them."""
    wanted: dict[str, str] = field(default_factory=dict)
    """Unique values, normalised, that are new to the user."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    """Notes about a row without errors."""

    def document(self) -> dict[str, Any]:
        """The stored document, without the fields that all rows of the import share."""
        parsed = self.parsed
        status = "error" if parsed.errors and self.status != "conflict" else self.status
        is_written = status in ("create", "update")
        return {
            "n": parsed.n,
            "row": parsed.row,
            "cells": parsed.cells,
            "status": status,
            "user": self.user,
            "version": self.version,
            "said": self.values if is_written else None,
            "differences": self.differences if status in ("update", "conflict") else [],
            "errors": (parsed.errors or self.notes)[:MAX_ERRORS],
        } | ({"password_hash": self.password_hash} if is_written and self.password_hash else {})


class Decider:
    """Decides on the rows of one file for one caller. Heavy: call it in a thread."""

    def __init__(self, scopes: frozenset[str], by: str | None, form: Format, *, base: str) -> None:
        """`base`: the address of this service, as of `Users`."""
        self._base = base
        self._form = form
        self._by = by
        self._is_admin = ADMIN in scopes

    def decide(self, parsed: ParsedRow, stored: StoredUser | None) -> Decision:
        decision = Decision(parsed, "unchanged", stored.id if stored else None)
        if stored is not None and stored.row is not None:
            decision.version = stored.row["version"]
        if stored is not None and stored.row is None:
            parsed.fail(
                "unreadable_user", "The stored record of this user is not valid: it must be corrected first."
            )
        else:
            self._judge(decision, stored)
        decision.claims = _claims(parsed, stored)
        return decision

    def _judge(self, decision: Decision, stored: StoredUser | None) -> None:
        parsed = decision.parsed
        kind, _ = find_key(parsed.values)
        if not kind:
            self._miss_key(parsed)
        elif stored is None and (kind == "id" or parsed.values.get("delete")):
            self._fail(parsed, "user_not_found", f"There is no user with this {kind}.", kind)
        if parsed.values.get("delete"):
            self._delete(decision, stored)
        else:
            self._write(decision, stored)

    def refuse_owned(self, decision: Decision, name: str) -> None:
        """Add the error that another user has the value of this unique field."""
        self._fail(decision.parsed, "already_exists", f"Another user has this {name}.", name)

    # --- the two kinds of rows

    def _delete(self, decision: Decision, stored: StoredUser | None) -> None:
        if stored is None or stored.row is None:
            return
        decision.status = "delete"
        self._check_target(decision.parsed, stored)
        self._check_version(decision, stored)

    def _write(self, decision: Decision, stored: StoredUser | None) -> None:
        parsed = decision.parsed
        before = {name: stored.row[name] for name in _FIELDS} if stored and stored.row else None
        if before is None and not self._is_admin and not parsed.values.get("scopes", ("",)):
            del parsed.values["scopes"]  # an empty cell asks for no scopes, which the caller need not grant
        if before is not None and parsed.values.get("email", "") is None:
            del parsed.values["email"]  # the user was found by another key, and needs an e-mail
        if isinstance(url := parsed.values.get("avatar_url"), str):
            own = before["avatar_url"] if before is not None else None
            parsed.values["avatar_url"] = pictures.settle(url, own, self._base)
        merged = merge(BLANK if before is None else before, parsed.values)
        if (
            stored is not None
            and stored.row is not None
            and before is not None
            and (parsed.errors or merged != before)
            and recognise(parsed, stored.row | {"_id": str(stored.id)}, self._form)
        ):
            merged = merge(before, parsed.values)
        decision.password_hash = self._new_hash(parsed, stored)
        if not parsed.errors and merged == before and decision.password_hash is None:
            return
        is_known = find_key(parsed.values)[0] != "id" or stored is not None
        values = self._validate(parsed, merged, held(before or {}), is_known=is_known)
        if values is not None:
            self._check_places(parsed, merged, values)
            self._plan(decision, stored, before, values)

    def _plan(
        self,
        decision: Decision,
        stored: StoredUser | None,
        before: dict[str, Any] | None,
        values: dict[str, Any],
    ) -> None:
        parsed, changes_hash = decision.parsed, decision.password_hash is not None
        self._check_standing(parsed, before or BLANK, values)
        decision.wanted = dict(_new_values(stored, values))
        decision.values = values
        if stored is None or stored.row is None or before is None:
            decision.status = "create"
            decision.user = ObjectId()
            return
        if values == before and not changes_hash:
            return
        decision.status = "update"
        decision.differences = differences(before, values)
        self._check_broken(decision)
        if changes_hash:
            decision.differences.append({"pointer": "/password_hash", "from": None, "to": None})
        self._check_target(parsed, stored)
        self._check_own(decision, stored)
        self._check_version(decision, stored)

    # --- errors

    def _validate(
        self, parsed: ParsedRow, merged: dict[str, Any], stored: Held, *, is_known: bool
    ) -> dict[str, Any] | None:
        """The validated user, dumped, or None; adds errors, one for each field."""
        for name in REQUIRED:
            if merged.get(name, "") is None:
                del merged[name]
        try:
            values = UserInput.model_validate(merged, context=stored).model_dump()
        except ValidationError as error:
            known = {str(bad["pointer"]) for bad in parsed.errors}
            if not is_known:
                known |= {pointer(name) for name in REQUIRED if name not in parsed.values}
            for bad in from_validation(error, merged):
                at = bad.pointer or ""
                if at not in known:
                    parsed.fail("invalid_value", bad.detail, at, self._heading(at, parsed))
            return None
        return None if parsed.errors else values

    def _check_places(self, parsed: ParsedRow, merged: dict[str, Any], values: dict[str, Any]) -> None:
        """Check that the same row would change nothing again, although addresses moved up."""
        if len(values["profile"]["addresses"]) == len(merged["profile"]["addresses"]):
            return
        again = UserInput.model_validate(merge(values, parsed.values), context=held(values)).model_dump()
        if again != values:
            parsed.fail("invalid_value", _MOVED, "/profile/addresses")

    def _check_broken(self, decision: Decision) -> None:
        """No program's loss is taken for a change; new users, in whom nothing is lost, show in the plan."""
        for each in decision.differences if self._form != "ndjson" else ():
            if _BROKEN in str(each["to"]) and _BROKEN not in str(each["from"]):
                column = self._heading(each["pointer"], decision.parsed)
                decision.parsed.fail(BAD_CELL, _LOST, each["pointer"], column)

    def _miss_key(self, parsed: ParsedRow) -> None:
        keys = {pointer(name) for name in ("id", "email", "username")}
        if not any(bad["pointer"] in keys for bad in parsed.errors):
            parsed.fail("missing_key", "One of id, email and username is needed to find the row's user.")

    def _check_target(self, parsed: ParsedRow, stored: StoredUser) -> None:
        if not self._is_admin and stored.row is not None and ADMIN in stored.row["scopes"]:
            parsed.fail("insufficient_scope", "Only an administrator may change an administrator.")

    def _check_own(self, decision: Decision, stored: StoredUser) -> None:
        """Files cannot change what needs the caller's own password."""
        if self._by != str(stored.id):
            return
        changed = {each["pointer"] for each in decision.differences}
        for name in ("email", "password_hash"):
            if pointer(name) in changed:
                self._fail(
                    decision.parsed,
                    "password_needed",
                    "Change your own at /users/me, with your password.",
                    name,
                )

    def _check_standing(self, parsed: ParsedRow, before: Mapping[str, Any], values: dict[str, Any]) -> None:
        for name in sorted(STANDING):
            if not self._is_admin and values[name] != before[name]:
                self._fail(parsed, "insufficient_scope", f"Only {ADMIN} may set {name}.", name)

    def _check_version(self, decision: Decision, stored: StoredUser) -> None:
        """Make the row a conflict if the user has changed since the file was made."""
        version = decision.parsed.values.get("version")
        if decision.parsed.errors or stored.row is None or version in (None, stored.row["version"]):
            return
        decision.status = "conflict"
        self._fail(
            decision.parsed, "version_mismatch",
            f"The user is at version {stored.row['version']}: changed since the file was made.", "version",
        )  # fmt: skip

    def _new_hash(self, parsed: ParsedRow, stored: StoredUser | None) -> str | None:
        """The password hash to set, or None."""
        values: str | None = parsed.values.get("password_hash")
        if values is None or (stored is not None and stored.password_hash == values):
            return None
        if not self._is_admin:
            self._fail(parsed, "insufficient_scope", f"Only {ADMIN} may set passwords.", "password_hash")
        try:
            passwords.check_importable(values, pointer="/password_hash")
        except InvalidError as error:
            self._fail(parsed, "invalid_value", error.errors[0].detail, "password_hash")
        return values

    def _fail(self, parsed: ParsedRow, code: str, detail: str, name: str) -> None:
        parsed.fail(code, detail, pointer(name), parsed.heading_of(name))

    def _heading(self, at: str, parsed: ParsedRow) -> str | None:
        """The heading of the column with the pointer's value, or with a value around it."""
        while at:
            for name, place in parsed.columns.items():
                if name in parsed.values and pointer(name) == at:
                    return place.heading
            at = at.rpartition("/")[0]
        return None


def _claims(parsed: ParsedRow, stored: StoredUser | None) -> dict[str, str]:
    claims = {
        name: key for name in UNIQUE if (key := _claim(name, parsed.values.get(name), stored)) is not None
    }
    user_id = str(stored.id) if stored is not None else parsed.values.get("id")
    return claims | ({"id": user_id} if user_id else {})


def _claim(name: str, value: Any, stored: StoredUser | None) -> str | None:
    """The normalised value; a stored one as it is, as old phone numbers may be parsed differently."""
    return value if stored is not None and stored.keys[name] == value else normalise(name, value)


def _new_values(stored: StoredUser | None, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The unique values, normalised, that are new to the user."""
    for name in UNIQUE:
        key = _claim(name, values[name], stored)
        if key is not None and (stored is None or stored.keys[name] != key):
            yield name, key

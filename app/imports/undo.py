"""Undoes one row that was applied: compares what it wrote, by the audit trail, with the user now."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from app import audit
from app.audit.write import Entry
from app.imports.merging import PARTS
from app.imports.row_parser import ParsedRow
from app.imports.stored_users import StoredUser
from models.user import FIELDS, UserInput

CONFLICT: Final = "changed_since"
STAYS: Final = "not_undone"
SECRETS: Final = ("/password", "/password_hash")
_STANDING: Final = ("/is_active", "/scopes")
_ADDRESSES: Final = ["profile", "addresses"]
_FIELDS: Final = tuple(UserInput.model_fields)
_LISTS: Final = frozenset(field.name for field in FIELDS if field.kind.many)


def undo_update(parsed: ParsedRow, stored: StoredUser, entry: Entry) -> None:
    """Restore the earlier values; fields that were changed since become errors of the row."""
    written = [each for each in entry["differences"] if each["pointer"] not in SECRETS]
    before = {name: stored.row[name] for name in _FIELDS} if stored.row else {}
    user = _padded(before, written)
    if all(_same(_get(user, each["pointer"]), each["from"]) for each in written):
        return
    for each in written:
        if not _same(_get(user, each["pointer"]), each["to"]):
            parsed.fail(CONFLICT, "This field was changed since.", each["pointer"])
        _set(user, each["pointer"], each["from"])
    addresses = user["profile"]["addresses"]
    user["profile"]["addresses"] = [each for each in addresses if not _is_nowhere(each)]
    parsed.values |= {name: user[name] for name in _FIELDS if user[name] != before[name]}


def undo_creation(parsed: ParsedRow, stored: StoredUser, entry: Entry, *, has_new_password: bool) -> None:
    """Delete the created user; fields that were changed since become errors of the row."""
    parsed.values["delete"] = True
    now = {name: stored.row[name] for name in _FIELDS} if stored.row else {}
    for at in _changed(entry["differences"], audit.write.differences({}, now)):
        parsed.fail(CONFLICT, "This field was changed since the user was created.", at)
    if has_new_password:
        parsed.fail(CONFLICT, "The password was set since the user was created.", "/password")


def losses(entry: Entry) -> Iterator[tuple[str, str | None]]:
    """What cannot be undone of a change: sentences and pointers."""
    pointers = [each["pointer"] for each in entry["differences"]]
    if entry["action"] == "created":
        return
    for at in pointers:
        if at in SECRETS:
            yield "The earlier password is not stored: the one that was set stays.", at
    if entry["action"] == "signed_out" or any(at in (*SECRETS, *_STANDING) for at in pointers):
        yield "Sessions that ended stay ended.", None


def _changed(written: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[str]:
    was, is_now = ({each["pointer"]: each["to"] for each in differences} for differences in (written, now))
    return [at for at in dict.fromkeys([*was, *is_now]) if not _same(was.get(at), is_now.get(at))]


def _padded(user: Mapping[str, Any], written: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A copy of the user that has each address of the change, if only an empty one."""
    copied = deepcopy(dict(user))
    addresses = copied["profile"]["addresses"]
    paths = [_path(each["pointer"]) for each in written]
    places = [int(path[2]) for path in paths if path[:2] == _ADDRESSES and len(path) > len(_ADDRESSES)]
    addresses += [dict.fromkeys(PARTS) for _ in range(max(places, default=-1) + 1 - len(addresses))]
    return copied


def _path(at: str) -> list[str]:
    return at.split("/")[1:]


def _get(user: Any, at: str) -> Any:
    for key in _path(at):
        user = user[int(key)] if isinstance(user, list) else (user or {}).get(key)
    return user


def _set(user: Any, at: str, value: Any) -> None:
    *path, last = _path(at)
    for key in path:
        user = user[int(key)] if isinstance(user, list) else user[key]
    if isinstance(user, list):
        user[int(last)] = {**dict.fromkeys(PARTS), **(value or {})}
    else:
        user[last] = [] if value is None and last in _LISTS else value


def _same(one: Any, other: Any) -> bool:
    """Whether both values are equal, empty ones being missing."""
    return bool(_full(one) == _full(other))


def _full(value: Any) -> Any:
    if isinstance(value, Mapping):
        value = {key: each for key, each in value.items() if each is not None}
    return value or None if isinstance(value, dict | list) else value


def _is_nowhere(address: Mapping[str, Any]) -> bool:
    return all(part is None for part in address.values())

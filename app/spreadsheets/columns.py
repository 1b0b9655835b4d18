"""The catalogue of columns: names, order, and paths in a stored user."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count, takewhile
from typing import Final

from app.core.errors import FieldError, InvalidError
from app.core.near_names import find_near
from app.spreadsheets.batch import Beyond
from app.spreadsheets.column import Column, Kind
from models.fields import UserField
from models.user import FIELDS, PARTS

ADDRESSES: Final = 3
"""The addresses with columns of their own, by default."""

MOST_ADDRESSES: Final = 10
"""The most addresses of a user."""

LONGEST_LABEL: Final = 100
"""The longest label, in characters."""

REST: Final = "addresses_more"
"""The column of addresses without columns of their own."""

_ADDRESSES: Final = ("profile", "addresses")
_KINDS: Final[dict[type, Kind]] = {str: "text", int: "integer", bool: "boolean", datetime: "datetime"}

_address_column = re.compile(r"address([1-9][0-9]?)_([a-z]+)").fullmatch
_item = re.compile(r'(?:[^,":]*+:)?\s*+"(?:[^"]++|"")*+"\s*+(?=,|\Z)|[^,]*+').match
_MOST_COMPLAINTS: Final = 20
_LONGEST_ECHO: Final = 40


def catalogue(addresses: int = ADDRESSES) -> tuple[Column, ...]:
    """All columns in the default order; the last address column is `address{addresses}_country`."""
    return tuple(column for field in FIELDS for column in _columns(field, addresses))


def _columns(field: UserField, addresses: int) -> Iterator[Column]:
    if field.path != _ADDRESSES:
        kind: Kind = "list" if field.kind.many else _KINDS[field.kind.type]
        path = ("_id",) if field.name == "id" else field.path
        yield Column(field.name, field.name, kind, field.declared.width, path)
        return
    yield from _address_columns(range(addresses))
    rest = Beyond((frozenset(part.name for part in PARTS),) * addresses)
    yield Column(REST, REST, "json", field.declared.width, (*_ADDRESSES, rest))


def choose(spec: str | None, *, addresses: int = ADDRESSES) -> tuple[Column, ...]:
    """
    The columns of a list such as `name,email:E-Mail,address1_city:City`, in order; all for None.

    An address beyond `addresses` can be named. `addresses_more` has the addresses that other columns leave
    out. InvalidError names every bad item.
    """
    if not 0 <= addresses <= MOST_ADDRESSES:
        complaint = f"addresses must be from 0 to {MOST_ADDRESSES}"
        raise InvalidError(complaint, errors=(FieldError(complaint, parameter="addresses"),))
    if spec is None:
        return catalogue(addresses)
    known = {column.name: column for column in _askable(addresses)}
    chosen: list[Column] = []
    complaints: list[FieldError] = []
    for item in split_items(spec):
        outcome = _pick(item, known, chosen)
        if isinstance(outcome, Column):
            chosen.append(outcome)
        else:
            complaints.append(FieldError(outcome, parameter="columns"))
        if len(complaints) == _MOST_COMPLAINTS:
            break
    if complaints:
        raise InvalidError("columns is not a list of known columns", errors=tuple(complaints))
    return tuple(_show_the_rest(chosen))


def split_items(text: str) -> list[str]:
    """The items between commas; a label in quotes may contain commas, and quotes written twice."""
    items: list[str] = []
    place = 0
    while place <= len(text) and (found := _item(text, place)):
        items.append(found[0])
        place = found.end() + 1
    return items


def unquote(label: str) -> str:
    """A label without its quotes."""
    quoted = label.strip()
    if len(quoted) > len('""') and quoted[0] == quoted[-1] == '"':
        return quoted[1:-1].replace('""', '"')
    return label


def find_address_columns(names: Iterable[str]) -> list[frozenset[str]]:
    """The parts of addresses with columns, from the first address on without a gap."""
    parts: dict[int, set[str]] = {}
    for name in names:
        if match := _address_column(name):
            parts.setdefault(int(match[1]), set()).add(match[2])
    return [frozenset(parts[number]) for number in takewhile(parts.__contains__, count(1))]


def projection(columns: Iterable[Column]) -> dict[str, int]:
    """The MongoDB projection of exactly these columns."""
    paths = {".".join(key for key in column.path if isinstance(key, str)) for column in columns}
    kept = sorted(path for path in paths if not any(path.startswith(f"{other}.") for other in paths))
    return dict.fromkeys(kept, 1) | {"_id": int("_id" in paths)}


def _address_columns(indexes: Iterable[int]) -> Iterator[Column]:
    for index in indexes:
        for part in PARTS:
            name = f"address{index + 1}_{part.name}"
            yield Column(name, name, "text", part.declared.width, (*_ADDRESSES, index, part.name))


def _show_the_rest(chosen: Iterable[Column]) -> Iterator[Column]:
    """The columns, of which `addresses_more` shows all that the others leave out."""
    chosen = list(chosen)
    rest = Beyond(tuple(find_address_columns(column.name for column in chosen)))
    for column in chosen:
        yield replace(column, path=(*column.path[:-1], rest)) if column.kind == "json" else column


def _askable(addresses: int) -> tuple[Column, ...]:
    return (*catalogue(addresses), *_address_columns(range(addresses, MOST_ADDRESSES)))


def _pick(item: str, known: dict[str, Column], chosen: list[Column]) -> Column | str:
    """The column of one item, or its error."""
    name, colon, label = item.partition(":")
    name = name.strip()
    if name not in known:
        return _suggest(name, known)
    label = unquote(label) if colon else name
    if not label.strip():
        return f"the label after `{name}:` is empty: add one, or remove the colon"
    if len(label) > LONGEST_LABEL:
        return f"the label of `{name}` is longer than {LONGEST_LABEL} characters"
    if any(column.name == name for column in chosen):
        return f"`{name}` occurs twice: name each column once"
    if any(column.label == label for column in chosen):
        return f"two columns are labelled `{label}`: labels must differ"
    return replace(known[name], label=label)


def _suggest(name: str, known: dict[str, Column]) -> str:
    if not name:
        return "a column's name is empty: write `name,email`, without stray commas"
    asked = name[:_LONGEST_ECHO]
    close = find_near(asked, list(known), most=3) or ["id", "email", "name", "address1_city"]
    return f"there is no column `{asked}`: did you mean {', '.join(close)}?"

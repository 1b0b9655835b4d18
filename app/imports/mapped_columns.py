"""Maps columns of a file to fields of users: by name, by the caller's choice, by labels of exports."""

import difflib
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final, Self

from app.core.errors import FieldError, InvalidError, UnreadableFileError
from app.spreadsheets.columns import MOST_ADDRESSES, catalogue, split_items, unquote
from app.spreadsheets.reading.values import LONGEST_HEADING
from models.imports import ColumnUse
from models.user import FIELDS

MOST_KEYS: Final = 1_000
"""The most different keys of the objects of one NDJSON file."""

_USES: Final[dict[str, ColumnUse]] = {
    **{column.name: "field" for column in catalogue(MOST_ADDRESSES)},
    **{field.name: "read_only" for field in FIELDS if not field.is_set},
    **dict.fromkeys(("id", "email", "username"), "key"),
    **dict.fromkeys(("status", "error"), "status"),
    "version": "version",
    "delete": "delete",
    "password_hash": "password_hash",
    "profile": "field",
}
"""The columns of exports, and `profile`, in which NDJSON nests some of them."""

_JOINED: Final = "name"
"""The field that several columns can be joined to: first and last name."""
_MOST_COMPLAINTS: Final = 20
_NO_KEY: Final = "one of id, email and username is needed to find the users of rows"
_NO_SHOWN_KEY: Final = f"{_NO_KEY}; hidden columns are left out without hidden=read"
_LONGEST_ECHO: Final = 60
_SEPARATORS: Final = re.compile(r"[\s_.\-]+")
_ADDRESS: Final = re.compile(r"address([0-9]+)_(.+)")


@dataclass(frozen=True, slots=True)
class MappedColumn:
    heading: str
    field: str | None
    use: ColumnUse


class MappedColumns:
    """
    The columns of one file, in its order.

    Those of a workbook or CSV are known from the heading; those of NDJSON become known with its objects.
    """

    def __init__(
        self,
        asked: str | None,
        known: Iterable[Mapping[str, Any]] = (),
        *,
        ignored: str | None = None,
        hidden: Container[str] = (),
    ) -> None:
        """`asked`: `email:Mail address,name:Full name`; `known`: earlier `documents()`.

        `ignored`: headings of columns that are left out. InvalidError names what is wrong with either.
        `hidden`: headings of columns that are left out unless `asked` names them.
        """
        self._asked = _read(asked) if asked is not None else {}
        self._ignored = _read_headings(ignored, self._asked) if ignored is not None else frozenset()
        self._hidden = hidden
        self._remembered: dict[str, str] = {}
        self._found = {each["heading"]: MappedColumn(**each) for each in known}

    @classmethod
    def of_heading(
        cls,
        heading: Sequence[str],
        asked: str | None,
        labels: Mapping[str, str],
        *,
        ignored: str | None = None,
        hidden: Container[str] = (),
    ) -> Self:
        """`labels`: fields by the labels of exports.

        InvalidError if a heading could be two fields, two could be one field, or none finds a user.
        """
        columns = cls(asked, ignored=ignored, hidden=hidden)
        columns.remember(labels)
        complaints = columns._miss(heading)
        for each in heading:
            try:
                columns.find(each)
            except InvalidError as error:
                complaints += error.errors
        complaints += columns._clash()
        if not complaints and not any(column.use == "key" for column in columns):
            is_hidden = any(column.use == "hidden" for column in columns)
            complaints.append(_bad(_NO_SHOWN_KEY if is_hidden else _NO_KEY))
        if complaints:
            raise InvalidError(
                "The columns of the file are not clear.", errors=tuple(complaints[:_MOST_COMPLAINTS])
            )
        return columns

    def __iter__(self) -> Iterator[MappedColumn]:
        return iter(self._found.values())

    def documents(self) -> list[dict[str, Any]]:
        """The columns as stored with the import."""
        return [asdict(column) for column in self]

    def remember(self, labels: Mapping[str, str]) -> None:
        """Add labels of exports for unknown headings."""
        self._remembered.update(labels)

    def knows(self, heading: str) -> bool:
        return heading in self._found

    def find(self, heading: str) -> MappedColumn:
        """The column of this heading. InvalidError if it could be two fields."""
        known = self._found.get(heading)
        if known is None:
            if len(self._found) >= MOST_KEYS:
                raise UnreadableFileError(f"The objects have more than {MOST_KEYS:,} different keys.")
            if len(heading) > LONGEST_HEADING:
                raise UnreadableFileError(f"A key has more than {LONGEST_HEADING} characters.")
            known = self._make(heading)
            self._found[heading] = known
        return known

    def is_secret(self, column: MappedColumn) -> bool:
        """Whether it has password hashes, which are not stored with the rows even if it is left out."""
        if column.use != "ignored":
            return column.use == "password_hash"
        heading = column.heading
        return "password_hash" in (_NORMALISED.get(_normalise(heading)), self._remembered.get(heading))

    def heading_of(self, field: str) -> str | None:
        """The heading of the column of this field; in NDJSON each object may have its own."""
        headings = [column.heading for column in self if column.field == field]
        return headings[0] if len(headings) == 1 else None

    @property
    def names(self) -> list[str]:
        """Headings of the columns that are joined to the name, in order; none if one column has it."""
        found = [heading for heading, field in self._asked.items() if field == _JOINED]
        return found if len(found) > 1 else []

    def _make(self, heading: str) -> MappedColumn:
        if heading in self._ignored:
            return MappedColumn(heading, None, "ignored")
        if heading in self._hidden and heading not in self._asked:
            return MappedColumn(heading, None, "hidden")
        field = self._resolve(heading)
        return MappedColumn(heading, field, _USES[field] if field is not None else "unknown")

    def _resolve(self, heading: str) -> str | None:
        if heading in self._asked:
            return self._asked[heading]
        if heading in _USES:
            return heading
        by_name, by_label = _NORMALISED.get(_normalise(heading)), self._remembered.get(heading)
        if by_name is not None and by_label is not None and by_name != by_label:
            raise InvalidError(
                "A column could be two fields.",
                errors=(_bad(f"{_quote(heading)} may be {by_name} or {by_label}: choose one, as in "
                             f"columns={by_name}:{heading[:_LONGEST_ECHO]}"),),
            )  # fmt: skip
        return by_name or by_label

    def _miss(self, heading: Sequence[str]) -> list[FieldError]:
        return [
            _bad(f"there is no column {_quote(label)} in the file for {field}")
            for label, field in self._asked.items()
            if label not in heading
        ] + [
            _bad(f"there is no column {_quote(label)} in the file", "ignore")
            for label in sorted(self._ignored.difference(heading))
        ]

    def _clash(self) -> list[FieldError]:
        """Errors of two columns of one field, of which none is preferred."""
        first: dict[str, str] = {}
        found = []
        joined = self.names
        for column in self:
            if column.field is None or column.use == "status":
                continue
            other = first.setdefault(column.field, column.heading)
            if other != column.heading and not {other, column.heading} <= {*joined}:
                found.append(
                    _bad(f"{_quote(other)} and {_quote(column.heading)} are both {column.field}: keep one")
                )
        return found


@lru_cache
def address(field: str) -> tuple[int, str] | None:
    """The number (from 1) and the part of an address column."""
    found = _ADDRESS.fullmatch(field)
    return (int(found[1]), found[2]) if found else None


def is_of_addresses(field: str) -> bool:
    return field == "addresses_more" or address(field) is not None


def _read(asked: str) -> dict[str, str]:
    """The fields by label."""
    fields: dict[str, str] = {}
    complaints: list[FieldError] = []
    for item in split_items(asked):
        field, colon, label = item.partition(":")
        field, label = field.strip(), unquote(label) if colon else field.strip()
        if field not in _USES:
            complaints.append(_bad(_suggest(field)))
        elif not label:
            complaints.append(_bad(f"the label after `{field}:` is empty: write the column's heading there"))
        elif label in fields or (field in fields.values() and field != _JOINED):
            complaints.append(_bad(f"`{field}` or its label occurs twice: name each once"))
        else:
            fields[label] = field
        if len(complaints) == _MOST_COMPLAINTS:
            break
    if complaints:
        raise InvalidError("columns is not valid.", errors=tuple(complaints))
    return fields


def _read_headings(ignored: str, asked: Mapping[str, str]) -> frozenset[str]:
    headings = [unquote(item.strip()) for item in split_items(ignored)]
    complaints = [
        _bad(f"{_quote(heading)} is in columns, too: leave it out of one of them", "ignore")
        for heading in headings
        if heading in asked
    ]
    if "" in headings:
        complaints.append(
            _bad("a heading is empty: write `Notes,Cost centre`, without stray commas", "ignore")
        )
    if complaints:
        raise InvalidError("ignore is not valid.", errors=tuple(complaints[:_MOST_COMPLAINTS]))
    return frozenset(headings)


def _suggest(field: str) -> str:
    if not field:
        return "a field's name is empty: write `email:Mail address`, without stray commas"
    close = difflib.get_close_matches(field[:_LONGEST_ECHO], _USES, n=3) or ["id", "email", "name"]
    return f"there is no field {_quote(field)}: did you mean {', '.join(close)}?"


def _normalise(heading: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", heading[:_LONGEST_ECHO]).casefold())


def _normalised(names: Iterable[str]) -> dict[str, str]:
    return {_normalise(name): name for name in names}


_NORMALISED: Final = _normalised(_USES)


def _quote(text: str) -> str:
    return "`" + text[:_LONGEST_ECHO] + "`"


def _bad(detail: str, parameter: str = "columns") -> FieldError:
    return FieldError(detail, parameter=parameter)

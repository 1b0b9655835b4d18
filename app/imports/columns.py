"""Which column of a file is which field of a user: by name, by what the caller says, by labels of exports."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from app.errors import FieldError, InvalidError, UnreadableFileError
from app.spreadsheets.columns import MOST_ADDRESSES, catalogue
from app.spreadsheets.reading.values import LONGEST_HEADING
from models.imports import ColumnUse

MOST_KEYS: Final = 1_000
"""Different keys that the objects of one NDJSON may have."""

_FIELDS: Final = tuple(column.name for column in catalogue(MOST_ADDRESSES))
_USES: Final[dict[str, ColumnUse]] = {
    **dict.fromkeys(_FIELDS, "field"),
    **dict.fromkeys(("id", "email", "username"), "key"),
    **dict.fromkeys(("created_at", "updated_at", "last_login_at", "last_login_ip"), "read_only"),
    **dict.fromkeys(("status", "error"), "status"),
    "version": "version",
    "delete": "delete",
    "password_hash": "password_hash",
    "profile": "field",
}
"""Besides the export's columns: `profile`, by which NDJSON nests what the others have flat."""

_MOST_COMPLAINTS: Final = 20
_LONGEST_ECHO: Final = 60
_SEPARATORS: Final = re.compile(r"[\s_.\-]+")
_ADDRESS: Final = re.compile(r"address([0-9]+)_(.+)")


@dataclass(frozen=True, slots=True)
class Column:
    heading: str
    field: str | None
    use: ColumnUse


class Columns:
    """
    The columns of one file, in its order.

    A workbook's and a CSV's are known from the heading; those of NDJSON become known with its objects.
    """

    def __init__(self, asked: str | None, known: Iterable[Mapping[str, Any]] = ()) -> None:
        """`asked`: `email:Mail address,name:Full name`; `known`: `documents()` of before.

        InvalidError names what is wrong with `asked`.
        """
        self._asked = _read(asked) if asked is not None else {}
        self._remembered: dict[str, str] = {}
        self._found = {each["heading"]: Column(**each) for each in known}

    @classmethod
    def of_heading(cls, heading: Sequence[str], asked: str | None, labels: Mapping[str, str]) -> Self:
        """`labels`: fields by the labels of exports.

        InvalidError where a heading could be two fields, two could be one, or none finds a user.
        """
        columns = cls(asked)
        columns.remember(labels)
        complaints = columns._miss(heading)
        for each in heading:
            try:
                columns.find(each)
            except InvalidError as error:
                complaints += error.errors
        complaints += columns._clash()
        if not complaints and not any(column.use == "key" for column in columns):
            complaints.append(_bad("one of id, email and username is needed: by it a row finds its user"))
        if complaints:
            raise InvalidError(
                "The columns of the file cannot be told.", errors=tuple(complaints[:_MOST_COMPLAINTS])
            )
        return columns

    def __iter__(self) -> Iterator[Column]:
        return iter(self._found.values())

    def documents(self) -> list[dict[str, Any]]:
        """As they are stored with the import."""
        return [asdict(column) for column in self]

    def remember(self, labels: Mapping[str, str]) -> None:
        """More labels of exports, for headings that are not known yet."""
        self._remembered.update(labels)

    def knows(self, heading: str) -> bool:
        return heading in self._found

    def find(self, heading: str) -> Column:
        """The column of this heading. InvalidError where it could be one field or another."""
        known = self._found.get(heading)
        if known is None:
            if len(self._found) >= MOST_KEYS:
                raise UnreadableFileError(f"The objects have more than {MOST_KEYS:,} different keys.")
            if len(heading) > LONGEST_HEADING:
                raise UnreadableFileError(f"A key has more than {LONGEST_HEADING} characters.")
            field = self._resolve(heading)
            known = Column(heading, field, _USES[field] if field is not None else "unknown")
            self._found[heading] = known
        return known

    def heading_of(self, field: str) -> str | None:
        """The heading of the column that holds this field."""
        return next((column.heading for column in self if column.field == field), None)

    def _resolve(self, heading: str) -> str | None:
        if heading in self._asked:
            return self._asked[heading]
        if heading in _USES:
            return heading
        by_name, by_label = _NORMALISED.get(_normalise(heading)), self._remembered.get(heading)
        if by_name is not None and by_label is not None and by_name != by_label:
            raise InvalidError(
                "A column could be two fields.",
                errors=(_bad(f"{_quote(heading)} may be {by_name} or {by_label}: say which, as in "
                             f"columns={by_name}:{heading[:_LONGEST_ECHO]}"),),
            )  # fmt: skip
        return by_name or by_label

    def _miss(self, heading: Sequence[str]) -> list[FieldError]:
        return [
            _bad(f"there is no column {_quote(label)} in the file for {field}")
            for label, field in self._asked.items()
            if label not in heading
        ]

    def _clash(self) -> list[FieldError]:
        """Two columns of one field: which one is meant is not guessed."""
        first: dict[str, str] = {}
        found = []
        for column in self:
            if column.field is None or column.use == "status":
                continue
            other = first.setdefault(column.field, column.heading)
            if other != column.heading:
                found.append(
                    _bad(f"{_quote(other)} and {_quote(column.heading)} are both {column.field}: keep one")
                )
        return found


def address(field: str) -> tuple[int, str] | None:
    """Number (from 1) and part of an address's column."""
    found = _ADDRESS.fullmatch(field)
    return (int(found[1]), found[2]) if found else None


def is_of_addresses(field: str) -> bool:
    return field == "addresses_more" or _ADDRESS.fullmatch(field) is not None


def _read(asked: str) -> dict[str, str]:
    """Fields by label."""
    fields: dict[str, str] = {}
    complaints: list[FieldError] = []
    for item in asked.split(","):
        field, colon, label = item.partition(":")
        field, label = field.strip(), label if colon else field.strip()
        if field not in _USES:
            complaints.append(_bad(_suggest(field)))
        elif not label:
            complaints.append(_bad(f"the label after `{field}:` is empty: write the column's heading there"))
        elif label in fields or field in fields.values():
            complaints.append(_bad(f"`{field}` or its label stands twice: name each once"))
        else:
            fields[label] = field
        if len(complaints) == _MOST_COMPLAINTS:
            break
    if complaints:
        raise InvalidError("columns does not say which column is which.", errors=tuple(complaints))
    return fields


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


def _bad(detail: str) -> FieldError:
    return FieldError(detail, parameter="columns")

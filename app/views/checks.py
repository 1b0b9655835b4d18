"""What is checked of a view beyond its model: that the list of users would take its query and columns."""

from collections.abc import Iterator

from app.core.errors import FieldError, InvalidError
from app.core.query_strings import read
from app.listing import Listing
from app.users.selections import ALLOWED, describe_unknown
from models.listing import ListQuery
from models.view import ViewInput


def check(view: ViewInput, listing: Listing) -> None:
    """InvalidError names what `GET /users` would refuse, within the members of the view."""
    wrong = [*_find_wrong_columns(view.columns or []), *_find_wrong_parameters(view.query, listing)]
    if wrong:
        raise InvalidError("The list of users would refuse this view.", errors=tuple(wrong))


def _find_wrong_columns(columns: list[str]) -> Iterator[FieldError]:
    for place, path in enumerate(columns):
        if path not in ALLOWED:
            yield FieldError(describe_unknown(path), pointer=f"/columns/{place}")
        elif path in columns[:place]:
            yield FieldError("Stands there already: name each column once.", pointer=f"/columns/{place}")


def _find_wrong_parameters(query: str, listing: Listing) -> Iterator[FieldError]:
    try:
        asked = read(query, ListQuery)
        if asked.cursor is not None:
            yield FieldError("`cursor`: leave it out, as it expires.", pointer="/query")
        listing.check(asked.model_copy(update={"cursor": None}))
    except InvalidError as error:
        for bad in error.errors or (FieldError(error.detail),):
            named = f"`{bad.parameter}`: " if bad.parameter else ""
            yield FieldError(named + bad.detail, pointer="/query")

"""Selections of a user's fields: `fields=name,profile.addresses.city`."""

from collections.abc import Iterator
from functools import lru_cache

from pydantic import BaseModel

from app.core.errors import FieldError, InvalidError
from app.core.near_names import find_near
from app.users.rows import RowReader, Selection
from models.user import AddressOutput, ProfileOutput, UserOutput

_NESTED: dict[str, type[BaseModel]] = {"profile": ProfileOutput, "profile.addresses": AddressOutput}


def _paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name in model.model_fields:
        path = f"{prefix}{name}"
        yield path
        if path in _NESTED:
            yield from _paths(_NESTED[path], f"{path}.")


ALLOWED = tuple(_paths(UserOutput))


@lru_cache(maxsize=256)
def choose(fields: str | None) -> tuple[dict[str, int], RowReader]:
    """The MongoDB projection of the chosen fields, and the reader of its rows. Hidden fields do not exist."""
    chosen = list(UserOutput.model_fields) if fields is None else _parse(fields)
    leaves = [path for path in chosen if not any(path.startswith(f"{other}.") for other in chosen)]
    projection = {"_id": 1} | {path: 1 for path in leaves if path != "id"}
    selection: Selection = {}
    for path in ("id", *leaves):
        branch = selection
        for part in path.split("."):
            branch = branch.setdefault(part, {})
    return projection, RowReader(selection)


def _parse(fields: str) -> list[str]:
    chosen = list(dict.fromkeys(part.strip() for part in fields.split(",")))
    unknown = [path for path in chosen if path not in ALLOWED]
    if unknown:
        raise InvalidError(
            "`fields` names an unknown field.",
            errors=tuple(
                FieldError(detail=describe_unknown(path[:80]), parameter="fields") for path in unknown[:10]
            ),
        )
    return chosen


def describe_unknown(path: str) -> str:
    near = find_near(path, ALLOWED)
    hint = f"did you mean `{near[0]}`?" if near else f"choose among {', '.join(ALLOWED)}."
    return f"There is no field `{path}`: {hint}"

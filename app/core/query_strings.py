"""Query strings as models: which parameters may be repeated, and what is wrong with them."""

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from app.core.errors import FieldError, InvalidError
from app.core.field_errors import from_request, summarise

Q = TypeVar("Q", bound=BaseModel)
_MOST_NAMED = 10


def find_repeatable(model: type[BaseModel]) -> frozenset[str]:
    """The parameters that hold a list."""
    return frozenset(
        field.alias or name
        for name, field in model.model_fields.items()
        if "list" in str(field.annotation) or "tuple" in str(field.annotation)
    )


def gather(items: Iterable[tuple[str, str]], repeatable: frozenset[str]) -> dict[str, Any]:
    """The values by parameter. InvalidError names what is repeated though it holds no list."""
    given: dict[str, Any] = {}
    repeated = []
    for name, value in items:
        if name in repeatable:
            given.setdefault(name, []).append(value)
        elif name in given:
            repeated.append(name)
        else:
            given[name] = value
    if repeated:
        named = sorted(set(repeated))[:_MOST_NAMED]
        raise InvalidError("A parameter is repeated.", errors=tuple(map(_once, named)))
    return given


def _once(name: str) -> FieldError:
    return FieldError(parameter=name[:64], detail="May be given only once.")


def found_errors(error: ValidationError, model: type[BaseModel]) -> list[dict[str, Any]]:
    """Pydantic's errors, as `field_errors.from_request` takes those of a query."""
    found = error.errors(include_url=False, include_input=False)
    return [{**item, "loc": ("query", *item["loc"]), "model": model} for item in found]


def read(text: str, model: type[Q]) -> Q:
    """The query string as the model. InvalidError names the parameters, as a request with it would."""
    try:
        items = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidError("The query is not UTF-8.", errors=(FieldError("Must be UTF-8."),)) from None
    given = gather(items, find_repeatable(model))
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = found_errors(error, model)
        raise InvalidError(summarise(found), errors=from_request(found, given)) from None

"""The declaration of a user's fields, and how models are derived from it.

The declaration is data: columns, filters, orders, search, the validator and imports read `UserField`s, and
name no field.
"""

import typing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from models.values import Blank

Model = TypeVar("Model", bound=BaseModel)
Definitions = dict[str, Any]


_NEVER_MISSING = frozenset({"name", "email", "scopes", "is_active"})
"""What every stored user has."""
_UNIQUE = frozenset({"email", "username", "phone"})
_RESERVED = ("profile", "addresses_more", "status", "error", "delete", "password_hash")
"""What columns of files mean beside fields."""
_IN_PROFILE = 2
"""Steps of a path into the profile; there are more into an address."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Declares a field, in its annotation in `UserInput`, `ProfileInput`, `AddressInput` or `Recorded`."""

    answer: Any
    """Its type in replies and as stored, without None; it enforces no bounds (`models.answers`)."""
    _: KW_ONLY
    owner: Literal["sets", "registers", "never"] = "never"
    """Whether its owner may change it, or set it only at registration; the profile counts as a whole."""
    admin: bool = False
    """Whether only users:admin may set it; a replacement that omits it keeps it."""
    width: int = 20
    """The width of its column, in a spreadsheet's characters."""
    patch: Any = None
    """The model of the patch of a nested object."""
    called: str = ""
    """Its name in filters and in `q`, if that differs: the name of one item of a list."""
    filter: str | tuple[str, str] = ""
    """The description of its filter, or those of the lower and the upper bound of a number or a time."""
    unique: bool = False
    """Whether values are unique: of e-mail, username and phone, which have normal forms."""
    sort: bool = False
    """Whether users can be sorted by it: text by its sort key, numbers and times by themselves."""
    search: bool = False
    """Whether `q` finds its words."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a field's values: a type, or a list of it; null or not."""

    type: type
    nullable: bool
    many: bool
    choices: tuple[str, ...] = ()
    """The values of a literal."""

    @classmethod
    def of(cls, annotation: Any) -> "Kind":
        annotation = _bare(annotation)
        is_union = typing.get_origin(annotation) in (UnionType, typing.Union)
        arguments = typing.get_args(annotation) if is_union else (annotation,)
        said = _bare(next(each for each in arguments if each is not NoneType))
        many = typing.get_origin(said) is list
        item = _bare(typing.get_args(said)[0]) if many else said
        choices = typing.get_args(item) if typing.get_origin(item) is Literal else ()
        return cls(type(choices[0]) if choices else item, NoneType in arguments, many, choices)


def _bare(annotation: Any) -> Any:
    """The annotation without its bounds."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


@dataclass(frozen=True, slots=True)
class UserField:
    """A declared field, as other code reads it."""

    name: str
    path: tuple[str, ...]
    """Its path in a stored user."""
    kind: Kind
    declared: Declared
    info: FieldInfo
    is_set: bool
    """Whether callers set it; otherwise the service records it."""

    @property
    def pointer(self) -> str:
        """Its JSON pointer in a user of the API (RFC 6901)."""
        return "/" + "/".join(self.path)

    @property
    def called(self) -> str:
        """Its name in filters and in `q`."""
        return self.declared.called or self.name

    @property
    def stored_at(self) -> str:
        """The path by which users are found and sorted: that of its key, if it has one."""
        return f"keys.{self.name}" if self.has_key else ".".join(self.path)

    @property
    def has_key(self) -> bool:
        return self.declared.sort and self.kind.type is str

    @property
    def bounds(self) -> tuple[str, str] | None:
        """The names of the filters that bound a number (`age_min`) or a time (`created_from`)."""
        if not isinstance(self.declared.filter, tuple):
            return None
        lower, upper = ("from", "to") if self.kind.type is datetime else ("min", "max")
        stem = self.name.removesuffix("_at")
        return f"{stem}_{lower}", f"{stem}_{upper}"

    @property
    def is_facet(self) -> bool:
        """Whether the `facets` index answers its filter, with one entry for each value."""
        return bool(self.declared.filter) and not self.declared.unique and self.bounds is None

    def values(self, user: Mapping[str, Any]) -> Iterator[Any]:
        """The field's values in a user: items of a list, values of all addresses; none if it is missing."""
        if len(self.path) == 1:
            holders = [user]
        else:
            profile = user.get("profile") or {}
            holders = [profile] if self.path[1] == self.name else profile.get("addresses") or []
        for holder in holders:
            value = holder.get(self.name)
            if self.kind.many:
                yield from value or ()
            elif value is not None:
                yield value

    def only(self, values: Sequence[Any]) -> dict[str, Any]:
        """A user with only these values."""
        if len(self.path) > len(("profile", self.name)):
            return {"profile": {"addresses": [{self.name: value} for value in values]}}
        held = {self.name: list(values) if self.kind.many else next(iter(values), None)}
        return {"profile": held} if len(self.path) > 1 else held

    @property
    def may_be_missing(self) -> bool:
        return self.kind.nullable or self.kind.many


def read(model: type[BaseModel], *path: str, is_set: bool = True) -> Iterator[UserField]:
    """The fields of a model, with those of a nested object in its place."""
    for name, info in model.model_fields.items():
        kind, declared = Kind.of(info.annotation), _declared(model, name)
        if issubclass(kind.type, BaseModel) and not kind.many:
            yield from read(kind.type, *path, name)
        else:
            field = UserField(name, (*path, name), kind, declared, info, is_set)
            if is_set and (wrong := next(_complain(field), None)):
                msg = f"{model.__name__}.{name} {wrong}"
                raise TypeError(msg)
            yield field


def _complain(field: UserField) -> Iterator[str]:
    """What would be right instead of what is declared."""
    kind, declared = field.kind, field.declared
    is_object = issubclass(kind.type, BaseModel)
    if not (is_object or kind.type in ({str} if kind.many else {str, int, bool})):
        yield "must be a text, a whole number, a flag or a list of texts: files hold nothing else."
    if not field.may_be_missing and field.name not in _NEVER_MISSING:
        yield "must be `... | None` with the default None: users who are stored have none."
    if kind.type is str and kind.nullable and Blank not in field.info.metadata:
        yield "needs Blank after its type: forms send an empty text for what is missing."
    if len(field.path) > 1 and (declared.owner != "never" or declared.admin):
        yield "must not say who sets it: the profile is set as a whole, what others set stands beside it."
    if declared.filter and (kind.type is int) != isinstance(declared.filter, tuple):
        yield "needs two sentences as `filter` if it is a number, else one."
    if declared.sort and (kind.many or kind.type is bool or len(field.path) > _IN_PROFILE):
        yield "must not have `sort`: users come in the order of a text or a number that they have once."
    if declared.search and kind.type is not str:
        yield "must not have `search`: words are found in texts."
    if declared.unique != (field.name in _UNIQUE):
        yield "must not have `unique`: that needs a normal form, an index and a conflict of its own."


def check_names(fields: Iterable[UserField]) -> None:
    """TypeError where a column of files could be two fields, or something else of a row."""
    counts = Counter((*_RESERVED, *(field.name for field in fields)))
    if twice := [name for name, count in counts.items() if count > 1]:
        msg = f"{', '.join(twice)}: a column has this name already, give the field another."
        raise TypeError(msg)


def _declared(model: type[BaseModel], name: str) -> Declared:
    for each in model.model_fields[name].metadata:
        if isinstance(each, Declared):
            return each
    msg = (
        f"Declare {model.__name__}.{name} for replies and other code, such as "
        f"`{name}: Annotated[Line | None, Blank, Declared(answers.Line)] = None`, say."
    )
    raise TypeError(msg)


def made_of(*definitions: Mapping[str, Any]) -> Callable[[type[Model]], type[Model]]:
    """Decorates a model: adds these fields after its own."""

    def make(model: type[Model]) -> type[Model]:
        fields: Definitions = {name: each for some in definitions for name, each in some.items()}
        if taken := sorted(fields.keys() & model.model_fields.keys()):
            msg = f"{model.__name__} has {', '.join(taken)} already: rename the field of a user."
            raise TypeError(msg)
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return make


def inputs(model: type[BaseModel], *owner: str) -> Definitions:
    """The model's own fields for input; with `owner`, only those so declared."""
    hints = typing.get_type_hints(model, include_extras=True)
    return {
        name: (hints[name], ... if info.is_required() else info.default)
        for name, info in model.model_fields.items()
        if not owner or _declared(model, name).owner in owner
    }


def patches(model: type[BaseModel], *owner: str) -> Definitions:
    """The same for a merge patch: none is required, and null removes what may be null or empty."""
    return {name: _patch(model, name, hint) for name, (hint, _) in inputs(model, *owner).items()}


def _patch(model: type[BaseModel], name: str, hint: Any) -> tuple[Any, Any]:
    info, kind, declared = model.model_fields[name], Kind.of(hint), _declared(model, name)
    if declared.patch is not None:
        return declared.patch | None, None
    if kind.nullable or info.default == []:
        return hint | None, None
    return hint, Field(default_factory=str)  # never used, and unlike None not part of the schema


def answered(model: type[BaseModel]) -> Definitions:
    """The model's fields in replies and stored users: all are present, perhaps as null."""
    return {
        name: (answer | None if Kind.of(info.annotation).nullable else answer, ...)
        for name, info in model.model_fields.items()
        if (answer := _declared(model, name).answer) is not None
    }

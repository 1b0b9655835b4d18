"""What is declared of a user's field beside its type, and how models are made of fields that are so declared.

The declaration is data: whatever needs to know of fields (columns, filters, orders, search, the validator,
imports) reads `UserField`s, and names none.
"""

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

Model = TypeVar("Model", bound=BaseModel)
Definitions = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Declared:
    """Stands in the annotation of a field of `UserInput`, `ProfileInput`, `AddressInput` or `Recorded`."""

    answer: Any
    """Its type in replies and as stored, None left out; bounds nothing (`models.answers`)."""
    _: KW_ONLY
    owner: Literal["sets", "registers", "never"] = "never"
    """Whether its owner may change it, or say it at registration alone; of the profile as a whole."""
    admin: bool = False
    """Whether only users:admin may set it; a replacement that leaves it out keeps it."""
    width: int = 20
    """Of its column, in characters, as a spreadsheet counts it."""
    patch: Any = None
    """Of a nested object: the model of its patch."""
    called: str = ""
    """Its name in filters and in `q`, where that is another one: of one item of a list."""
    filter: str | tuple[str, str] = ""
    """What its filter finds; of a number or a time, what the lower and the upper bound find."""
    unique: bool = False
    """Whether no two users may have one value: of e-mail, username and phone, which have normal forms."""
    sort: bool = False
    """Whether users come in its order: text by its sort key, a number or a time by itself."""
    search: bool = False
    """Whether `q` finds its words."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field may hold: one type, or a list of it; null or not."""

    type: type
    nullable: bool
    many: bool
    choices: tuple[str, ...] = ()
    """Of a literal."""

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
    """Without its bounds."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


@dataclass(frozen=True, slots=True)
class UserField:
    """A field as everything else reads it."""

    name: str
    path: tuple[str, ...]
    """Where it stands in a stored user."""
    kind: Kind
    declared: Declared
    info: FieldInfo
    is_set: bool
    """Whether callers set it; else the service records it."""

    @property
    def pointer(self) -> str:
        """Where it stands in a user, as the API has it (RFC 6901)."""
        return "/" + "/".join(self.path)

    @property
    def called(self) -> str:
        """Its name in filters and in `q`."""
        return self.declared.called or self.name

    @property
    def stored_at(self) -> str:
        """The path by which users are found and sorted: that of the sort key, where it has one."""
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
        """Whether its filter is answered by the `facets` index, one entry a value."""
        return bool(self.declared.filter) and not self.declared.unique and self.bounds is None

    def values(self, user: Mapping[str, Any]) -> Iterator[Any]:
        """Of a user: the value, each item of a list, those of all addresses; nothing where it is missing."""
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
        """A user of whom nothing but these values is known."""
        if len(self.path) > len(("profile", self.name)):
            return {"profile": {"addresses": [{self.name: value} for value in values]}}
        held = {self.name: list(values) if self.kind.many else next(iter(values), None)}
        return {"profile": held} if len(self.path) > 1 else held

    @property
    def may_be_missing(self) -> bool:
        return self.kind.nullable or self.kind.many


def read(model: type[BaseModel], *path: str, is_set: bool = True) -> Iterator[UserField]:
    """The fields of a model, those of a nested object in its place."""
    for name, info in model.model_fields.items():
        kind, declared = Kind.of(info.annotation), _declared(model, name)
        if issubclass(kind.type, BaseModel) and not kind.many:
            yield from read(kind.type, *path, name)
        else:
            yield UserField(name, (*path, name), kind, declared, info, is_set)


def _declared(model: type[BaseModel], name: str) -> Declared:
    for each in model.model_fields[name].metadata:
        if isinstance(each, Declared):
            return each
    msg = (
        f"Declare what {model.__name__}.{name} is in replies and for the rest of the house: "
        f"`{name}: Annotated[Line | None, Blank, Declared(answers.Line)] = None`, say."
    )
    raise TypeError(msg)


def made_of(*definitions: Mapping[str, Any]) -> Callable[[type[Model]], type[Model]]:
    """Decorates a model that has these fields, too, after those of its body."""

    def make(model: type[Model]) -> type[Model]:
        fields: Definitions = {name: each for some in definitions for name, each in some.items()}
        if taken := sorted(fields.keys() & model.model_fields.keys()):
            msg = f"{model.__name__} has {', '.join(taken)} already: give the field of a user another name."
            raise TypeError(msg)
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return make


def inputs(model: type[BaseModel], *owner: str) -> Definitions:
    """The model's own fields; with `owner` only those of which the declaration says that of their owner."""
    hints = typing.get_type_hints(model, include_extras=True)
    return {
        name: (hints[name], ... if info.is_required() else info.default)
        for name, info in model.model_fields.items()
        if not owner or _declared(model, name).owner in owner
    }


def patches(model: type[BaseModel], *owner: str) -> Definitions:
    """As `inputs`, for a merge patch: none is needed, and null removes what may be null or empty."""
    return {name: _patch(model, name, hint) for name, (hint, _) in inputs(model, *owner).items()}


def _patch(model: type[BaseModel], name: str, hint: Any) -> tuple[Any, Any]:
    info, kind, declared = model.model_fields[name], Kind.of(hint), _declared(model, name)
    if declared.patch is not None:
        return declared.patch | None, None
    if kind.nullable or info.default == []:
        return hint | None, None
    return hint, Field(default_factory=str)  # never used, and unlike None not part of the schema


def answered(model: type[BaseModel]) -> Definitions:
    """As replies and stored users have the model's fields: each is there, perhaps as null."""
    return {
        name: (answer | None if Kind.of(info.annotation).nullable else answer, ...)
        for name, info in model.model_fields.items()
        if (answer := _declared(model, name).answer) is not None
    }

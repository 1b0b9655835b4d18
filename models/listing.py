"""Queries of listings, and their pages."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

from models import answers
from models.export import Format
from models.fields import UserField, made_of
from models.query_values import WHEN, From, To, Whole
from models.user import EXAMPLE_ID, EXAMPLE_OUTPUT, FACETS, RANGES, SEARCHED, SORTED, UNIQUE, UserOutput
from models.values import PLAIN

if TYPE_CHECKING:
    Sort = str
    Missable = str
else:
    Sort = Literal[tuple(f"{sign}{field.name}" for field in SORTED for sign in ("", "-"))]
    Missable = Literal[tuple(field.called for field in (*UNIQUE, *FACETS, *RANGES) if field.may_be_missing)]
    """What a filter finds by and a user may lack; everybody has the rest."""
_LITERAL: Any = Literal
Count = Literal["none", "capped", "estimated", "exact"]
MAX_LIMIT = 1000
MAX_SKIP = 10_000
Text = Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=r"^[^\x00]*$")]
Texts = Annotated[list[Text], Field(max_length=50)]
Id = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{24}$")]
LONGEST_FILTER = 4000
START = r"^([^\x00]*,)?[0-9a-fA-F]{24}$"


def _separate(given: object) -> object:
    """The distinct names of values that may be repeated, separated by commas, or both."""
    if not isinstance(given, list):
        return given
    names = [name for item in given for name in (item.split(",") if isinstance(item, str) else [item])]
    return list(dict.fromkeys(names)) if all(isinstance(name, str) for name in names) else names


def _values(field: UserField) -> tuple[Any, Any]:
    """The filter of a text, a flag or a choice, by any of its values."""
    choices = ("true", "false") if field.kind.type is bool else field.kind.choices
    listed, most = (list[_LITERAL[choices]], len(choices)) if choices else (Texts, None)
    return listed, Field(default=[], max_length=most, description=str(field.declared.filter))


def _ranges(field: UserField) -> dict[str, tuple[Any, Any]]:
    """The two filters by bounds of a number or a time."""
    kinds: tuple[Any, Any] = (From, To)
    ending = f": {WHEN}."
    if field.kind.type is int:
        schema = TypeAdapter(field.declared.answer).json_schema()
        bounds = Field(ge=schema.get("minimum"), le=schema.get("maximum"))
        kinds, ending = (Annotated[int, bounds, Whole],) * 2, ""
    return {
        name: (kind | None, Field(None, description=said + ending))
        for name, kind, said in zip(field.bounds or (), kinds, field.declared.filter, strict=True)
    }


@made_of({field.called: _values(field) for field in (*UNIQUE, *FACETS)}, *map(_ranges, RANGES))
class _Ids(BaseModel):
    id: Annotated[list[Id], Field(max_length=1000, examples=[[EXAMPLE_ID]], description="Ids of users.")] = []


class Filter(_Ids):
    """A repeated filter means any of its values; different filters must all hold. Text ignores case."""

    model_config = ConfigDict(extra="forbid")

    missing: Annotated[
        list[Missable],
        Field(
            max_length=len(get_args(Missable)),
            description="Users who lack this, or all of these: `missing=last_login_at,phone`.",
        ),
        BeforeValidator(_separate),
    ] = []
    filter: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=LONGEST_FILTER,
            pattern=PLAIN,
            description="An expression (RFC 7644, 3.4.2.2) of comparisons that an index serves, with the "
            "names of filters and of `name`: `eq ne gt ge lt le sw pr`, joined by `and or not ( )`. It must "
            "hold beside the other filters.",
            examples=['department eq "Sales" and not (last_login_at ge "2026-01-01")'],
        ),
    ] = None


_FLAGS = tuple(field.called for field in FACETS if field.kind.type is bool)
_LISTS = tuple(name for name, field in Filter.model_fields.items() if "list" in str(field.annotation))


class InJSON(BaseModel):
    """Filters in a body: a single value needs no array, and flags may be booleans."""

    @model_validator(mode="before")
    @classmethod
    def _take_as_in_a_query(cls, text: Any) -> Any:
        if not isinstance(text, dict):
            return text
        listed = {name: _as_list(value) if name in _LISTS else value for name, value in text.items()}
        return listed | {name: _as_words(listed[name]) for name in _FLAGS if name in listed}


def document_single_values(schema: dict[str, Any]) -> None:
    """Document in the schema that a single item may replace a list, and that JSON has booleans."""
    for name in _LISTS:
        text = schema["properties"][name]
        array = {key: text.pop(key) for key in ("type", "items", "maxItems")}
        if name in _FLAGS:
            array["items"] = {"anyOf": [array["items"], {"type": "boolean"}]}
        text["anyOf"] = [array, array["items"]]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_words(values: list[Any]) -> list[Any]:
    return [str(each).lower() if isinstance(each, bool) else each for each in values]


class OrderedQuery(Filter):
    """Filters and an order, as listings and exports share them."""

    sort: Annotated[
        Sort | None,
        Field(
            description="`-` for descending; ties by id; missing values last. Default: the field of the only "
            "range filter (age, updated, last_login), else `created_at`."
        ),
    ] = None


Q = Annotated[
    str | None,
    Field(
        max_length=1000,
        pattern=PLAIN,
        description=f"Words of {', '.join(SEARCHED)}: all must match, exactly, as prefixes or within typos. "
        "`city:berlin anna` narrows, quotes ask for exact words. Up to 200 characters, of which the first "
        "10 words are read. Results are ranked, without `sort`, `start`, `skip` and `previous`.",
        examples=["anna schmit"],
    ),
]


class ListQuery(OrderedQuery):
    """Filters, order and paging of a listing."""

    q: Q = None
    highlight: Annotated[
        Literal["true", "false"],
        Field(description="With `q`: add to each user their score and what matched."),
    ] = "false"

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Users a page."), Whole] = 50
    cursor: Annotated[
        str | None,
        Field(
            max_length=4096,
            json_schema_extra={"pattern": answers.CURSOR},
            description="`next` or `previous` of an earlier page.",
        ),
    ] = None
    start: Annotated[
        str | None,
        Field(
            max_length=512,
            pattern=START,
            description="The page begins with this user, or where they would be: the value of the order's "
            "field as replies show it, a comma and the id; of those who lack the value the id alone. It does "
            "not expire. Not with `q`, `cursor` and `skip`.",
            examples=[f"Ana,{EXAMPLE_ID}"],
        ),
    ] = None
    skip: Annotated[
        int | None,
        Field(ge=0, le=MAX_SKIP, description="For page numbers; walk with `cursor` instead."),
        Whole,
    ] = None
    count: Annotated[
        Count, Field(description="How to total: `capped` counts to 10,000; `exact` within a time budget.")
    ] = "none"
    fields: Annotated[
        str | None,
        Field(
            max_length=1000,
            pattern=PLAIN,
            description="Comma-separated: `name,email,profile.addresses.city`. The id is always included.",
        ),
    ] = None


class FileQuery(OrderedQuery):
    """Filters, order and columns of a download."""

    q: Q = None

    columns: Annotated[
        str | None,
        Field(
            max_length=4000,
            pattern=PLAIN,
            description="Comma-separated, in order, perhaps renamed: `name,email:E-Mail,address1_city`.",
        ),
    ] = None
    addresses: Annotated[
        int,
        Field(
            ge=0, le=10, description="Addresses with columns of their own; others are in `addresses_more`."
        ),
        Whole,
    ] = 3


class ExportQuery(FileQuery):
    """A download, with its format."""

    format: Annotated[Format | None, Field(description="Goes before `Accept`.")] = None


class Total(BaseModel):
    value: answers.Count
    relation: Annotated[
        Literal["eq", "gte", "estimate"],
        Field(description="eq: exact; gte: at least this many; estimate: about this many."),
    ]


Place = Annotated[int, Field(ge=0, le=512)]
"""A place in a field, of which search reads so many code points."""
Ranges = Annotated[list[Annotated[list[Place], Field(min_length=2, max_length=2)]], Field(max_length=512)]


MatchKind = Literal[
    "exact", "prefix", "nickname", "one_typo", "inside", "begun_typo", "two_typos", "sound", "all_but_one"
]
MATCH_KINDS: tuple[MatchKind, ...] = get_args(MatchKind)


class Match(BaseModel):
    """Why search found a user."""

    score: Annotated[float, Field(description="At most 1.03; comparable within one query and kind.")]
    kind: Annotated[
        MatchKind,
        Field(
            description="The kind of the worst matching word, the best first. `inside`: typed from the "
            "middle of a word; `begun_typo`: half typed with a typo."
        ),
    ]
    fields: Annotated[
        dict[str, Ranges],
        Field(description="Matching ranges of each field, by path: code points, end exclusive."),
    ]


class FoundUser(UserOutput):
    match: Annotated[Match | None, Field(description="Only with `highlight=true`.")] = None


class SuggestQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        str,
        Field(
            max_length=1000,
            pattern=PLAIN,
            description="The text typed so far: up to 200 characters, of which the first 10 words are read.",
        ),
    ]


class Suggestion(BaseModel):
    id: answers.Id
    name: answers.Text
    username: answers.Username | None
    email: answers.Email


class Suggestions(BaseModel):
    model_config = answers.shown(
        {
            "items": [
                {
                    "id": EXAMPLE_ID,
                    "name": "小中同学",
                    "username": "xiaozhong",
                    "email": "xiaozhong@example.com",
                }
            ]
        }
    )

    items: Annotated[list[Suggestion], Field(max_length=10)]


class UserPage(BaseModel):
    model_config = answers.shown(
        {
            "items": [EXAMPLE_OUTPUT],
            "next": "pQ8wZ3kRb1c",
            "previous": None,
            "total": {"value": 1000, "relation": "eq"},
        }
    )

    items: Annotated[list[FoundUser], Field(max_length=MAX_LIMIT)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]
    previous: Annotated[
        answers.Cursor | None, Field(description="Cursor of the previous page; null at the start.")
    ]
    total: Total | None

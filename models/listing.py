"""What a caller may ask of a listing, and the page that answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from models import answers
from models.export import Format
from models.query_values import WHEN, From, To, Whole
from models.user import EXAMPLE_ID, EXAMPLE_OUTPUT, UserOutput
from models.values import PLAIN, Scope

SortField = Literal["created_at", "updated_at", "name", "email", "username", "last_login_at", "age"]
Sort = Literal[
    "created_at", "-created_at", "updated_at", "-updated_at", "name", "-name", "email", "-email",
    "username", "-username", "last_login_at", "-last_login_at", "age", "-age",
]  # fmt: skip
Count = Literal["none", "capped", "estimated", "exact"]
MAX_LIMIT = 1000
MAX_SKIP = 10_000
Text = Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=r"^[^\x00]*$")]
Texts = Annotated[list[Text], Field(max_length=50)]
Id = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{24}$")]
Age = Annotated[int, Field(ge=0, le=150), Whole]
Missable = Literal[
    "username", "phone", "tag", "scope", "department", "city", "country", "age", "last_login_at"
]  # fmt: skip
"""What a filter finds by and a user may lack; everybody has the rest."""


def _separate(given: object) -> object:
    """Names may be repeated, separated by commas, or both; each counts once."""
    if not isinstance(given, list):
        return given
    names = [name for item in given for name in (item.split(",") if isinstance(item, str) else [item])]
    return list(dict.fromkeys(names)) if all(isinstance(name, str) for name in names) else names


class Filter(BaseModel):
    """A repeated filter means any of its values; different filters must all hold. Text ignores case."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[list[Id], Field(max_length=1000, examples=[[EXAMPLE_ID]], description="Ids of users.")] = []
    email: Annotated[Texts, Field(description="Whole addresses, in any spelling of theirs.")] = []
    username: Annotated[Texts, Field(description="Whole user names, in any case.")] = []
    phone: Annotated[Texts, Field(description="Whole numbers with country code, however punctuated.")] = []
    is_active: Annotated[
        list[Literal["true", "false"]], Field(max_length=2, description="Whether the user may sign in.")
    ] = []
    tag: Annotated[Texts, Field(description="One of the user's tags.")] = []
    scope: Annotated[list[Scope], Field(max_length=5, description="What the user may be granted.")] = []
    department: Annotated[
        Texts, Field(description="The user's department; accents count, as in each filter.")
    ] = []
    city: Annotated[Texts, Field(description="City of any of the user's addresses.")] = []
    country: Annotated[Texts, Field(description="Country of any of the user's addresses.")] = []
    age_min: Annotated[Age | None, Field(description="At least this old.")] = None
    age_max: Annotated[Age | None, Field(description="At most this old.")] = None
    created_from: Annotated[From | None, Field(description=f"Created then or later: {WHEN}.")] = None
    created_to: Annotated[To | None, Field(description=f"Created then or earlier: {WHEN}.")] = None
    updated_from: Annotated[From | None, Field(description=f"Last changed then or later: {WHEN}.")] = None
    updated_to: Annotated[To | None, Field(description=f"Last changed then or earlier: {WHEN}.")] = None
    last_login_from: Annotated[From | None, Field(description=f"Last signed in then or later: {WHEN}.")] = (
        None
    )
    last_login_to: Annotated[To | None, Field(description=f"Last signed in then or earlier: {WHEN}.")] = None
    missing: Annotated[
        list[Missable],
        Field(
            max_length=9,
            description="Lacking this, or all of these: `missing=last_login_at,phone`.",
        ),
        BeforeValidator(_separate),
    ] = []


class OrderedQuery(Filter):
    """Filters and an order: what a listing and an export share."""

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
        description="Words of name, username, e-mail, phone, tags, city, department, title: all must match, "
        "exactly, as prefixes or within typos. `city:berlin anna` narrows, quotes ask for exact words. Up to "
        "200 characters and 10 words. Results come ranked, without `sort`, `skip` and `previous`.",
        examples=["anna schmit"],
    ),
]


class ListQuery(OrderedQuery):
    """Filters, order and paging of a listing."""

    q: Q = None
    highlight: Annotated[
        Literal["true", "false"], Field(description="With `q`: add to each user its score and what matched.")
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
            description="Comma-separated: `name,email,profile.addresses.city`. The id is always there.",
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
        Field(ge=0, le=10, description="Addresses with own columns; more stand in `addresses_more`."),
        Whole,
    ] = 3


class ExportQuery(FileQuery):
    """A download in a format of choice."""

    format: Annotated[Format | None, Field(description="Goes before `Accept`.")] = None


class Total(BaseModel):
    value: answers.Count
    relation: Annotated[
        Literal["eq", "gte", "estimate"],
        Field(description="eq: exact; gte: at least so many; estimate: about so many."),
    ]


Place = Annotated[int, Field(ge=0, le=512)]
"""Search looks at as many code points of a field."""
Ranges = Annotated[list[Annotated[list[Place], Field(min_length=2, max_length=2)]], Field(max_length=512)]


class Match(BaseModel):
    """Why a user was found."""

    score: Annotated[float, Field(description="At most 1.03; comparable within one query and kind of match.")]
    kind: Annotated[
        Literal["exact", "prefix", "one_typo", "two_typos"],
        Field(description="Of its worst word."),
    ]
    fields: Annotated[
        dict[str, Ranges],
        Field(description="Path of each field that matched: ranges of code points, the end past the last."),
    ]


class FoundUser(UserOutput):
    match: Annotated[Match | None, Field(description="With `highlight=true`; left out otherwise.")] = None


class SuggestQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        str,
        Field(
            max_length=1000,
            pattern=PLAIN,
            description="What was typed so far: up to 200 characters and 10 words.",
        ),
    ]


class Suggestion(BaseModel):
    id: answers.Id
    name: answers.Text
    username: answers.Username | None
    email: answers.Email


class Suggestions(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
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
            ]
        }
    )

    items: Annotated[list[Suggestion], Field(max_length=10)]


class UserPage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [EXAMPLE_OUTPUT],
                    "next": "pQ8wZ3kRb1c",
                    "previous": None,
                    "total": {"value": 1000, "relation": "eq"},
                }
            ]
        }
    )

    items: Annotated[list[FoundUser], Field(max_length=MAX_LIMIT)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the page after; null at the end.")]
    previous: Annotated[
        answers.Cursor | None, Field(description="Cursor of the page before; null at the start.")
    ]
    total: Total | None

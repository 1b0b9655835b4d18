"""Statistics of the directory: on the wire, and as a job keeps them."""

import re
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pymongo import IndexModel

from models import answers
from models.query_values import Whole
from models.stored import GONE_WHEN_DUE, NamedDocument

SignInOutcome = Literal["succeeded", "failed", "throttled"]
Series = Literal["people", "sign_ins", "active", "status", "country", "department", "locale", "queues"]
SERIES: Final[tuple[Series, ...]] = get_args(Series)
MOST_SHARES: Final = 100
MOST_DAYS: Final = 1_000
"""Of one reply."""
ACTIVE_DAYS: Final = (1, 7, 30)

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _as_day(given: object) -> object:
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        msg = "must be a date, such as 2026-01-31"
        raise ValueError(msg)
    return given


_LENGTH: dict[str, Any] = {"maxLength": 10}
Day = Annotated[
    date,
    BeforeValidator(_as_day),
    Field(ge=date(1900, 1, 1), le=date(2999, 12, 31), json_schema_extra=_LENGTH),
]
_AnswerDay = Annotated[date, Field(json_schema_extra=_LENGTH)]


class StatisticsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    series: Annotated[
        list[Series], Field(max_length=8, description="Only these; one alone for CSV. Default: all.")
    ] = []
    since: Annotated[
        Day | None,
        Field(alias="from", description="The first day of `people` and `sign_ins`: by default 90 in all."),
    ] = None
    until: Annotated[
        Day | None,
        Field(alias="to", description="The last day, in UTC: by default today. At most 1,000 days."),
    ] = None
    top: Annotated[
        int, Field(ge=1, le=MOST_SHARES, description="Values of `country` and the like."), Whole
    ] = 10
    format: Annotated[Literal["json", "csv"] | None, Field(description="Goes before `Accept`.")] = None


class PeopleOfDay(BaseModel):
    day: _AnswerDay
    created: answers.Count
    deleted: Annotated[
        answers.Count | None,
        Field(
            description="Null where the audit trail does not reach back: then `created` and `total` "
            "count only people who are still there."
        ),
    ]
    total: Annotated[answers.Count, Field(description="At the end of the day, or now.")]


class SignInsOfDay(BaseModel):
    day: _AnswerDay
    succeeded: answers.Count
    failed: Annotated[answers.Count, Field(description="A wrong password, an unknown or an inactive user.")]
    throttled: Annotated[answers.Count, Field(description="Refused unread, after too many failures.")]


class Active(BaseModel):
    days: Annotated[int, Field(ge=1, le=max(ACTIVE_DAYS))]
    people: Annotated[answers.Count, Field(description="Who last signed in within so many days.")]


class Share(BaseModel):
    value: answers.Line
    people: answers.Count


class Shares(BaseModel):
    items: Annotated[list[Share], Field(max_length=MOST_SHARES, description="The most frequent values.")]
    others: Annotated[answers.Count, Field(description="All other values together.")]
    missing: Annotated[
        answers.Count | None, Field(description="People without one; null where a person may have several.")
    ]


class Queue(BaseModel):
    name: Annotated[answers.Code, Field(description="`mails`, or a kind of jobs.")]
    state: answers.Code
    count: Annotated[answers.Count, Field(description="Of mails 10,000 at most.")]


EXAMPLE_STATISTICS: Final[dict[str, Any]] = {
    "as_of": "2026-01-31T08:00:00.123000Z",
    "timezone": "UTC",
    "people": [{"day": "2026-01-31", "created": 12, "deleted": 1, "total": 1250}],
    "sign_ins": [{"day": "2026-01-31", "succeeded": 310, "failed": 12, "throttled": 0}],
    "active": [{"days": 1, "people": 280}, {"days": 7, "people": 800}, {"days": 30, "people": 1010}],
    "status": {"items": [{"value": "active", "people": 1240}], "others": 10, "missing": 0},
    "country": {"items": [{"value": "DE", "people": 700}], "others": 410, "missing": None},
    "department": {"items": [{"value": "Sales", "people": 300}], "others": 800, "missing": 150},
    "locale": None,
    "queues": [{"name": "mails", "state": "waiting", "count": 0}],
}
_UNASKED = Field(description="Null if `series` names others, or nothing is known yet.")


class Statistics(BaseModel):
    """Series that `series` does not name are null."""

    model_config = answers.shown(EXAMPLE_STATISTICS)

    as_of: Annotated[
        answers.Moment | None,
        Field(description="When all but `queues` was counted; null before the first count after an upgrade."),
    ]
    timezone: Annotated[Literal["UTC"], Field(description="Where days begin.")]
    people: Annotated[list[PeopleOfDay] | None, Field(max_length=MOST_DAYS)]
    sign_ins: Annotated[
        list[SignInsOfDay] | None,
        Field(max_length=MOST_DAYS, description="By password; from the day on which counting began."),
    ]
    active: Annotated[list[Active] | None, Field(max_length=len(ACTIVE_DAYS)), _UNASKED]
    status: Annotated[Shares | None, _UNASKED]
    country: Annotated[Shares | None, _UNASKED]
    department: Annotated[Shares | None, _UNASKED]
    locale: Annotated[Shares | None, _UNASKED]
    queues: Annotated[list[Queue] | None, Field(max_length=50, description="As they are now.")]


class StoredSignIns(NamedDocument):
    """What one process counted on one day, as `day:process`."""

    day: str
    succeeded: int = 0
    failed: int = 0
    throttled: int = 0
    expires_at: datetime

    class Settings:
        name = "sign_in_counts"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE, IndexModel([("day", 1)], name="day")]


class StoredDay(NamedDocument):
    """The figures of one day, whose date is the id; nothing in them is about one person."""

    created: int
    deleted: int | None
    total: int
    sign_ins: dict[SignInOutcome, int] | None
    is_final: bool
    """Whether the day was over for long enough that nothing of it is missing."""

    class Settings:
        name = "daily_figures"


class StoredFigures(NamedDocument):
    """What was counted last of the directory as it is, and when it is counted next; there is one."""

    due_at: datetime
    sign_ins_since: str
    at: datetime | None = None
    active: list[dict[str, int]] | None = None
    shares: dict[str, dict[str, Any]] | None = None

    class Settings:
        name = "figures"

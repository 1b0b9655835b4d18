"""Imports: plans and their rows, with the shapes on the wire."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pymongo import IndexModel

from models import answers
from models.audit import MOST_DIFFERENCES
from models.encodings import EncodingName, find_name
from models.export import Format
from models.job import PageQuery
from models.problem import Problem
from models.query_values import Whole
from models.stored import GONE_WHEN_DUE
from models.user import EXAMPLE_ID

ImportState = Literal["planning", "planned", "applying", "applied", "failed", "cancelled"]
RowStatus = Literal[
    "create", "update", "delete", "unchanged", "conflict", "error", "created", "updated", "deleted"
]
"""Planned, then applied; a row that cannot be applied becomes one of the three in the middle."""
PendingStatus = Literal["create", "update", "delete"]
ColumnUse = Literal[
    "field",
    "key",
    "version",
    "delete",
    "password_hash",
    "read_only",
    "status",
    "ignored",
    "hidden",
    "unknown",
]

STATUSES: Final[tuple[RowStatus, ...]] = get_args(RowStatus)
PENDING: Final[tuple[PendingStatus, ...]] = get_args(PendingStatus)
"""The statuses of rows to apply."""
APPLIED: Final[dict[PendingStatus, RowStatus]] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
}
"""The status of each pending row once it is done."""


EXAMPLE_IMPORT: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01240",
    "state": "planned",
    "file": {
        "name": "people.csv",
        "format": "csv",
        "bytes": 2048,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "encoding": "utf-8",
        "delimiter": ";",
        "sheet": None,
        "other_sheets": [],
        "hidden_rows": None,
    },
    "reverts": None,
    "columns": [
        {"heading": "E-Mail", "field": "email", "use": "key"},
        {"heading": "Stadt", "field": "address1_city", "use": "field"},
        {"heading": "Notiz", "field": None, "use": "unknown"},
    ],
    "rows": 20,
    "counts": {
        "create": 3,
        "update": 1,
        "delete": 0,
        "unchanged": 15,
        "conflict": 0,
        "error": 1,
        "created": 0,
        "updated": 0,
        "deleted": 0,
    },
    "problem": None,
    "plan_job": "6b05f0a1e1b7a3d4c9f01241",
    "apply_job": None,
    "created_by": EXAMPLE_ID,
    "created_at": "2026-01-31T08:00:00.123000Z",
    "planned_at": "2026-01-31T08:00:00.456000Z",
    "applied_at": None,
    "expires_at": "2026-02-07T08:00:00.123000Z",
}
EXAMPLE_ROWS: Final[list[dict[str, Any]]] = [
    {
        "row": 2,
        "status": "update",
        "id": EXAMPLE_ID,
        "differences": [{"pointer": "/profile/addresses/0/city", "from": "Bonn", "to": "Berlin"}],
        "values": None,
        "errors": [],
    },
    {
        "row": 4,
        "status": "create",
        "id": "6b05f0a1e1b7a3d4c9f01242",
        "differences": [],
        "values": {"name": "Zoë Müller", "email": "zoe@example.com", "scopes": ["me"], "is_active": True},
        "errors": [],
    },
    {
        "row": 3,
        "status": "error",
        "id": None,
        "differences": [],
        "values": None,
        "errors": [
            {
                "code": "invalid_value",
                "detail": "must be an e-mail address such as ana@example.com.",
                "pointer": "/email",
                "column": "E-Mail",
            }
        ],
    },
]


FieldName = Annotated[str, Field(pattern="^[a-z0-9_]+$", max_length=64)]
Encoding = Annotated[str, Field(pattern="^[a-z0-9_-]+$", max_length=32)]
LONGEST_SHEET_NAME: Final = 255
"""Longer names are cut; Excel's have at most 31 characters."""
SheetName = Annotated[str, Field(pattern=answers.PLAIN, max_length=LONGEST_SHEET_NAME)]
MOST_SHEETS: Final = 1_000
"""The most sheets that are listed."""
MOST_VALUES: Final = 50
"""Rows of a page whose values are shown: all of a page of the default size."""
MOST_COLUMNS: Final = 16_384
"""The most columns of a file."""


class ImportColumn(BaseModel):
    heading: Annotated[answers.Line, Field(description="The heading in the file.")]
    field: Annotated[FieldName | None, Field(description="The export's name of the column; null: unknown.")]
    use: Annotated[
        ColumnUse,
        Field(
            description="`field`: written; `key`: written, and finds the user; `version`: the one that the "
            "user must still have; `delete`: rows with yes delete; `read_only`, `status`, `ignored`, "
            "`hidden`, `unknown`: not written."
        ),
    ]


class ImportFile(BaseModel):
    name: Annotated[answers.Line | None, Field(description="The name in the upload.")]
    format: Format
    bytes: answers.Count
    sha256: answers.Sha256
    encoding: Annotated[Encoding | None, Field(description="Of a CSV.")]
    delimiter: Annotated[Literal[",", ";", "\t"] | None, Field(description="Of a CSV.")]
    sheet: Annotated[SheetName | None, Field(description="The sheet of a workbook that was read.")]
    other_sheets: Annotated[
        list[SheetName], Field(max_length=MOST_SHEETS, description="Sheets that were not read.")
    ]
    hidden_rows: Annotated[
        answers.Count | None,
        Field(
            description="Rows of a workbook that were left out, as they are hidden, by hand or by a filter; "
            "null before planning."
        ),
    ]


class ImportCounts(BaseModel):
    """The number of rows of each status."""

    create: answers.Count
    update: answers.Count
    delete: answers.Count
    unchanged: answers.Count
    conflict: answers.Count
    error: answers.Count
    created: answers.Count
    updated: answers.Count
    deleted: answers.Count


class RowDifference(BaseModel):
    """One field that changes, without the values of password hashes."""

    model_config = ConfigDict(populate_by_name=True)

    pointer: Annotated[answers.Pointer, Field(description="JSON pointer (RFC 6901) into the user.")]
    before: Annotated[Any, Field(alias="from", description="The current value; null: none.")]
    after: Annotated[Any, Field(alias="to", description="The new value; null: none.")]


class RowError(BaseModel):
    """One error of a row."""

    code: Annotated[answers.Code, Field(description="A stable name of the error, for programs.")]
    detail: Annotated[answers.Sentence, Field(description="What would be right; never the cell's content.")]
    pointer: Annotated[answers.Pointer | None, Field(description="JSON pointer (RFC 6901) into the user.")]
    column: Annotated[answers.Line | None, Field(description="The heading of the cell's column.")]


class ImportRow(BaseModel):
    row: Annotated[
        answers.Count,
        Field(description="The row's number in a spreadsheet or an editor; in a JSON array its place."),
    ]
    status: RowStatus
    id: Annotated[answers.Id | None, Field(description="The user; for a create, their new id.")]
    differences: Annotated[
        list[RowDifference],
        Field(max_length=MOST_DIFFERENCES, description="Only for an update or a conflict."),
    ]
    values: Annotated[
        dict[str, Any] | None,
        Field(
            description=f"For the first {MOST_VALUES} creating rows of a page: the new user's values, "
            "without empty ones and without a password hash."
        ),
    ]
    errors: Annotated[
        list[RowError],
        Field(max_length=100, description="For a revert also what cannot be undone."),
    ]


class ImportPlanRow(ImportRow):
    cells: Annotated[
        list[answers.Text | None] | None,
        Field(
            max_length=MOST_COLUMNS,
            description="Only with `cells=true`: the row's cells as text, in the order of `columns`; null in "
            "it for one that is blank or could not be read, and instead of it for NDJSON and reverts.",
        ),
    ] = None


class ImportOutput(BaseModel):
    """An import without its rows."""

    id: answers.Id
    state: ImportState
    file: Annotated[ImportFile | None, Field(description="Null for a revert.")]
    reverts: Annotated[answers.Id | None, Field(description="The import that this one undoes.")]
    columns: Annotated[list[ImportColumn], Field(max_length=MOST_COLUMNS)]
    rows: Annotated[answers.Count, Field(description="Planned rows, so far while planning.")]
    counts: ImportCounts
    problem: Annotated[Problem | None, Field(description="Why there is no complete plan.")]
    plan_job: Annotated[answers.Id, Field(description="The job that plans it: GET /jobs/{id}.")]
    apply_job: Annotated[answers.Id | None, Field(description="The job that applies it.")]
    created_by: answers.Id | None
    created_at: answers.Moment
    planned_at: answers.Moment | None
    applied_at: answers.Moment | None
    expires_at: Annotated[
        answers.Moment, Field(description="When the plan, its rows and its file are deleted.")
    ]


class ImportPlan(ImportOutput):
    """An import with a page of its rows, in the order of the file."""

    model_config = answers.shown(EXAMPLE_IMPORT | {"items": EXAMPLE_ROWS, "next": None})

    items: Annotated[list[ImportPlanRow], Field(max_length=1000)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next rows.")]


class ImportList(BaseModel):
    """Imports, the newest first."""

    model_config = answers.shown({"items": [EXAMPLE_IMPORT], "next": None})

    items: Annotated[list[ImportOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next imports.")]


_FORMATS: Final[dict[str, tuple[Format, ...]]] = {
    "delimiter": ("csv",),
    "encoding": ("csv", "ndjson"),
    "sheet": ("xlsx", "ods"),
    "hidden": ("xlsx", "ods"),
}
"""The formats of options that not all formats have."""


class ImportQuery(BaseModel):
    """How to read a file; omitted options are detected."""

    model_config = ConfigDict(extra="forbid")

    columns: Annotated[
        str | None,
        Field(
            max_length=16_384,
            pattern=answers.PLAIN,
            description="Columns with headings of their own, in the form of exports: "
            "`email:Mail address,name:Full name`. A heading with commas is written in quotes: "
            '`name:"Name, first"`. Several columns for `name` are joined by spaces, in order.',
        ),
    ] = None
    ignore: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=16_384,
            pattern=answers.PLAIN,
            description="Headings of columns to leave out, separated by commas; one with commas is written "
            "in quotes.",
        ),
    ] = None
    blank: Annotated[
        Literal["remove", "keep"],
        Field(description="What a blank cell, or null in NDJSON, does to its field."),
    ] = "remove"
    format: Annotated[Format | None, Field(description="The file's format; detected by default.")] = None
    delimiter: Annotated[
        Literal[",", ";", "tab"] | None, Field(description="The delimiter of CSV; detected by default.")
    ] = None
    encoding: Annotated[
        EncodingName | None,
        BeforeValidator(find_name),
        Field(
            description="The encoding of CSV or NDJSON, if neither its bytes nor stored users tell it. Other "
            "names (`cp1252`, `shift_jis`, `euc-kr`) are accepted, too."
        ),
    ] = None
    sheet: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=LONGEST_SHEET_NAME,
            pattern=answers.PLAIN,
            description="The sheet of a workbook: its name, or its number among those shown; by default the "
            "first with content. A hidden one must be named.",
        ),
    ] = None
    hidden: Annotated[
        Literal["skip", "read"],
        Field(
            description="Whether to read rows and columns of a workbook that are hidden, by hand or by a "
            "filter. A hidden column that `columns` names is read."
        ),
    ] = "skip"
    filename: Annotated[
        str | None, Field(max_length=1_000, pattern=answers.PLAIN, description="A name for people.")
    ] = None

    @field_validator(*_FORMATS)
    @classmethod
    def _is_of_the_format(cls, value: str | None, info: ValidationInfo) -> str | None:
        said = info.data.get("format")
        if value is not None and said is not None and said not in _FORMATS[str(info.field_name)]:
            msg = f"must be left out with format={said}, which does not have it"
            raise ValueError(msg)
        return value


class ImportRowsQuery(PageQuery):
    limit: Annotated[int, Field(ge=1, le=1000, description="The rows of a page."), Whole] = 50
    status: list[RowStatus] = Field(default=[], max_length=9, description="Rows of one of these.")


class ImportPlanQuery(ImportRowsQuery):
    cells: Annotated[
        Literal["true", "false"],
        Field(description="Add to each row its cells, to be mended and sent as a file again."),
    ] = "false"


class ImportFileQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Annotated[list[RowStatus], Field(max_length=9, description="Rows of one of these.")] = []


class StoredImport(Document):
    """An import as stored; a revert has `reverts` and no file, and what it reverts has `revert`."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    by: str | None
    scopes: list[str]
    """Of the caller's token, which the jobs act under."""
    file: dict[str, Any] | None
    """`{name, format, bytes, sha256, encoding, delimiter, sheet, other_sheets, hidden_rows,
    id (in GridFS)}`."""
    reading: dict[str, Any]
    """The options as asked, but for `mapping`, the columns as asked."""
    mapping: str | None
    heading: list[str]
    columns: list[dict[str, Any]]
    """`{heading, field, use}` each."""
    state: ImportState
    attempt: int
    """Of planning."""
    rows: int
    counts: dict[str, int]
    reverts: PydanticObjectId | None = None
    revert: PydanticObjectId | None = None
    bulk: dict[str, Any] | None = None
    """Of a bulk change, which has no file: `{change, filter, ids, undo_until, refused, lost}`."""
    begun: int | None = None
    """The last row whose user may be written and whose trail may not: while rows are applied, and after a run
    that was killed."""
    plan_job: str
    apply_job: str | None
    created_at: datetime
    planned_at: datetime | None
    applied_at: datetime | None
    expires_at: datetime

    class Settings:
        name = "imports"
        indexes: ClassVar[list[IndexModel]] = [IndexModel([("by", 1), ("_id", 1)], name="by"), GONE_WHEN_DUE]


class StoredImportRow(Document):
    """A row of a plan. A pending one changes its status in the transaction that writes its user, only."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    import_id: PydanticObjectId = Field(alias="import")
    attempt: int
    n: int
    """1, 2, …; `row` is its number in the file."""
    row: int
    cells: list[Any] | dict[str, Any]
    """As read, a password hash blanked; of NDJSON the object."""
    status: RowStatus
    user: PydanticObjectId | None
    """The target; of a create, the id that the user gets."""
    version: int | None
    """That the plan was made on; none of a create."""
    said: dict[str, Any] | None
    """The whole UserInput dumped, of a create or an update."""
    differences: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    """`{code, detail, pointer, column}` each."""
    password_hash: str | None = None
    """Only where one is to be set."""
    expires_at: datetime

    class Settings:
        name = "import_rows"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("import", 1), ("n", 1)], name="n", unique=True),
            IndexModel([("import", 1), ("status", 1), ("n", 1)], name="status"),
            GONE_WHEN_DUE,
        ]

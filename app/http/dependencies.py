"""The dependencies of endpoints, as nouns; the only module that uses Depends."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

from beanie import PydanticObjectId
from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer, OAuth2, SecurityScopes
from pydantic import BaseModel, GetPydanticSchema, ValidationError
from pydantic_core.core_schema import no_info_after_validator_function, str_schema

from app.accounts import RequestSource
from app.accounts.bearer import authorise
from app.audit.write import Author
from app.auth.access_tokens import Claims
from app.container import Container
from app.core import client_address, query_strings
from app.core.catalogue import LANGUAGES, Language, accepted_language
from app.core.errors import FieldError, InvalidError, PreconditionRequiredError, SignInNeededError
from app.http.byte_ranges import ByteRange
from app.jobs import Viewer
from app.users import AllowedVersions, Authority
from app.users.authority import ADMIN
from app.users.idempotency import RequestKey
from app.views import ViewUser
from models.audit import AuditQuery
from models.avatar import VERSION, AvatarQuery
from models.delivery import DeliveryQuery
from models.event import EventQuery
from models.export import MEDIA_TYPES, Format
from models.imports import ImportFileQuery, ImportPlanQuery, ImportQuery, ImportRowsQuery
from models.job import JobQuery, PageQuery
from models.listing import ExportQuery, FileQuery, Filter, SuggestQuery
from models.mail import MailQuery
from models.statistics import StatisticsQuery
from models.texts import visible
from models.user import EXAMPLE_ID

Q = TypeVar("Q", bound=BaseModel)
_VERSION = re.compile("[1-9][0-9]{0,17}")
"""A version in an ETag of ours; tags are compared character by character, so that `007` is not 7."""
_TAG = re.compile(r'(W/)?"([^"]*)"')
_TAGS: dict[str, Any] = {"minLength": 1, "pattern": r'^(\*|(W/)?"[^"\x00\r\n]*"(, ?(W/)?"[^"\x00\r\n]*")*)$'}
"""A list of entity tags, or `*`, for OpenAPI."""
_WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,6})"?\s*(?:$|[,;])', re.IGNORECASE)
MAX_WAIT_S = 30.0
_HEADER: dict[str, Any] = {"pattern": r"^[^\x00\r\n]*$"}
"""The values that HTTP allows in a header."""
_EVENT_ID = re.compile("[0-9]{1,18}")
_OBJECT_ID = GetPydanticSchema(
    lambda *_: no_info_after_validator_function(PydanticObjectId, str_schema(pattern="^[0-9a-fA-F]{24}$"))
)
"""Of a parameter that is an id of MongoDB's: in any case, as BSON reads them."""


async def _address(
    address: Annotated[
        str,
        Path(
            max_length=64,
            json_schema_extra={"pattern": f"^([0-9A-Fa-f:.]+|{client_address.UNKNOWN})$"},
            description="An IPv4 or IPv6 address; of IPv6 its /64 is throttled as one. "
            "`unknown`: callers without one, over a unix socket.",
            examples=["203.0.113.7"],
        ),
    ],
) -> str:
    if not client_address.is_address(address):
        bad = FieldError(parameter="address", detail="Must be an IP address such as 203.0.113.7.")
        raise InvalidError("The path contains no IP address.", errors=(bad,))
    return address


def backends(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


async def _container(request: Request) -> Container:
    return backends(request)


SCOPES = {
    "me": "Read and change your own user.",
    "users:read": "Read users.",
    "users:write": "Create, change and delete users.",
    "users:export": "Download users.",
    "users:admin": "Grant scopes, activate, sign out and set passwords.",
    "webhooks": "Manage webhooks, and read what became of their deliveries.",
    "events:read": "Follow what changes, as it does.",
    "scim": "Provision users by SCIM: for clients that act as themselves.",
}
_TOKENS = (
    "A signed access token (RFC9068), verified as RFC8725 asks: only with the algorithms of our own keys, "
    "and with its type, issuer, audience and times."
)
_ENDPOINT = {"tokenUrl": "/auth/token", "refreshUrl": "/auth/token", "scopes": SCOPES}
_OAUTH2 = OAuth2(
    flows={"authorizationCode": {"authorizationUrl": "/auth/authorize", **_ENDPOINT}, "password": _ENDPOINT},
    auto_error=False,
    scheme_name="OAuth2",
    description=_TOKENS,
)
_BEARER = HTTPBearer(auto_error=False, scheme_name="Bearer", bearerFormat="JWT", description=_TOKENS)


async def find_caller(request: Request, scope: str | None = None) -> Claims:
    """The caller, for a route that FastAPI does not serve."""
    return await authorise(backends(request).auth, request.headers.getlist("authorization"), scope)


async def _caller(
    needed: SecurityScopes,
    request: Request,
    _oauth2: Annotated[object, Depends(_OAUTH2)],
    _bearer: Annotated[object, Depends(_BEARER)],
) -> Claims:
    """The caller; both schemes are for the OpenAPI document and read the same header."""
    return await find_caller(request, next(iter(needed.scopes), None))


async def _person(caller: Annotated[Claims, Security(_caller)]) -> Claims:
    """SignInNeededError where a client acts as itself."""
    if caller.is_service:
        raise SignInNeededError("A client cannot do this as itself: it needs a person who has signed in.")
    return caller


def is_guarded(dependant: Dependant) -> bool:
    """Whether an operation needs a token."""
    return any(below.call is _caller or is_guarded(below) for below in dependant.dependencies)


def needs(scope: str) -> Any:
    """`dependencies=` of a route that is served before FastAPI and calls `find_caller` itself."""
    return Security(_caller, scopes=[scope])


async def _request_source(request: Request) -> RequestSource:
    peer = request.client.host if request.client else None
    forwarded = request.headers.getlist("x-forwarded-for")
    trusted = backends(request).settings.trusted_proxies
    sent = request.headers.get("user-agent", "").encode("latin-1")  # as HTTP defines it; browsers send UTF-8
    agent = visible(sent.decode(errors="replace"))
    return RequestSource(address=client_address.find(peer, forwarded, trusted), agent=agent)


class QueryOf(Generic[Q]):
    """Reads the query string as one model.

    FastAPI can read such a model, too, at ten times the cost, and silently keeps the last of repeated values.
    """

    def __init__(self, model: type[Q]) -> None:
        self._model = model
        self._repeatable = query_strings.find_repeatable(model)

    async def __call__(self, request: Request) -> Q:
        return self.read(request)

    def read(self, request: Request) -> Q:
        given = query_strings.gather(request.query_params.multi_items(), self._repeatable)
        try:
            return self._model.model_validate(given)
        except ValidationError as error:
            found = query_strings.found_errors(error, self._model)
            raise RequestValidationError(found, body=given) from None


def query_parameters(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI parameters of a model read by `QueryOf`, for `openapi_extra`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    needed = schema.get("required", ())
    fields = schema["properties"].items()
    return {"parameters": [_parameter(name, field, needed=name in needed) for name, field in fields]}


def _parameter(name: str, field: dict[str, Any], *, needed: bool) -> dict[str, Any]:
    """The OpenAPI parameter, without null, which no query string can express, and without empty defaults."""
    text = {key: part for key, part in field.items() if key not in {"anyOf", "description", "title"}}
    for choice in field.get("anyOf", ()):
        text |= choice if choice != {"type": "null"} else {}
    if text.get("default", ()) in ([], None):
        del text["default"]
    return {
        "name": name,
        "in": "query",
        "required": needed,
        "description": field["description"],
        "schema": text,
    }


async def _asked_language(request: Request) -> Language:
    """The language of mails to those whose own is not known."""
    return accepted_language(request.headers.get("accept-language")) or LANGUAGES[0]


async def _if_match(
    container: Annotated[Container, Depends(_container)],
    if_match: Annotated[
        str | None,
        Header(
            max_length=1000,
            description='Change only this version: `"3"`, the ETag of a reply.',
            json_schema_extra=_TAGS,
        ),
    ] = None,
) -> AllowedVersions:
    """The versions of If-Match (RFC 9110, section 13.1.1); compared strongly, so weak tags match none."""
    if if_match is None:
        if container.settings.require_if_match:
            raise PreconditionRequiredError("Send If-Match with the ETag of the version you are changing.")
        return None
    if if_match.strip() == "*":
        return None
    tags = _tags(if_match, "If-Match")
    return frozenset(int(tag) for weak, tag in tags if not weak and _VERSION.fullmatch(tag))


async def _if_none_match(
    if_none_match: Annotated[
        str | None,
        Header(
            max_length=1000,
            json_schema_extra=_TAGS,
            description="304 if it is still at this version.",
        ),
    ] = None,
) -> frozenset[str]:
    """The tags of If-None-Match (RFC 9110, section 13.1.2); weak comparison."""
    if if_none_match is None:
        return frozenset()
    if if_none_match.strip() == "*":
        return frozenset({"*"})
    return frozenset(tag for _, tag in _tags(if_none_match, "If-None-Match") if _VERSION.fullmatch(tag))


def _tags(header: str, name: str) -> list[tuple[str, str]]:
    tags = _TAG.findall(header)
    if not tags or _TAG.sub("", header).strip(" ,\t"):
        raise InvalidError(
            f"{name} is not a list of entity tags.",
            errors=(FieldError(parameter=name, detail='Must be an ETag in double quotes, such as "3".'),),
        )
    return tags


async def _accepted_format(
    accept: Annotated[str | None, Header(max_length=1000, include_in_schema=False)] = None,
) -> Format | None:
    """The best format of Accept (RFC 9110, section 12.5.1); CSV if anything is accepted, else None."""
    if accept is None:
        return "csv"
    best: Format | None = None
    best_quality = 0.0
    for candidate, media_type in MEDIA_TYPES.items():
        quality = _quality(media_type, accept)
        if quality > best_quality:
            best, best_quality = candidate, quality
    return best


async def _wants_csv(
    accept: Annotated[str | None, Header(max_length=1000, include_in_schema=False)] = None,
) -> bool:
    """Whether Accept likes CSV better than JSON."""
    return accept is not None and _quality("text/csv", accept) > _quality("application/json", accept)


def _quality(media_type: str, accept: str) -> float:
    """The quality of the media type by the most specific range of Accept; 0 if none matches."""
    found: tuple[int, float] = (0, 0.0)
    for item in accept.lower().split(","):
        wanted, *parameters = (part.strip() for part in item.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        ranges = ("*/*", media_type.split("/", maxsplit=1)[0] + "/*", media_type)
        if wanted in ranges and re.fullmatch(r"[01](\.[0-9]{0,3})?", quality):
            found = max(found, (ranges.index(wanted) + 1, float(quality)))
    return found[1]


def _viewing(*scopes: str) -> Callable[[Claims], Awaitable[Viewer]]:
    async def find_viewer(caller: Annotated[Claims, Security(_caller, scopes=scopes)]) -> Viewer:
        return Viewer(caller.user_id, is_admin=ADMIN in caller.scopes)

    return find_viewer


def _author(caller: Claims) -> Author:
    return Author(caller.user_id, caller.client_id)


async def _change_author(caller: Annotated[Claims, Security(_caller)]) -> Author:
    return _author(caller)


async def _last_event(
    last_event_id: Annotated[
        str | None,
        Header(
            max_length=100,
            json_schema_extra=_HEADER,
            description="The `id` of the last event that was received.",
        ),
    ] = None,
) -> int | None:
    """The revision of Last-Event-ID; other values are ignored."""
    return int(found[0]) if (found := _EVENT_ID.fullmatch(last_event_id or "")) else None


async def _wanted_bytes(
    wanted: Annotated[
        str | None,
        Header(
            alias="Range",
            max_length=100,
            json_schema_extra=_HEADER,
            description="One range of bytes: `bytes=1000-`.",
        ),
    ] = None,
    if_range: Annotated[
        str | None,
        Header(
            max_length=100, json_schema_extra=_HEADER, description="The whole file unless this is its ETag."
        ),
    ] = None,
    if_none_match: Annotated[
        str | None,
        Header(max_length=1000, json_schema_extra=_HEADER, description="304 if it contains the file's ETag."),
    ] = None,
) -> ByteRange:
    return ByteRange(wanted, if_range, if_none_match)


async def _view_user(caller: Annotated[Claims, Security(_person, scopes=["users:read"])]) -> ViewUser:
    return ViewUser(PydanticObjectId(caller.user_id), is_admin=ADMIN in caller.scopes)


def _authorised(scope: str) -> Callable[[Claims], Awaitable[Authority]]:
    async def find_authority(caller: Annotated[Claims, Security(_caller, scopes=[scope])]) -> Authority:
        return Authority(caller.scopes, _author(caller))

    return find_authority


async def _self_authority(
    caller: Annotated[Claims, Security(_caller, scopes=["me"])],
) -> Authority:
    """The authority of callers over themselves, whatever their scopes; models and routes bound it."""
    return Authority(frozenset({"users:admin"}), _author(caller), has_proved=True)


async def _idempotency_key(
    request: Request,
    caller: Annotated[Claims, Security(_caller, scopes=["users:write"])],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern="^[!-~]+$",
            description="Any new text. Repeated within a day with the same body, the request is not done "
            "again.",
        ),
    ] = None,
) -> RequestKey | None:
    if idempotency_key is None:
        return None
    route = f"{request.method} {request.url.path}"
    return RequestKey.of(caller.user_id, route, idempotency_key, await request.body())


async def _patience(
    prefer: Annotated[
        str | None,
        Header(
            max_length=1000,
            json_schema_extra=_HEADER,
            description="`wait=10`: answer once it is done, or after 10 s (at most 30).",
        ),
    ] = None,
) -> float | None:
    """Seconds that the caller would wait (RFC 7240, section 4.3); anything else is ignored."""
    found = _WAIT.search(prefer or "")
    return None if found is None else min(float(found[1]), MAX_WAIT_S)


Backends = Annotated[Container, Depends(_container)]
Caller = Annotated[Claims, Security(_caller)]
Myself = Annotated[Claims, Security(_caller, scopes=["me"])]
Person = Annotated[Claims, Security(_person)]
Inviter = Annotated[Claims, Security(_person, scopes=["users:admin"])]
ScheduleMaker = Annotated[Claims, Security(_person, scopes=["users:export"])]
Reader = Annotated[Claims, Security(_caller, scopes=["users:read"])]
Writer = Annotated[Claims, Security(_caller, scopes=["users:write"])]
Exporter = Annotated[Claims, Security(_caller, scopes=["users:export"])]
Administrator = Annotated[Claims, Security(_caller, scopes=["users:admin"])]
ChangeAuthor = Annotated[Author, Depends(_change_author)]
AskedLanguage = Annotated[Language, Depends(_asked_language)]
Source = Annotated[RequestSource, Depends(_request_source)]
WriteAuthority = Annotated[Authority, Depends(_authorised("users:write"))]
AdminAuthority = Annotated[Authority, Depends(_authorised("users:admin"))]
SelfAuthority = Annotated[Authority, Depends(_self_authority)]
IdempotencyKey = Annotated[RequestKey | None, Depends(_idempotency_key)]
Patience = Annotated[float | None, Depends(_patience)]
Notify = Annotated[Literal["true", "false"], Query(description="Whether a mail tells you when it has ended.")]
ExportViewer = Annotated[Viewer, Depends(_viewing("users:export"))]
ExportId = Annotated[PydanticObjectId, _OBJECT_ID, Path(description="The export's id.")]
ScheduleId = Annotated[PydanticObjectId, _OBJECT_ID, Path(description="The schedule's id.")]
LastEvent = Annotated[int | None, Depends(_last_event)]
WantedBytes = Annotated[ByteRange, Depends(_wanted_bytes)]
JobViewer = Annotated[Viewer, Depends(_viewing())]
ImportViewer = Annotated[Viewer, Depends(_viewing("users:write"))]
InvitationId = Annotated[
    str,
    Path(pattern="^[0-9a-f]{64}$", max_length=64, description="The invitation's id, from the list of them."),
]
ImportId = Annotated[
    PydanticObjectId, _OBJECT_ID, Path(description="The import's id.", examples=[EXAMPLE_ID])
]
UploadId = Annotated[PydanticObjectId, _OBJECT_ID, Path(description="The upload's id.")]
EventReader = Annotated[Claims, Security(_caller, scopes=["events:read"])]
EventOptions = Annotated[EventQuery, Depends(QueryOf(EventQuery))]
WebhookId = Annotated[PydanticObjectId, _OBJECT_ID, Path(description="The webhook's id.")]
WebhookManager = Annotated[Claims, Security(_caller, scopes=["webhooks"])]
DeliveryOptions = Annotated[DeliveryQuery, Depends(QueryOf(DeliveryQuery))]
ViewCaller = Annotated[ViewUser, Depends(_view_user)]
ViewId = Annotated[PydanticObjectId, _OBJECT_ID, Path(description="The view's id.")]
BulkId = Annotated[PydanticObjectId, _OBJECT_ID, Path(description="The bulk change's id.")]
ThrottledAddress = Annotated[str, Depends(_address)]
UserId = Annotated[PydanticObjectId, _OBJECT_ID, Path(description="The user's id.", examples=[EXAMPLE_ID])]
ClientId = Annotated[
    str,
    Path(
        max_length=64,
        json_schema_extra={"pattern": "^[^/]+$"},  # no client that this way leads to has another id
        description="The client's id.",
        examples=["acme-portal-9f86d081"],
    ),
]
JobId = Annotated[str, Path(pattern="^[0-9a-fA-F]{24}$", description="The job's id.")]
MailId = Annotated[str, Path(pattern="^[0-9a-fA-F]{24}$", description="The mail's id.")]
SessionId = Annotated[
    str,
    Path(
        max_length=128,
        json_schema_extra={"pattern": "^[^/]+$"},  # no session has another id
        description="The session's id, from a list of sessions.",
    ),
]
TokenId = Annotated[
    str,
    Path(
        max_length=128,
        json_schema_extra={"pattern": "^[^/]+$"},  # no token has another id
        description="The token's id, from a list of tokens.",
    ),
]
ExpectedVersions = Annotated[AllowedVersions, Depends(_if_match)]
KnownVersions = Annotated[frozenset[str], Depends(_if_none_match)]
AcceptedFormat = Annotated[Format | None, Depends(_accepted_format)]
FilterOptions = Annotated[Filter, Depends(QueryOf(Filter))]
PageOptions = Annotated[PageQuery, Depends(QueryOf(PageQuery))]
ImportOptions = Annotated[ImportQuery, Depends(QueryOf(ImportQuery))]
ImportPlanOptions = Annotated[ImportPlanQuery, Depends(QueryOf(ImportPlanQuery))]
ImportRowsOptions = Annotated[ImportRowsQuery, Depends(QueryOf(ImportRowsQuery))]
ImportFileOptions = Annotated[ImportFileQuery, Depends(QueryOf(ImportFileQuery))]
AvatarVersion = Annotated[
    str,
    Path(
        max_length=64,
        json_schema_extra={"pattern": f"^{VERSION}$"},
        description="The picture's version, in `avatar_url`.",
    ),
]
AvatarOptions = Annotated[AvatarQuery, Depends(QueryOf(AvatarQuery))]
AuditOptions = Annotated[AuditQuery, Depends(QueryOf(AuditQuery))]
MailOptions = Annotated[MailQuery, Depends(QueryOf(MailQuery))]
JobOptions = Annotated[JobQuery, Depends(QueryOf(JobQuery))]
FileOptions = Annotated[FileQuery, Depends(QueryOf(FileQuery))]
StatisticsOptions = Annotated[StatisticsQuery, Depends(QueryOf(StatisticsQuery))]
WantsCsv = Annotated[bool, Depends(_wants_csv)]
SuggestOptions = Annotated[SuggestQuery, Depends(QueryOf(SuggestQuery))]
ExportOptions = Annotated[ExportQuery, Depends(QueryOf(ExportQuery))]

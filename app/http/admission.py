"""Admission: decides whether a request begins, waits or is refused, before any work is done for it.

Each kind of request has its own slots and queue, so that a flood of one kind leaves the others theirs; floods
of several kinds share the machine by their weights. Requests with bounds of their own (downloads, uploads,
events, waiting for jobs) take no slots.
"""

import re
from functools import lru_cache
from time import monotonic

import orjson
import structlog
from starlette.types import Scope

from app.core import client_address
from app.core.catalogue import LANGUAGES, TAGS, Language
from app.core.errors import OverloadedError
from app.core.limits import AdaptiveLimit, Group, Keys, Limiter
from app.core.settings import Settings
from app.http import cross_origin, languages
from app.http.middleware import Headers, find_request_id, safe_headers
from app.http.page_errors import OverloadPage
from app.http.problems import describe_in
from app.monitoring.metrics import REFUSED
from models.problem import MEDIA_TYPE

log = structlog.get_logger("roster.admission")

KINDS = {"health": 4, "reads": 4, "searches": 1, "sign_ins": 1, "sign_outs": 4, "writes": 1}
"""The kinds and their weights under overload: the cheap and urgent ones weigh most."""
_MOST_WAITING = 1000
_LONGEST_WAIT_S = 5.0
"""As long as MongoDB may take to answer; only hanging work makes requests wait so long."""
_LOG_EVERY_S = 1.0
_ADDRESSES = 4096
"""Cached client addresses: reading one takes as long as the rest of a refusal."""
_ERROR = OverloadedError("The service is overloaded: try again soon.")
_PROBLEMS = {each: orjson.dumps(describe_in(each, _ERROR, request_id="%b")) for each in LANGUAGES}
_HTML = b"text/html; charset=utf-8"

_SEARCH = re.compile(rb"(?:^|&)q=")
_OWN_BOUNDS = re.compile(
    r"/users/export(/csv|/excel)?|/users/exports/[^/]+/file|/users/imports/[^/]+/rows\.xlsx|/jobs/[^/]+/events|/events"
    r"|/users/import|/users/imports/[^/]+/apply|/users/exports|/users:bulk|/users/bulk/[^/]+/(apply|revert)"
)
_SIGN_INS = frozenset(
    {"/auth/token", "/auth/register", "/users/me/password", "/auth/password/reset", "/auth/activate"}
)
_SIGN_IN_FORMS = frozenset({
    "/auth/sign-in", "/auth/sign-up", "/auth/password", "/auth/email", "/auth/mail/reset_password",
    "/auth/mail/activate",
})  # fmt: skip
_SIGN_OUTS = frozenset({"/auth/logout", "/auth/revoke", "/users:sign-out"})


def find_kind(method: str, path: str, query: bytes) -> str | None:
    """The kind of a request; None if it takes no slot."""
    if path.startswith("/health/"):
        return "health"
    if path in _SIGN_INS or (method == "POST" and path in _SIGN_IN_FORMS):
        return "sign_ins"
    if path in _SIGN_OUTS or (method == "DELETE" and "/sessions" in path):
        return "sign_outs"
    if _OWN_BOUNDS.fullmatch(path):
        return None
    if method not in {"GET", "HEAD"}:
        return "writes"
    is_search = path == "/users/suggest" or (path == "/users" and _SEARCH.search(query))
    return "searches" if is_search else "reads"


class Admission:
    """The limiters of one process, which its metrics show."""

    def __init__(self, settings: Settings, page: OverloadPage | None = None) -> None:
        """`page`: what browsers are refused with on their way through pages."""
        self._page = page
        self._trusted = settings.trusted_proxies
        tls = settings.issuer_url.startswith("https:")
        self._heads = {each: _make_problem_head(each, safe_headers(tls=tls)) for each in LANGUAGES}
        self._page_head = _make_head(_HTML, [] if page is None else page.find_headers(tls=tls))
        self._origins = settings.cors_origins
        self._group = Group()
        self.limiters = {
            kind: Limiter(
                AdaptiveLimit(settings.mongo_pool_size),
                most_waiting=_MOST_WAITING,
                longest_wait_s=_LONGEST_WAIT_S,
                group=self._group,
                weight=weight,
            )
            for kind, weight in KINDS.items()
        }
        self._refused = {kind: REFUSED.labels(kind) for kind in KINDS}
        self._logged: dict[str, tuple[float, int]] = dict.fromkeys(KINDS, (0.0, 0))
        self._find_address = lru_cache(_ADDRESSES)(self._read_address)

    def is_crowded(self) -> bool:
        return self._group.waiting_weight > 0

    def find_keys(self, scope: Scope) -> Keys:
        """The keys of a request's sender: the address, then the unchecked token, as checking it is work."""
        token, forwarded = b"", []
        for name, value in scope["headers"]:
            if name == b"authorization":
                token = value
            elif name == b"x-forwarded-for":
                forwarded.append(value.decode("latin-1"))
        return self._find_address(scope["client"], tuple(forwarded)), token

    def make_refusal(self, scope: Scope, *, keep_alive: bool) -> bytes:
        """The whole refusal (RFC 9457), as bytes; a page for a browser that asks for one."""
        request_id = find_request_id(scope)
        page = None if self._page is None else self._page.make(scope, request_id)
        head, body = self._make_problem(scope, request_id) if page is None else (self._page_head, page)
        more = cross_origin.find_headers(self._origins, scope) if self._origins else []
        if not keep_alive:
            more = [*more, (b"connection", b"close")]
        reply = head % {
            b"id": request_id.encode(),
            b"length": len(body),
            b"more": b"".join([b"%b: %b\r\n" % header for header in more]),
        }
        return reply if scope["method"] == "HEAD" else reply + body

    def _make_problem(self, scope: Scope, request_id: str) -> tuple[bytes, bytes]:
        language = languages.find(scope["headers"])
        return self._heads[language], _PROBLEMS[language] % request_id.encode()

    def note_refusal(self, kind: str) -> None:
        """Count a refusal; logs one line a second, as a line for each would cost as much as the refusal."""
        self._refused[kind].inc()
        limiter = self.limiters[kind]
        last, seen = self._logged[kind]
        if monotonic() - last >= _LOG_EVERY_S:
            self._logged[kind] = monotonic(), limiter.refused
            log.warning(
                "requests_refused",
                kind=kind,
                count=limiter.refused - seen,
                limit=limiter.limit,
                in_service=limiter.in_service,
                waiting=limiter.waiting,
            )

    def _read_address(self, client: tuple[str, int] | None, forwarded: tuple[str, ...]) -> str:
        peer = None if client is None else client[0]
        return client_address.network(client_address.find(peer, forwarded, self._trusted))


def _make_problem_head(language: Language, more: Headers) -> bytes:
    spoken = (b"content-language", TAGS[language].encode())
    return _make_head(MEDIA_TYPE.encode(), [spoken, languages.VARY, *more])


def _make_head(media_type: bytes, more: Headers) -> bytes:
    """A template of a reply's head: making it anew each time would cost more than the rest of a refusal."""
    headers = [
        (b"content-type", media_type),
        (b"content-length", b"%(length)d"),
        *((name.lower().encode(), value.encode()) for name, value in _ERROR.headers.items()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", b"%(id)b"),
        *more,
    ]
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    return b"HTTP/1.1 503 Service Unavailable\r\n%b%%(more)b\r\n" % lines

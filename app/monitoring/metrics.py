"""The metrics of Roster, which `app.monitoring.metrics_port` serves; `app.users.rows` adds its own.

A gauge declares how the values of several workers become one. No label may take values that callers choose. A
series that alerts watch exists as 0 before anything happens: `increase` does not see one begin at 1.
"""

from collections.abc import Iterable
from itertools import product
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from models.event import TYPES
from models.mail import MailKind

NO_ROUTE = "none"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAILURES = (500, 503)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
"""Buckets from a read by id to a long download; the budgets of listing and of backends are bounds."""

BUILD = Gauge(
    "roster_build_info",
    "Always 1, labelled with the running version.",
    ["version"],
    multiprocess_mode="livemax",
)
REQUESTS = Counter("roster_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "roster_request_seconds",
    "Seconds from the first byte of a request to the last of its reply.",
    ["method", "route"],
    buckets=_SECONDS,
)
REFUSED = Counter(
    "roster_requests_refused", "Requests answered 503 at once, as too many of their kind wait.", ["kind"]
)
AUTH_EVENTS = Counter("roster_auth_events", "Events of the authentication log.", ["event"])
BACKEND_ERRORS = Counter("roster_backend_errors", "Requests that a backend failed.", ["backend", "error"])
MONGO_FAILED_CHECKOUTS = Counter(
    "roster_mongo_failed_checkouts", "Operations that got no connection to MongoDB.", ["reason"]
)
for _reason in ("timeout", "poolClosed", "connectionError"):  # PyMongo's
    MONGO_FAILED_CHECKOUTS.labels(_reason)
MONGO_CONNECTIONS = Gauge(
    "roster_mongo_connections", "Connections to MongoDB.", ["state"], multiprocess_mode="livesum"
)
MONGO_WAITING = Gauge(
    "roster_mongo_waiting", "Operations that wait for a connection to MongoDB.", multiprocess_mode="livesum"
)
REDIS_WAITING = Gauge(
    "roster_redis_waiting",
    "Calls to Redis that wait for an answer.",
    multiprocess_mode="livesum",
)
SESSIONS = Gauge("roster_sessions", "Living sessions of all users.", multiprocess_mode="mostrecent")
ADMISSION_LIMIT = Gauge(
    "roster_admission_limit",
    "The most requests of a kind that are served at once.",
    ["kind"],
    multiprocess_mode="livesum",
)
ADMISSION = Gauge(
    "roster_admission_requests",
    "Requests of a kind that are served, and that wait.",
    ["kind", "state"],
    multiprocess_mode="livesum",
)
PASSWORDS = Gauge(
    "roster_passwords", "Passwords that are hashed, and that wait.", ["state"], multiprocess_mode="livesum"
)
EXPORTS = Gauge("roster_exports_running", "Downloads being written.", multiprocess_mode="livesum")
JOBS = Gauge(
    "roster_jobs",
    "Jobs that wait, and that any worker runs.",
    ["kind", "state"],
    multiprocess_mode="mostrecent",
)
EVENTS = Counter("roster_events", "Events that got their place in the log.", ["type"])
for _type in TYPES:
    EVENTS.labels(_type)
EVENTS_LAG = Gauge(
    "roster_events_lag_seconds",
    "By how much the relay of events is behind what was committed.",
    multiprocess_mode="mostrecent",
)
LISTENERS = Gauge("roster_event_listeners", "Listeners to the stream of events.", multiprocess_mode="livesum")
WEBHOOK_DELIVERIES = Counter(
    "roster_webhook_deliveries", "Tries of webhooks' deliveries, by what became of them.", ["outcome"]
)
for _outcome in ("delivered", "put_off", "failed"):
    WEBHOOK_DELIVERIES.labels(_outcome)
WEBHOOKS_PAUSED = Counter(
    "roster_webhooks_paused", "Webhooks that were paused, by the reason: gone or failing.", ["reason"]
)
for _reason in ("gone", "failing"):
    WEBHOOKS_PAUSED.labels(_reason)
WEBHOOKS_FAILING = Gauge(
    "roster_webhooks_failing",
    "Webhooks whose last deliveries all failed; paused ones count, too.",
    multiprocess_mode="mostrecent",
)
MAILS = Counter(
    "roster_mails", "Mails given to the mail server, by what became of them.", ["kind", "outcome"]
)
for _kind, _outcome in product(get_args(MailKind), ("sent", "put_off", "refused")):
    MAILS.labels(_kind, _outcome)
MAILS_STALE = Counter("roster_mails_stale", "Mails that could not be sent in time.")
MAIL_SERVER_FAILURES = Counter(
    "roster_mail_server_failures", "Times that the mail server could not be reached, or let nobody in."
)
MAILS_WAITING = Gauge(
    "roster_mails_waiting", "Mails that wait, 10,000 at most.", multiprocess_mode="mostrecent"
)
MAILS_WAITING_SECONDS = Gauge(
    "roster_mails_waiting_seconds",
    "For how long the oldest of them has waited.",
    multiprocess_mode="mostrecent",
)
READY = Gauge(
    "roster_ready", "Whether a part that the service needs is there.", ["part"], multiprocess_mode="livemin"
)
LOOP_TASKS = Gauge(
    "roster_loop_tasks",
    "Tasks of the event loop: those of open requests and its own.",
    multiprocess_mode="livesum",
)
LOOP_LAG = Gauge(
    "roster_loop_lag_seconds",
    "How late the event loop was at the last measurement.",
    multiprocess_mode="livemax",
)

_Series = tuple[Counter, Histogram]
_SERIES: dict[tuple[str, str | None, int | None], _Series] = {}


def observe_request(method: str, route: str | None, status: int | None, seconds: float) -> None:
    """Count a request; `route` is its template, None where no route has its path."""
    key = (method if method in _METHODS else "other", route, status)
    series = _SERIES.get(key)
    if series is None:
        series = _SERIES[key] = _find_series(*key)
    series[0].inc()
    series[1].observe(seconds)


def expect(routes: Iterable[tuple[str, str]]) -> None:
    """Create the series of failures of these routes (method, template) as 0."""
    for method, route in routes:
        for status in _FAILURES:
            _find_series(method, route, status)


def _find_series(method: str, route: str | None, status: int | None) -> _Series:
    labels = (method, route or NO_ROUTE)
    return REQUESTS.labels(*labels, str(status or "none")), REQUEST_SECONDS.labels(*labels)


def set_ready(parts: Iterable[tuple[str, bool]]) -> None:
    for part, is_there in parts:
        READY.labels(part).set(is_there)

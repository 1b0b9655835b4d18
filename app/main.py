"""`create_app(settings)`: the whole service, wired."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app import __version__, container, worker
from app.console import Console
from app.core.settings import Settings, load
from app.http import docs, error_handlers, trusted_hosts
from app.http.admission import Admission
from app.http.compression import Compression
from app.http.cross_origin import CrossOrigin
from app.http.middleware import BodyLimit, HeadAsGet, QueryInUTF8, RequestContext
from app.http.page_errors import OverloadPage, PageErrors, find_browsed
from app.http.request_timeout import RequestTimeout
from app.http.route_paths import find_all
from app.monitoring import logs, metrics
from app.monitoring.gauges import sampling
from app.pages import Pages
from routers import (
    activations,
    audit,
    auth,
    authorize,
    avatar_uploads,
    avatars,
    browser_tokens,
    bulk,
    clients,
    consent_pages,
    consents,
    console,
    device,
    device_pages,
    emails,
    events,
    export_jobs,
    exports,
    health,
    imports,
    invitations,
    jobs,
    mail_pages,
    mails,
    me,
    openid,
    operations,
    pages,
    provisioning,
    registration,
    resets,
    result_pages,
    schedules,
    scim,
    sessions,
    statistics,
    throttles,
    tokens,
    uploads,
    users,
    views,
    webhooks,
    well_known,
)

DESCRIPTION = """A user directory: create, find, page through and export users.

Every error is `application/problem+json` (RFC 9457) with a stable `code`; `title` and `detail` are English or
Chinese, by `Accept-Language`. Changes carry versions (`ETag`).
"""

SERVER = {
    "url": "/",
    "description": "The service that this document comes from, in production or locally.",
    "x-internal": False,
}
TAGS = [
    {"name": "audit", "description": "Who changed which user, and what."},
    {
        "name": "auth",
        "description": "Tokens, registration, invitations and the keys by which tokens are verified.",
    },
    {"name": "avatars", "description": "Pictures of users: uploaded, shown, removed."},
    {
        "name": "bulk",
        "description": "One change of many users: each becomes a plan, which can be applied and reverted.",
    },
    {"name": "clients", "description": "The applications that request tokens, for administrators."},
    {"name": "consents", "description": "What users let applications have: listed and withdrawn."},
    {"name": "events", "description": "What happens, as it does."},
    {"name": "export", "description": "Downloads of users: now, by a job, by a schedule."},
    {"name": "health", "description": "Health checks for load balancers and supervisors."},
    {
        "name": "import",
        "description": "Files of users: each becomes a plan, which can be applied and reverted.",
    },
    {"name": "jobs", "description": "Long work: its state, its progress, cancelling it."},
    {"name": "mails", "description": "Mails that wait, were sent or could not be: for administrators."},
    {"name": "me", "description": "Your own record, password, e-mail and sessions."},
    {
        "name": "operations",
        "description": "The settings in force and the keys that sign: for administrators.",
    },
    {"name": "sessions", "description": "Sessions of other users, for administrators."},
    {"name": "statistics", "description": "People and sign-ins by day, shares of values, sizes of queues."},
    {"name": "tokens", "description": "Tokens that programs keep: named, scoped, expiring."},
    {"name": "users", "description": "Create, list, read, change, delete, batch."},
    {"name": "views", "description": "Views of the list of users: saved, and perhaps shared."},
    {"name": "webhooks", "description": "Where events are posted, and what became of them."},
]
ROUTERS = (
    exports.router,
    schedules.router,
    export_jobs.router,
    jobs.router,
    mails.router,
    imports.router,
    uploads.router,
    bulk.router,
    avatars.router,
    avatar_uploads.router,
    me.router,
    consents.router,
    device.router,
    users.router,
    sessions.router,
    activations.router,
    tokens.router,
    throttles.router,
    views.router,
    webhooks.router,
    events.router,
    statistics.router,
    audit.router,
    auth.router,
    resets.router,
    emails.router,
    authorize.router,
    openid.router,
    invitations.router,
    browser_tokens.router,
    console.router,
    scim.router,
    provisioning.router,
    pages.router,
    consent_pages.router,
    device_pages.router,
    mail_pages.router,
    result_pages.router,
    clients.router,
    registration.router,
    well_known.router,
    operations.router,
    health.router,
)
"""In the order in which paths are looked up."""
BATCH_BYTES = 16 * 1024 * 1024
FORM_BYTES = 256 * 1024
"""Bytes of a form besides its file."""
_SWITCH_S = 0.002


def _collect_routes() -> list[BaseRoute]:
    """The routes of all routers, as they are: `include_router` would make each anew for each app.

    An operation is named as its function is.
    """
    routes = [route for router in ROUTERS for route in router.routes]
    for route in routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.name
    return [users.list_users, me.read_me, *routes]


_ROUTES = _collect_routes()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; its backends are opened when it starts and closed when it stops."""
    settings = settings or load()
    logs.set_up(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with container.opened(settings, wait_s=settings.start_wait_s) as opened:
            app.state.container = opened
            _tune_interpreter()
            if settings.metrics_port is not None:
                metrics.expect(find_all(app.routes))
            working = worker.working(opened) if settings.jobs_inside else nullcontext()
            opened.exports.writing.is_crowded = app.state.admission.is_crowded
            async with sampling(opened, app.state.admission.limiters), working:
                yield

    app = FastAPI(
        title="Roster",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        routes=_ROUTES,
        servers=[SERVER],
        openapi_tags=TAGS,
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    app.state.phone_region = settings.phone_region
    app.state.pages = Pages(settings)
    app.state.console = Console(settings, app.state.pages.brand)
    app.state.password_grant = settings.password_grant
    docs.install(app)
    error_handlers.install(app)
    browsed = find_browsed(app.routes)
    app.state.admission = Admission(settings, OverloadPage(app, browsed))
    app.add_middleware(
        BodyLimit,
        overrides={
            "/users:batch": BATCH_BYTES,
            "/users/import": settings.import_max_bytes + FORM_BYTES,
            "avatar": settings.avatar_max_bytes + FORM_BYTES,
        },
    )
    app.add_middleware(RequestTimeout, seconds=settings.request_timeout_s)
    app.add_middleware(QueryInUTF8)
    app.add_middleware(PageErrors, browsed=browsed)
    if settings.compression:
        app.add_middleware(Compression)
    app.add_middleware(HeadAsGet)
    if settings.cors_origins:
        app.add_middleware(CrossOrigin, origins=settings.cors_origins)
    if (names := trusted_hosts.find_names(settings)) is not None:
        app.add_middleware(trusted_hosts.TrustedHosts, names=names)
    app.add_middleware(
        RequestContext,
        tls=settings.issuer_url.startswith("https:"),
        counts=settings.metrics_port is not None,
    )
    return app


def _tune_interpreter() -> None:
    """Leave what there is to no collection of garbage, and switch threads more often.

    While a thread writes an export, the loop waits for its turn at each step of each request and each fetch:
    at Python's 5 ms other requests wait long; at 0.5 ms the export loses a sixth of its rate.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_S)

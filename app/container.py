"""The one place that wires everything: the nouns of a process, each built from its connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from app import migrations
from app.accounts.activations import Activations
from app.audit.read import AuditLog
from app.audit.sign_ins import SignIns
from app.auth.access_tokens import AccessTokens
from app.auth.form_tokens import FormTokens
from app.auth.id_tokens import IdTokens
from app.auth.invitations import Invitations
from app.auth.mail_codes import MailCodes
from app.auth.one_time import OneTimeRecords
from app.auth.opaque_tokens import OpaqueTokens
from app.auth.passwords import Passwords
from app.auth.sessions import BrowserSessions, Sessions
from app.auth.throttles import Quotas, Throttle
from app.avatars.avatars import Avatars
from app.bulk import Bulk
from app.clients import Clients
from app.core.cursors import CursorSealer
from app.core.settings import Settings
from app.database import connections, indexes, probes
from app.database.connections import Connections
from app.database.readiness import Readiness
from app.events import Events, events
from app.exports import Exports, Schedules
from app.files import Files
from app.imports import Imports
from app.jobs import JobQueue, Jobs
from app.keys.keyring import Keyring, keep_current
from app.keys.password_keys import PasswordKeys
from app.listing import Listing
from app.live import Live
from app.mail import Outbox
from app.notices import Notices
from app.oauth.authorization import Authorization
from app.oauth.consents import Consents
from app.oauth.devices import Devices
from app.oauth.oauth import OAuth
from app.oauth.openid import Logouts
from app.oauth.openid.back_channel import LogoutNotices
from app.scim.activity import Activity
from app.scim.provisioning import Provisioning
from app.search import SearchIndex
from app.statistics import Statistics
from app.users import Users
from app.views import Views
from app.webhooks import Webhooks

_PASSWORDS_WAITING = 256
"""At 44 a second, on two cores, the last waits for six seconds: callers would give up before others came."""


@dataclass(frozen=True, slots=True)
class Container:
    """What a running process holds. Only the entry points and `app.http.dependencies` see it."""

    settings: Settings
    connections: Connections
    auth: OAuth
    users: Users
    listing: Listing
    search: SearchIndex
    audit: AuditLog
    events: Events
    webhooks: Webhooks
    live: Live
    jobs: Jobs
    outbox: Outbox
    notices: Notices
    files: Files
    avatars: Avatars
    exports: Exports
    schedules: Schedules
    imports: Imports
    statistics: Statistics
    views: Views
    bulk: Bulk
    logout_notices: LogoutNotices
    provisioning: Provisioning
    activations: Activations
    readiness: Readiness


@asynccontextmanager
async def opened(
    settings: Settings, *, apply_indexes: bool = True, sign: bool = True, wait_s: float = 0
) -> AsyncIterator[Container]:
    """Everything connected, migrated and built; StartError and `wait_s` as `connections.opened`.

    Who does not `sign` tokens makes no key, and knows those of others as they are when it starts.
    """
    async with connections.opened(settings, wait_s=wait_s) as held, AsyncExitStack() as closing:
        with connections.explained():
            await _prepare(held, apply_indexes=apply_indexes)
            built = await build(held, closing, sign=sign)
        yield built


async def _prepare(held: Connections, *, apply_indexes: bool) -> None:
    database = held.database
    await migrations.refuse_newer(database)
    if not apply_indexes:
        return
    await indexes.apply_validator(database)
    await events.begin(database)
    await migrations.apply(database)
    await indexes.apply(database)
    days = held.settings.audit_ttl_days, held.settings.events_ttl_days
    await indexes.retain(database, audit_days=days[0], event_days=days[1])
    await probes.probe_mongodb(database)


async def build(held: Connections, closing: AsyncExitStack, *, sign: bool = True) -> Container:
    """All nouns; what they start is stopped by `closing`."""
    settings, database = held.settings, held.database
    keyring = await Keyring.open(
        database,
        held.secret,
        algorithm=settings.token_algorithm,
        token_ttl_s=settings.access_token_ttl_s,
        sign=sign,
    )
    if sign:
        renewal = asyncio.create_task(keep_current(keyring))
        closing.callback(renewal.cancel)
    job_queue = JobQueue(held.redis_url, f"roster:jobs:{database.name}")
    closing.push_async_callback(job_queue.shutdown)
    passwords = Passwords(threads=settings.password_threads, waiting=_PASSWORDS_WAITING)
    closing.callback(passwords.close)
    cursors = CursorSealer(held.secret)
    outbox = Outbox(database, held.secret, settings, cursors, job_queue.announce_mail)
    jobs = Jobs(held, job_queue, cursors, outbox)
    notices = Notices(database, outbox, held.secret, settings)
    clients = Clients(database, held.redis, cursors, issuer=settings.issuer_url)
    logout_notices = LogoutNotices(clients, jobs, keyring, issuer=settings.issuer_url)
    sessions = Sessions(held.redis_connection, database, held.secret, settings, on_end=logout_notices.send)
    users = Users(
        held.users, sessions.ending, sessions.ending_all, base=settings.issuer_url, reads=held.reads
    )
    one_time = OneTimeRecords(held.redis_connection)
    throttle = Throttle(
        held.redis_connection,
        held.secret,
        per_account=settings.tries_per_account,
        per_address=settings.tries_per_address,
    )
    quotas = Quotas(held.redis_connection, held.secret)
    consents = Consents(database, sessions)
    sign_ins = SignIns(database)
    closing.push_async_callback(sign_ins.write)
    writing = asyncio.create_task(sign_ins.keep_writing())
    closing.callback(writing.cancel)
    activity = Activity(database)
    closing.push_async_callback(activity.write)
    noting = asyncio.create_task(activity.keep_writing())
    closing.callback(noting.cancel)
    auth = OAuth(
        settings=settings,
        database=database,
        users=users,
        keyring=keyring,
        tokens=AccessTokens(
            keyring,
            issuer=settings.issuer_url,
            audience=settings.audience,
            ttl_s=settings.access_token_ttl_s,
        ),
        id_tokens=IdTokens(keyring, issuer=settings.issuer_url, ttl_s=settings.access_token_ttl_s),
        authorization=Authorization(held.secret, issuer=settings.issuer_url),
        logouts=Logouts(held.secret),
        sessions=sessions,
        browsers=BrowserSessions(sessions, held.redis_connection, held.secret, settings),
        one_time=one_time,
        devices=Devices(one_time, sessions, throttle, consents),
        opaque_tokens=OpaqueTokens(database, sessions, clients),
        passwords=passwords,
        password_keys=PasswordKeys(database, held.redis, held.secret),
        throttle=throttle,
        quotas=quotas,
        clients=clients,
        consents=consents,
        invitations=Invitations(held.users, cursors, outbox, settings),
        mail_codes=MailCodes(database, held.users, throttle, quotas, held.secret),
        form_tokens=FormTokens(held.secret),
        outbox=outbox,
        notices=notices,
        sign_ins=sign_ins,
    )
    listing = Listing(held, cursors)
    found_events = Events(database)
    files = Files(database, settings)
    exports = Exports(held, files, listing, jobs, cursors)
    imports = Imports(held, files, jobs, users, cursors, downloads=exports.running)
    avatars = Avatars(database, files, users, quotas, settings)
    closing.callback(avatars.close)
    return Container(
        settings=settings,
        connections=held,
        auth=auth,
        users=users,
        listing=listing,
        search=SearchIndex(held.users),
        audit=AuditLog(database, cursors, budget_s=settings.query_budget_ms / 1000),
        events=found_events,
        live=Live(found_events, listing),
        webhooks=Webhooks(
            database, held.secret, settings, cursors=cursors, events=found_events, listing=listing
        ),
        jobs=jobs,
        outbox=outbox,
        notices=notices,
        files=files,
        avatars=avatars,
        exports=exports,
        schedules=Schedules(held, jobs, exports, cursors),
        statistics=Statistics(database, jobs, outbox),
        views=Views(database, listing, cursors),
        imports=imports,
        bulk=Bulk(
            held, files=files, jobs=jobs, users=users, listing=listing, imports=imports, cursors=cursors
        ),
        logout_notices=logout_notices,
        provisioning=Provisioning(database, clients, cursors, activity),
        activations=Activations(auth, jobs, listing),
        readiness=Readiness(database, held.redis_connection, lambda: keyring.signing),
    )

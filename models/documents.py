"""All documents of ours in MongoDB, each declared once with its indexes, here or beside its shapes."""

from datetime import datetime
from typing import Any, ClassVar, Final

from beanie import Document
from pymongo import IndexModel

from models.account import StoredInvitation
from models.audit import StoredEntry
from models.avatar import StoredAvatar
from models.client import StoredClient, StoredConsent
from models.delivery import StoredDelivery
from models.event import StoredEvent, StoredRelay
from models.export_job import StoredExport
from models.imports import StoredImport, StoredImportRow
from models.job import Job
from models.mail import StoredMail
from models.mail_code import StoredMailCode
from models.opaque_token import StoredToken
from models.provisioned import StoredActivity, StoredActivityDay, StoredLink
from models.schedule import StoredSchedule
from models.session import EndedSession, KnownDevice
from models.statistics import StoredDay, StoredFigures, StoredSignIns
from models.stored import GONE_WHEN_DUE, NamedDocument
from models.token import SealedKey, SealedPasswordKey
from models.user import User
from models.view import StoredView
from models.webhook import StoredWebhook, StoredWebhookKey


class Word(NamedDocument):
    """A word of the dictionary: about how many users hold it, and the neighbourhood that typos find it by."""

    n: int
    d: list[str]
    s: list[str]
    """What follows its first letters: by these its middle finds it."""
    k: int
    """Which neighbourhood it has: 1 that of words of e-mails only, 2 the whole one."""

    class Settings:
        name = "terms"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("d", 1)], name="neighbours"),
            IndexModel([("s", 1)], name="endings"),
        ]


class ColumnLabel(NamedDocument):
    """What an export called its columns: every field that was called so, by the label."""

    fields: list[str]
    expires_at: datetime

    class Settings:
        name = "column_labels"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE]


class IdempotencyKey(NamedDocument):
    """What was done of a request, by a hash of caller, route and key."""

    request: str
    """A hash of the body."""
    owner: str
    until: datetime
    done: dict[str, dict[str, Any]]
    """`{status, id, version}` by the place of the operation."""
    answer: dict[str, Any] | None
    """`{status, headers, body}` of a request that was done to its end."""
    expires_at: datetime

    class Settings:
        name = "idempotency_keys"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE]


class Secret(NamedDocument):
    """A secret that was made because none is set, by what it is for."""

    value: str

    class Settings:
        name = "secrets"


class Schema(NamedDocument):
    """Which schema the database has, and who takes it further (`app.migrations.versions`)."""

    version: int
    lock: dict[str, Any] | None
    done: list[dict[str, Any]]

    class Settings:
        name = "schema"


DOCUMENTS: Final[tuple[type[Document], ...]] = (
    User,
    StoredInvitation,
    StoredMailCode,
    EndedSession,
    KnownDevice,
    Job,
    StoredExport,
    StoredSchedule,
    Word,
    StoredImport,
    StoredImportRow,
    ColumnLabel,
    IdempotencyKey,
    StoredEntry,
    StoredEvent,
    StoredRelay,
    StoredClient,
    StoredToken,
    StoredConsent,
    StoredLink,
    StoredActivity,
    StoredActivityDay,
    StoredMail,
    StoredView,
    StoredWebhook,
    StoredDelivery,
    StoredWebhookKey,
    StoredSignIns,
    StoredDay,
    StoredFigures,
    StoredAvatar,
    SealedKey,
    SealedPasswordKey,
    Secret,
    Schema,
)

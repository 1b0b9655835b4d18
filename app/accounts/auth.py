"""What signing in and out works with."""

from dataclasses import dataclass

from app.audit.sign_ins import SignIns
from app.auth.access_tokens import AccessTokens
from app.auth.form_tokens import FormTokens
from app.auth.id_tokens import IdTokens
from app.auth.invitations import Invitations
from app.auth.mail_codes import MailCodes
from app.auth.opaque_tokens import OpaqueTokens
from app.auth.passwords import Passwords
from app.auth.sessions import BrowserSessions, Sessions
from app.auth.throttles import Quotas, Throttle
from app.clients import Clients
from app.core.mongo import Database
from app.core.settings import Settings
from app.keys.keyring import Keyring
from app.keys.password_keys import PasswordKeys
from app.mail import Outbox
from app.notices import Notices
from app.users import Users


@dataclass(frozen=True, slots=True)
class Auth:
    """Built once a process, from its connections."""

    settings: Settings
    database: Database
    users: Users
    keyring: Keyring
    tokens: AccessTokens
    id_tokens: IdTokens
    sessions: Sessions
    browsers: BrowserSessions
    opaque_tokens: OpaqueTokens
    passwords: Passwords
    password_keys: PasswordKeys
    throttle: Throttle
    quotas: Quotas
    clients: Clients
    invitations: Invitations
    mail_codes: MailCodes
    form_tokens: FormTokens
    outbox: Outbox
    notices: Notices
    sign_ins: SignIns

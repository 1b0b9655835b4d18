"""What signing in and out works with."""

from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from app.auth.access_tokens import AccessTokens
from app.auth.keyring import Keyring
from app.auth.password_keys import PasswordKeys
from app.auth.passwords import Passwords
from app.auth.sessions import Sessions
from app.auth.throttles import Throttle
from app.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Auth:
    """Built once a process, from its connections."""

    settings: Settings
    database: AsyncDatabase[dict[str, Any]]
    users: AsyncCollection[dict[str, Any]]
    keyring: Keyring
    tokens: AccessTokens
    sessions: Sessions
    passwords: Passwords
    password_keys: PasswordKeys
    throttle: Throttle

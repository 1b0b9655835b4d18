"""What signing in and out works with."""

from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from app.core.settings import Settings
from app.keyring import Keyring
from app.password_keys import PasswordKeys
from app.passwords import Passwords
from app.sessions import Sessions
from app.throttles import Throttle
from app.tokens import AccessTokens


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

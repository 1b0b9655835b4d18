"""The authority under which users are changed: the caller's scopes and rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.audit.write import Author
from app.core.errors import FieldError, InsufficientScopeError, PasswordNeededError
from app.core.mongo import Row
from models.user import STANDING, UserInput, UserPatch

ADMIN = "users:admin"


@dataclass(frozen=True, slots=True)
class Authority:
    scopes: frozenset[str]
    """The scopes of the caller's token."""
    author: Author
    """The caller, for the audit trail and log."""
    has_proved: bool = False
    """Whether the caller has just given their password, where the change needs it."""

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.scopes

    @property
    def is_writer(self) -> bool:
        return "users:write" in self.scopes

    def check_standing(self, values: UserInput | UserPatch) -> None:
        """InsufficientScopeError where the caller may not set scopes or activation, but does."""
        if not self.is_admin and (named := sorted(STANDING & values.model_fields_set)):
            raise InsufficientScopeError(ADMIN, f"Only {ADMIN} may set {' and '.join(named)}.")

    def check_same_standing(self, row: Row, values: UserInput) -> None:
        """The same for a replacement, in which everyone may repeat what is stored."""
        if not self.is_admin and any(
            _unordered(getattr(values, name)) != _unordered(row[name])
            for name in STANDING & values.model_fields_set
        ):
            self.check_standing(values)

    def check_target(self, row: Row) -> None:
        """InsufficientScopeError where a caller who is no administrator would change one."""
        if not self.is_admin and ADMIN in row["scopes"]:
            raise InsufficientScopeError(ADMIN, "Only an administrator may change an administrator.")

    def check_own(self, row: Row, values: Mapping[str, Any]) -> None:
        """PasswordNeededError where callers would change their own e-mail without their password.

        A thief of the token could keep the account otherwise (ASVS 5.0, 7.5.1).
        """
        if not self.has_proved and self.author.user_id == str(row["_id"]) and values["email"] != row["email"]:
            raise PasswordNeededError(
                "Change your own e-mail at POST /users/me/email, with your password.",
                errors=(FieldError(pointer="/email", detail="Must not change here."),),
            )


def _unordered(value: Any) -> Any:
    return set(value) if isinstance(value, list) else value

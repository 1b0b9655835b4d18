"""On whose behalf users are changed."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from app.errors import InsufficientScopeError
from app.rows import Row
from app.sessions import Ending
from app.trail import Author
from models.user import STANDING, UserInput, UserPatch

ADMIN = "users:admin"


@dataclass(frozen=True, slots=True)
class Authority:
    scopes: frozenset[str]
    """Of the caller's token."""
    ending: Callable[[str], AbstractAsyncContextManager[Ending]]
    """Around a write that ends all sessions of the user with this id (`Sessions.ending`)."""
    author: Author
    """Who the caller is, for the audit trail and log."""

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.scopes

    def check_standing(self, said: UserInput | UserPatch) -> None:
        """InsufficientScopeError where scopes or activation are said by one who may not say them."""
        if not self.is_admin and (named := sorted(STANDING & said.model_fields_set)):
            raise InsufficientScopeError(ADMIN, f"Only {ADMIN} may set {' and '.join(named)}.")

    def check_target(self, row: Row) -> None:
        """InsufficientScopeError for one who is no administrator and would change one."""
        if not self.is_admin and ADMIN in row["scopes"]:
            raise InsufficientScopeError(ADMIN, "Only an administrator may change an administrator.")

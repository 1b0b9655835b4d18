"""What provisioning clients may do: change people, but neither administrators nor anybody's scopes."""

from dataclasses import dataclass

from app.core.errors import InsufficientScopeError
from app.users import Authority
from app.users.authority import ADMIN
from models.user import UserInput, UserPatch


@dataclass(frozen=True, slots=True)
class Provisioner(Authority):
    """`users:write`, which may deactivate besides."""

    def check_standing(self, values: UserInput | UserPatch) -> None:
        if "scopes" in values.model_fields_set:
            raise InsufficientScopeError(ADMIN, f"Only {ADMIN} may set scopes.")

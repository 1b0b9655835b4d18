"""Reads a password from a request: plain, or encrypted (JWE)."""

from dataclasses import replace

from pydantic import SecretStr

from app.accounts.auth import Auth
from app.core.errors import FieldError, InvalidError


async def open_password(
    auth: Auth, plain: SecretStr | None, sealed: str | None, *, name: str = "password"
) -> str:
    """The password; InvalidError unless exactly one of both is given."""
    if (plain is None) == (sealed is None):
        raise InvalidError(
            f"Send either {name} or {name}_jwe.",
            errors=(FieldError(pointer=f"/{name}", detail=f"Must be given, or {name}_jwe, but not both."),),
        )
    if plain is not None:
        return plain.get_secret_value()
    try:
        return await auth.password_keys.open(sealed or "")
    except InvalidError as error:
        error.errors = tuple(replace(bad, pointer=f"/{name}_jwe") for bad in error.errors)
        raise

"""Every setting, from the environment or `.env`, prefix `ROSTER_`."""

import ipaddress
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import StartError

KEY_LENGTH = 32
"""Fewest characters of a secret key."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="ROSTER_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    mongo_uri: SecretStr | None = Field(
        default=None,
        description="MongoDB replica set; the database in its path, `roster` without one. "
        "Unset: a private mongod under the data folder.",
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Redis. Unset: a private redis-server under the data folder."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; loopback only.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    data_dir: Path = Field(default=Path(".roster"), description="Where the embedded servers keep their data.")
    secret_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters; seals cursors. Unset: made once and kept in MongoDB.",
    )
    require_if_match: bool = Field(
        default=False, description="Refuse (428) a change of a user that names no version in If-Match."
    )
    cursor_ttl_s: int = Field(default=86_400, ge=1, description="Seconds for which a page cursor is good.")
    query_budget_ms: int = Field(
        default=2_000, ge=1, description="Milliseconds a listing query may take before query_too_expensive."
    )
    count_budget_ms: int = Field(
        default=1_000, ge=1, description="Milliseconds a total may take before it is only a lower bound."
    )
    exports_at_once: int = Field(
        default=8, ge=1, description="Downloads that one process serves at a time; more are answered 503."
    )
    mongo_timeout_ms: int = Field(
        default=5_000, ge=100, description="Milliseconds any MongoDB call may take (PyMongo timeoutMS)."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level."
    )
    log_format: Literal["auto", "json", "pretty"] = Field(
        default="auto", description="`auto`: pretty on a terminal, JSON elsewhere."
    )

    @field_validator("secret_key")
    @classmethod
    def _refuse_weak_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and (
            len(key.get_secret_value()) < KEY_LENGTH or "change" in key.get_secret_value().lower()
        ):
            msg = "ROSTER_SECRET_KEY must be at least 32 random characters: run `openssl rand -hex 32`"
            raise ValueError(msg)
        return key

    @model_validator(mode="after")
    def _refuse_open_listening(self) -> Self:
        if not is_loopback(self.host):
            msg = (
                f"ROSTER_HOST={self.host} would open a directory without sign-in to the network: "
                "set it to 127.0.0.1"
            )
            raise ValueError(msg)
        return self


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(**overrides: Any) -> Settings:
    """Settings from the environment, `.env` and `overrides`; StartError in one sentence if they are wrong."""
    try:
        return Settings(**overrides)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"The file .env cannot be read: {error}.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "ROSTER_" + "_".join(map(str, first["loc"])).upper() if first["loc"] else ""
        message = str(first["msg"]).removeprefix("Value error, ")
        raise StartError(message if message.startswith("ROSTER_") else f"{name}: {message}") from None

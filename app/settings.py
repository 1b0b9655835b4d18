"""Every setting, from the environment or `.env`, prefix `ROSTER_`."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    IPvAnyNetwork,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

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
    host: str = Field(
        default="127.0.0.1", description="Address to listen on; one open to others needs ROSTER_ISSUER."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    data_dir: Path = Field(default=Path(".roster"), description="Where the embedded servers keep their data.")
    secret_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters; seals cursors, refresh tokens and private keys. "
        "Unset: made once and kept in MongoDB.",
    )
    issuer: str | None = Field(
        default=None,
        description="Public https address of this service, the `iss` of its tokens. "
        "Unset: the loopback address it listens on.",
    )
    audience: str = Field(default="roster", min_length=1, description="The `aud` of access tokens.")
    token_algorithm: Literal["EdDSA", "ES256", "RS256"] = Field(
        default="EdDSA", description="Signs access tokens; another one than before makes a new key."
    )
    access_token_ttl_s: int = Field(
        default=600, ge=30, le=3600, description="Seconds for which an access token is good."
    )
    session_idle_ttl_s: int = Field(
        default=7 * 86_400, ge=60, description="Seconds after which a session that is not refreshed ends."
    )
    session_absolute_ttl_s: int = Field(
        default=30 * 86_400, ge=60, description="Seconds after which a session ends, however much it is used."
    )
    sessions_per_user: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Beyond this many a sign-in ends the one unused for longest; 0: any number.",
    )
    refresh_grace_s: int = Field(
        default=10,
        ge=0,
        le=60,
        description="Seconds in which the refresh token just used may be sent again.",
    )
    password_grant: bool = Field(
        default=True, description="Whether POST /auth/token takes passwords (RFC 9700 advises against it)."
    )
    registration: Literal["closed", "invitation", "open"] = Field(
        default="closed", description="Who may call POST /auth/register."
    )
    tries_per_account: int = Field(
        default=5, ge=1, description="Wrong passwords for one account before it has to wait."
    )
    tries_per_address: int = Field(
        default=50,
        ge=1,
        description="Wrong passwords from one address before it has to wait.",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        default=(),
        description="Networks, separated by commas, whose X-Forwarded-For is believed: your reverse proxies.",
    )
    password_threads: int = Field(
        default=0, ge=0, le=64, description="Passwords hashed at a time by one process; 0: one for each core."
    )
    password_queue: int = Field(
        default=256, ge=1, description="Sign-ins that may wait for their turn in one process; more are 503."
    )
    admin_email: str | None = Field(
        default=None, description="Makes the first administrator at the start, with ROSTER_ADMIN_PASSWORD."
    )
    admin_password: SecretStr | None = Field(
        default=None, description="The first administrator's password; take it away once there is one."
    )
    require_if_match: bool = Field(
        default=False, description="Refuse (428) a change of a user that names no version in If-Match."
    )
    cursor_ttl_s: int = Field(default=86_400, ge=1, description="Seconds for which a page cursor is good.")
    audit_ttl_days: int = Field(
        default=365, ge=0, le=20_000, description="Days for which the audit trail is kept; 0 for ever."
    )
    query_budget_ms: int = Field(
        default=2_000, ge=1, description="Milliseconds a listing query may take before query_too_expensive."
    )
    count_budget_ms: int = Field(
        default=1_000, ge=1, description="Milliseconds a total may take before it is only a lower bound."
    )
    exports_at_once: int = Field(
        default=8, ge=1, description="Downloads that one process serves at a time; more are answered 503."
    )
    export_ttl_s: int = Field(
        default=86_400, ge=60, description="Seconds for which the file of an export job can be downloaded."
    )
    import_max_bytes: int = Field(
        default=100 * 1024 * 1024, ge=1, description="Bytes that the file of an import may have."
    )
    imports_at_once: int = Field(
        default=4, ge=1, description="Files that one process receives at a time; more are answered 503."
    )
    import_ttl_s: int = Field(
        default=7 * 86_400, ge=60, description="Seconds for which an import, its rows and its file are kept."
    )
    jobs_inside: bool = Field(
        default=True,
        description="Whether the processes that serve also work on jobs; without it, `python -m app worker`.",
    )
    jobs_at_once: int = Field(default=2, ge=1, le=64, description="Jobs that one process works on at a time.")
    job_lease_s: int = Field(
        default=10,
        ge=2,
        le=600,
        description="Seconds after which another worker takes the job of one that died.",
    )
    job_ttl_s: int = Field(
        default=7 * 86_400, ge=60, description="Seconds for which a job that has ended is remembered."
    )
    listeners_at_once: int = Field(
        default=100, ge=1, description="Listeners to events of jobs in one process; more are answered 503."
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

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, networks: object) -> object:
        if not isinstance(networks, str):
            return networks
        try:
            return _NETWORKS.validate_python([part.strip() for part in networks.split(",") if part.strip()])
        except ValidationError:
            msg = "ROSTER_TRUSTED_PROXIES must be networks separated by commas: 10.0.0.0/8,192.168.1.7, say"
            raise ValueError(msg) from None

    @field_validator("issuer")
    @classmethod
    def _refuse_plain_issuer(cls, issuer: str | None) -> str | None:
        if issuer is not None and not _is_issuer(issuer):
            msg = (
                "ROSTER_ISSUER must be the https address by which others reach Roster, "
                "without a slash at its end: https://users.example.com, say"
            )
            raise ValueError(msg)
        return issuer

    @model_validator(mode="after")
    def _refuse_unnamed_issuer(self) -> Self:
        if not is_loopback(self.host) and self.issuer is None:
            msg = (
                f"ROSTER_HOST={self.host} opens Roster to the network: set ROSTER_ISSUER to the https address"
                " by which others reach it, which its tokens will name"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_odd_lifetimes(self) -> Self:
        if not self.access_token_ttl_s <= self.session_idle_ttl_s <= self.session_absolute_ttl_s:
            msg = (
                "ROSTER_SESSION_IDLE_TTL_S must lie between ROSTER_ACCESS_TOKEN_TTL_S "
                "and ROSTER_SESSION_ABSOLUTE_TTL_S"
            )
            raise ValueError(msg)
        if (self.admin_email is None) != (self.admin_password is None):
            msg = "ROSTER_ADMIN_EMAIL and ROSTER_ADMIN_PASSWORD must be set together"
            raise ValueError(msg)
        return self

    @property
    def issuer_url(self) -> str:
        """What tokens name as their issuer."""
        if self.issuer is not None:
            return self.issuer
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


_BARE = re.compile(r"[^\s?#@]+[^\s?#@/]")
_NETWORKS: TypeAdapter[tuple[IPvAnyNetwork, ...]] = TypeAdapter(tuple[IPvAnyNetwork, ...])


def _is_issuer(text: str) -> bool:
    """RFC 8414, section 2: https, without query or fragment; plain http only where it stays inside."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # half an IPv6 address, or a port that is none
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return is_safe and host != "" and _BARE.fullmatch(text) is not None


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

"""Every setting, from the environment or `.env`, prefix `ROSTER_`."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    Field,
    IPvAnyNetwork,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core import mailboxes
from app.core.errors import StartError

LONGEST_S = 10 * 365 * 86_400
"""Ten years: the most that any lifetime can be set to."""
KEY_LENGTH = 32
"""The fewest characters of a secret key."""
IMPORT_MOST_BYTES = 2**31 - 1
"""The most that `import_max_bytes` can be set to."""
AVATAR_MOST_BYTES = 32 * 1024 * 1024
"""The most that `avatar_max_bytes` can be set to."""
_COLOUR = "^#[0-9a-fA-F]{6}$"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="ROSTER_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    mongo_uri: SecretStr | None = Field(
        default=None,
        max_length=10_000,
        description="MongoDB replica set; the database in its path, `roster` without one. "
        "Unset: a private mongod under the data folder.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        max_length=10_000,
        description="Redis. Unset: a private redis-server under the data folder.",
    )
    files_url: str | None = Field(
        default=None,
        max_length=1_024,
        description="Bucket for pictures and the files of exports and imports, `s3://bucket/prefix`, used "
        "by this directory alone; its keys are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Unset: GridFS.",
    )
    files_store: Literal["gridfs", "s3"] | None = Field(
        default=None,
        description="Where new files go: gridfs or s3. Unset: to the bucket, if ROSTER_FILES_URL names one.",
    )
    files_endpoint: str | None = Field(
        default=None,
        max_length=1_024,
        description="Address of the store that has the bucket: MinIO, Ceph and others than AWS.",
    )
    files_region: str = Field(
        default="us-east-1", pattern="^[a-z0-9-]{1,64}$", description="Region of the bucket."
    )
    files_path_style: bool = Field(
        default=True,
        description="Whether addresses have the bucket in their path; without it, it is the first name of "
        "the host, as Alibaba's and Tencent's stores want it.",
    )
    files_timeout_ms: int = Field(
        default=10_000,
        ge=100,
        le=600_000,
        description="Milliseconds that a call of the bucket's store may take: each sends at most 5 MiB or "
        "reads 1 MiB.",
    )
    files_direct: bool = Field(
        default=False,
        description="Whether clients are sent to the bucket for files of exports, and may upload those of "
        "imports and pictures to it, by URLs that are signed for minutes. They must reach it by https.",
    )
    files_public_endpoint: str | None = Field(
        default=None,
        max_length=1_024,
        description="Address by which clients reach the store, where it is not ROSTER_FILES_ENDPOINT.",
    )
    host: str = Field(
        default="127.0.0.1",
        max_length=255,
        description="Address to listen on; one open to others needs ROSTER_ISSUER.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    data_dir: Path = Field(default=Path(".roster"), description="Where the embedded servers keep their data.")
    secret_key: SecretStr | None = Field(
        default=None,
        max_length=1_024,
        description="At least 32 characters; seals cursors, refresh tokens and private keys. "
        "Unset: made once and kept in MongoDB.",
    )
    issuer: str | None = Field(
        default=None,
        max_length=1_024,
        description="Public https address of this service, the `iss` of its tokens. "
        "Unset: the loopback address it listens on.",
    )
    audience: str = Field(
        default="roster", min_length=1, max_length=256, description="The `aud` of access tokens."
    )
    token_algorithm: Literal["ES256", "RS256", "EdDSA"] | None = Field(
        default=None,
        description="ES256, RS256 or EdDSA signs access tokens; a change makes a new key. "
        "Unset: the algorithm of the newest key, ES256 for the first.",
    )
    access_token_ttl_s: int = Field(
        default=600, ge=30, le=3600, description="Seconds for which an access token is valid."
    )
    session_idle_ttl_s: int = Field(
        default=7 * 86_400,
        ge=60,
        le=LONGEST_S,
        description="Seconds after which a session that is not refreshed ends.",
    )
    session_absolute_ttl_s: int = Field(
        default=30 * 86_400,
        ge=60,
        le=LONGEST_S,
        description="Seconds after which a session ends even if it is used.",
    )
    sessions_per_user: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Sessions that a user may have: one more ends the one unused for longest; 0: any number.",
    )
    refresh_grace_s: int = Field(
        default=10,
        ge=0,
        le=60,
        description="Seconds in which a refresh token that was just used may be sent again.",
    )
    phone_region: str | None = Field(
        default=None,
        description="Country (ISO 3166: `DE`) whose national phone numbers are accepted: 0151 1234567 is "
        "+491511234567 then. Unset: numbers begin with + and their country's code.",
    )
    search_nicknames: bool = Field(
        default=True,
        description="Whether `q` finds Robert by Bob, and Bob by Robert: names by their nicknames.",
    )
    password_grant: bool = Field(
        default=True, description="Whether POST /auth/token accepts passwords (RFC 9700 advises against it)."
    )
    registration: Literal["closed", "invitation", "open"] = Field(
        default="closed", description="Who may call POST /auth/register."
    )
    client_registration: Literal["closed", "token", "open"] = Field(
        default="closed",
        description="Who may register clients at POST /auth/clients (RFC 7591): nobody, those who send an "
        "administrator's access token, or anybody.",
    )
    brand_name: str = Field(
        default="Roster",
        min_length=1,
        max_length=60,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Name that pages and mails for people show.",
    )
    brand_logo: Path | None = Field(
        default=None,
        description="File of the logo that they show in place of the name: SVG, PNG, WebP or JPEG, at most "
        "64 KiB. Unset: none.",
    )
    brand_colour: str = Field(
        default="#1f5fbf",
        pattern=_COLOUR,
        description="Colour of their buttons, `#rrggbb`, on which white text can be read.",
    )
    brand_colour_dark: str | None = Field(
        default=None,
        pattern=_COLOUR,
        description="The same for those who prefer dark pages. Unset: that one, lightened as needed.",
    )
    templates: Path | None = Field(
        default=None,
        description="Folder whose files replace templates of the pages (`sign_in.html`, `style.css`), and in "
        "its folder `mail` those of mails. Unset: none.",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        max_length=10_000,
        description="Mail server: `smtp://user:password@host:587` (STARTTLS, which only loopback need not "
        "offer), `smtps://` (TLS), or `smtp+plain://` (unencrypted, for a relay that nobody listens to). "
        "Unset: mail is off.",
    )
    smtp_connections: int = Field(
        default=4, ge=1, le=64, description="Connections to it that one process sends by at a time."
    )
    smtp_timeout_s: int = Field(
        default=30,
        ge=1,
        le=600,
        description="Seconds that it may take to answer; then the mail is tried again later.",
    )
    mail_from: str | None = Field(
        default=None,
        max_length=1_024,
        description="Whom mails are from: `Roster <roster@example.com>`. Set with ROSTER_SMTP_URL.",
    )
    mail_folder: Path | None = Field(
        default=None,
        description="Folder that mails are written to as `.eml` files instead. Unset: `mail` in the data "
        "folder where MongoDB is the private one and there is no ROSTER_SMTP_URL, else none.",
    )
    mail_notices: Literal["all", "new_device", "sessions_ended", "none"] = Field(
        default="all",
        description="What users with a verified e-mail are told of by themselves: a sign-in from a device or "
        "network that they did not use before, and sign-outs everywhere; one of the two, or none.",
    )
    tries_per_account: int = Field(
        default=5,
        ge=1,
        le=1_000_000,
        description="Wrong passwords for one account, under any of its names, before the next try has to "
        "wait.",
    )
    tries_per_address: int = Field(
        default=50,
        ge=1,
        le=1_000_000,
        description="Wrong passwords from one address before the next try has to wait; as many refused "
        "registrations, weak passwords, wrong secrets of clients, clients that register themselves, mails "
        "that are asked for and wrong codes of mails, each counted separately; 20 times as many "
        "registrations.",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        default=(),
        max_length=1_000,
        description="Networks, separated by commas, whose X-Forwarded-For is trusted: your reverse proxies.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        max_length=1_000,
        description="Names, separated by commas, that requests may name as their host: `*.example.com` for "
        "all below, `*` any. Unset: where it listens on loopback, loopback's and the issuer's; any "
        "elsewhere.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        max_length=1_000,
        description="Origins, separated by commas, whose pages may call it from a browser; `*` for any.",
    )
    compression: bool = Field(
        default=True,
        description="Whether replies are gzipped where the client accepts it; turn it off where a proxy "
        "does it.",
    )
    password_threads: int = Field(
        default=0, ge=0, le=64, description="Passwords hashed at a time by one process; 0: one for each core."
    )
    admin_email: str | None = Field(
        default=None,
        max_length=320,
        description="E-mail of the first administrator, made at the start with ROSTER_ADMIN_PASSWORD.",
    )
    admin_password: SecretStr | None = Field(
        default=None,
        max_length=1_024,
        description="The first administrator's password; remove it once they exist.",
    )
    require_if_match: bool = Field(
        default=False, description="Refuse (428) a change of a user that names no version in If-Match."
    )
    audit_ttl_days: int = Field(
        default=365, ge=0, le=20_000, description="Days for which the audit trail is kept; 0 for ever."
    )
    events_ttl_days: int = Field(
        default=7,
        ge=4,
        le=20_000,
        description="Days for which events are kept for readers that were away, and what became of "
        "deliveries to webhooks; more than the three for which a delivery is tried.",
    )
    scim_per_minute: int = Field(
        default=6_000,
        ge=0,
        le=1_000_000,
        description="Requests by SCIM that one client may make a minute, counted in steps of ten seconds; "
        "0 for any number.",
    )
    webhook_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        default=(),
        max_length=1_000,
        description="Networks, separated by commas, that webhooks may be sent to although they are not "
        "public. Addresses of cloud metadata are refused even so.",
    )
    webhook_timeout_s: int = Field(
        default=15, ge=1, le=60, description="Seconds within which a webhook's receiver must answer."
    )
    query_budget_ms: int = Field(
        default=2_000,
        ge=1,
        le=600_000,
        description="Milliseconds a listing query may take; then the answer is query_too_expensive, or "
        "overloaded where its plan is cheap.",
    )
    count_budget_ms: int = Field(
        default=1_000,
        ge=1,
        le=600_000,
        description="Milliseconds a total may take; after that it is only a lower bound.",
    )
    exports_at_once: int = Field(
        default=8,
        ge=1,
        le=10_000,
        description="Downloads that one process serves at a time; more are answered 503.",
    )
    export_buckets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        max_length=100,
        description="Buckets, each with a prefix or without, that schedules may leave exports in: "
        "`s3://reports/people`, separated by commas, of the store and by the keys of ROSTER_FILES_URL. "
        "Unset: none.",
    )
    export_ttl_s: int = Field(
        default=86_400,
        ge=60,
        le=LONGEST_S,
        description="Seconds for which the file of an export job can be downloaded.",
    )
    import_max_bytes: int = Field(
        default=100 * 1024 * 1024,
        ge=1,
        le=IMPORT_MOST_BYTES,
        description="The most bytes of an import's file.",
    )
    import_ttl_s: int = Field(
        default=7 * 86_400,
        ge=60,
        le=LONGEST_S,
        description="Seconds for which an import, its rows and its file are kept.",
    )
    bulk_max_users: int = Field(
        default=1_000_000,
        ge=1,
        le=100_000_000,
        description="The most users of one bulk change; a filter that finds more is refused.",
    )
    avatar_max_bytes: int = Field(
        default=5 * 1024 * 1024,
        ge=1024,
        le=AVATAR_MOST_BYTES,
        description="The most bytes of a picture that is uploaded.",
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
        default=7 * 86_400,
        ge=60,
        le=LONGEST_S,
        description="Seconds for which a job that has ended is remembered.",
    )
    mongo_timeout_ms: int = Field(
        default=5_000,
        ge=100,
        le=600_000,
        description="Milliseconds any MongoDB call may take (PyMongo timeoutMS), its one retry and the wait "
        "for a primary and a connection included. Without it a frozen primary would hold up each request "
        "for 30 s.",
    )
    stale_reads_s: int = Field(
        default=60,
        ge=0,
        le=3_600,
        description="Seconds by which an answer about users may be old that a secondary gives while the "
        "primary does not answer; 0: there is none until a primary answers.",
    )
    mongo_pool_size: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Connections to each MongoDB node that one process opens at most; an operation that "
        "finds none free waits within ROSTER_MONGO_TIMEOUT_MS. All processes together must stay below the "
        "node's own limit.",
    )
    redis_timeout_ms: int = Field(
        default=500,
        ge=50,
        le=10_000,
        description="Milliseconds any Redis call may take, and also a connection attempt; none is tried "
        "again. Each request makes such a call: while Redis is frozen, all wait as long.",
    )
    request_timeout_s: int = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Seconds a request may take before its reply begins, without the upload of its body; "
        "then it is cancelled and answered 503. No less than an export may need for its first row.",
    )
    keep_alive_s: int = Field(
        default=75,
        ge=1,
        le=86_400,
        description="Seconds for which an idle connection of a client is kept. Longer than a proxy in front "
        "keeps its own (nginx: 60), or it sends a request into a connection that is being closed.",
    )
    stop_delay_s: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Seconds for which a process that is told to stop still takes connections, while "
        "/health/ready is 503 already: as long as a balancer takes to notice. Then ROSTER_STOP_GRACE_S "
        "begins.",
    )
    stop_grace_s: int = Field(
        default=25,
        ge=1,
        le=86_400,
        description="Seconds in which requests and downloads must end when the process is told to stop. "
        "Less than its supervisor waits before killing it (compose and Kubernetes: 30).",
    )
    start_wait_s: int = Field(
        default=30,
        ge=0,
        le=86_400,
        description="Seconds for which `serve` waits for MongoDB and Redis to answer.",
    )
    metrics_port: int | None = Field(
        default=None, ge=0, le=65535, description="Port at which Prometheus fetches metrics. Unset: none."
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        max_length=255,
        description="Address of that port; everyone who can reach it can read all metrics.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level that is logged."
    )
    log_format: Literal["auto", "json", "pretty"] = Field(
        default="auto", description="`auto`: pretty on a terminal, JSON elsewhere."
    )
    log_file: Path | None = Field(
        default=None, description="A file that also gets all lines, renamed when it is full. Unset: none."
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

    @field_validator("files_url")
    @classmethod
    def _refuse_odd_bucket(cls, url: str | None) -> str | None:
        if url is not None and not _BUCKET.fullmatch(url):
            msg = (
                "ROSTER_FILES_URL must be the bucket and a prefix, such as s3://bucket/roster; its keys "
                "are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
            raise ValueError(msg)
        return url

    @field_validator("files_endpoint", "files_public_endpoint")
    @classmethod
    def _refuse_odd_endpoint(cls, endpoint: str | None, info: ValidationInfo) -> str | None:
        if endpoint is not None and not _is_endpoint(endpoint):
            msg = (
                f"ROSTER_{str(info.field_name).upper()} must be the address of the store without the bucket, "
                "such as https://minio.example.com:9000"
            )
            raise ValueError(msg)
        return endpoint

    @field_validator("export_buckets", mode="before")
    @classmethod
    def _refuse_odd_buckets(cls, places: object) -> object:
        found = _split_names(places)
        if not all(_BUCKET.fullmatch(place) for place in found):
            msg = (
                "ROSTER_EXPORT_BUCKETS must be buckets, each with a prefix or without, separated by commas, "
                "such as s3://reports/people"
            )
            raise ValueError(msg)
        return tuple(place.rstrip("/") for place in found)

    @field_validator("port", mode="before")
    @classmethod
    def _refuse_link(cls, port: object) -> object:
        if isinstance(port, str) and "://" in port:
            msg = (
                "ROSTER_PORT is what Kubernetes sets for a service named roster: set enableServiceLinks: "
                "false for the pod, or rename the service"
            )
            raise ValueError(msg)
        return port

    @field_validator("phone_region")
    @classmethod
    def _refuse_unknown_region(cls, region: str | None) -> str | None:
        if region is not None and region.upper() not in SUPPORTED_REGIONS:
            msg = "ROSTER_PHONE_REGION must be the two-letter code of a country (ISO 3166), such as DE"
            raise ValueError(msg)
        return region and region.upper()

    @field_validator("trusted_proxies", "webhook_networks", mode="before")
    @classmethod
    def _split(cls, networks: object, about: ValidationInfo) -> object:
        if not isinstance(networks, str):
            return networks
        try:
            return _NETWORKS.validate_python([part.strip() for part in networks.split(",") if part.strip()])
        except ValidationError:
            name = f"ROSTER_{about.field_name}".upper()
            msg = f"{name} must be networks separated by commas, such as 10.0.0.0/8,192.168.1.7"
            raise ValueError(msg) from None

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _refuse_odd_hosts(cls, names: object) -> object:
        found = _split_names(names)
        if not all(_HOST.fullmatch(name) for name in found):
            msg = (
                "ROSTER_ALLOWED_HOSTS must be names without scheme and port, separated by commas, such as "
                "users.example.com,*.internal"
            )
            raise ValueError(msg)
        return tuple(name.lower() for name in found)

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _refuse_odd_origins(cls, origins: object) -> object:
        found = _split_names(origins)
        if not all(_ORIGIN.fullmatch(origin) for origin in found):
            msg = (
                "ROSTER_CORS_ORIGINS must be origins as browsers send them, separated by commas, such as "
                "https://app.example.com,http://localhost:3000"
            )
            raise ValueError(msg)
        return tuple(origin.lower() for origin in found)

    @field_validator("issuer")
    @classmethod
    def _refuse_plain_issuer(cls, issuer: str | None) -> str | None:
        if issuer is not None and not _is_issuer(issuer):
            msg = (
                "ROSTER_ISSUER must be the https address by which others reach Roster, "
                "without a slash at its end, such as https://users.example.com"
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

    @field_validator("mail_from")
    @classmethod
    def _refuse_odd_sender(cls, sender: str | None) -> str | None:
        try:
            mailboxes.read(sender or "roster@localhost")
        except ValueError:
            msg = (
                "ROSTER_MAIL_FROM must be one address in ASCII, with or without a name, such as "
                "Roster <roster@example.com>"
            )
            raise ValueError(msg) from None
        return sender

    @model_validator(mode="after")
    def _refuse_no_bucket(self) -> Self:
        if self.files_store == "s3" and self.files_url is None:
            msg = "ROSTER_FILES_STORE=s3 needs ROSTER_FILES_URL: set the bucket, such as s3://bucket/roster"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_bucket_before_address(self) -> Self:
        if not self.files_path_style and _is_address(urlsplit(self.files_endpoint or "").hostname or ""):
            msg = (
                "ROSTER_FILES_PATH_STYLE=false puts the bucket before the host's name: give "
                "ROSTER_FILES_ENDPOINT a name, no address"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_exports_among_files(self) -> Self:
        ours = f"{(self.files_url or '').rstrip('/')}/"
        for place in self.export_buckets:
            if ours.startswith(f"{place}/") or f"{place}/".startswith(ours):
                msg = f"ROSTER_EXPORT_BUCKETS must leave out what is in or around ROSTER_FILES_URL: {place}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_unsafe_urls(self) -> Self:
        if not self.files_direct:
            return self
        if self.files_url is None:
            msg = "ROSTER_FILES_DIRECT needs ROSTER_FILES_URL: set the bucket, such as s3://bucket/roster"
            raise ValueError(msg)
        address = urlsplit(self.files_public_endpoint or self.files_endpoint or "https:")
        if address.scheme != "https" and not is_loopback(address.hostname or ""):
            msg = (
                "ROSTER_FILES_DIRECT needs a store that clients reach by https: set "
                "ROSTER_FILES_PUBLIC_ENDPOINT to that address"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_half_a_mail_server(self) -> Self:
        if self.smtp_url is not None and self.mail_from is None:
            msg = (
                "ROSTER_SMTP_URL needs ROSTER_MAIL_FROM: set whom mails are from, Roster <roster@example.com>"
            )
            raise ValueError(msg)
        if self.smtp_url is not None and self.mail_folder is not None:
            msg = "ROSTER_SMTP_URL sends mails and ROSTER_MAIL_FOLDER writes them to files: set one of them"
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
        """The issuer that tokens name."""
        if self.issuer is not None:
            return self.issuer
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")
_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9_.-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.{1,2}(/|$))[A-Za-z0-9_.=-]+)*/?")
_ENDPOINT = re.compile(r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
_BARE = re.compile(r"[^\s?#@]+[^\s?#@/]")
_NETWORKS: TypeAdapter[tuple[IPvAnyNetwork, ...]] = TypeAdapter(tuple[IPvAnyNetwork, ...])


def _split_names(names: object) -> tuple[str, ...]:
    """The names of a text with commas, or of a sequence."""
    parts = names.split(",") if isinstance(names, str) else names if isinstance(names, list | tuple) else ()
    return tuple(part for name in parts if (part := str(name).strip()))


def _is_issuer(text: str) -> bool:
    """RFC 8414, section 2: https, without query or fragment; plain http only where it stays inside."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # half an IPv6 address, or a port that is none
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return is_safe and host != "" and _BARE.fullmatch(text) is not None


def _is_endpoint(text: str) -> bool:
    try:
        _ = urlsplit(text).port
    except ValueError:  # as in _is_issuer
        return False
    return _ENDPOINT.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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

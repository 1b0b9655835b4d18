import json
import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from app.commands import unknown_settings
from app.core import settings
from app.core.errors import StartError
from app.core.settings import Settings, is_loopback
from app.monitoring import logs

KEY = "7c1e0b55a1f24f6b9d0e3c2a8f7b6d5e"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine, and no `.env` but the test's own."""
    for name in [name for name in os.environ if name.startswith("ROSTER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal(**overrides: object) -> str:
    with pytest.raises(StartError) as refused:
        settings.load(**overrides)
    return str(refused.value)


DEFAULTS: dict[str, object] = {
    "mongo_uri": None,
    "redis_url": None,
    "files_url": None,
    "files_store": None,
    "files_endpoint": None,
    "files_region": "us-east-1",
    "files_path_style": True,
    "files_timeout_ms": 10_000,
    "files_direct": False,
    "files_public_endpoint": None,
    "host": "127.0.0.1",
    "port": 8000,
    "data_dir": Path(".roster"),
    "secret_key": None,
    "issuer": None,
    "audience": "roster",
    "token_algorithm": None,
    "access_token_ttl_s": 600,
    "session_idle_ttl_s": 604_800,
    "session_absolute_ttl_s": 2_592_000,
    "sessions_per_user": 0,
    "refresh_grace_s": 10,
    "phone_region": None,
    "search_nicknames": True,
    "password_grant": True,
    "registration": "closed",
    "client_registration": "closed",
    "brand_name": "Roster",
    "brand_logo": None,
    "brand_colour": "#1f5fbf",
    "brand_colour_dark": None,
    "templates": None,
    "smtp_url": None,
    "smtp_connections": 4,
    "smtp_timeout_s": 30,
    "mail_from": None,
    "mail_folder": None,
    "mail_notices": "all",
    "tries_per_account": 5,
    "tries_per_address": 50,
    "trusted_proxies": (),
    "allowed_hosts": (),
    "cors_origins": (),
    "compression": True,
    "password_threads": 0,
    "admin_email": None,
    "admin_password": None,
    "require_if_match": False,
    "audit_ttl_days": 365,
    "events_ttl_days": 7,
    "scim_per_minute": 6_000,
    "webhook_networks": (),
    "webhook_timeout_s": 15,
    "query_budget_ms": 2_000,
    "count_budget_ms": 1_000,
    "exports_at_once": 8,
    "export_buckets": (),
    "export_ttl_s": 86_400,
    "import_max_bytes": 104_857_600,
    "avatar_max_bytes": 5_242_880,
    "import_ttl_s": 604_800,
    "bulk_max_users": 1_000_000,
    "jobs_inside": True,
    "jobs_at_once": 2,
    "job_lease_s": 10,
    "job_ttl_s": 604_800,
    "mongo_timeout_ms": 5_000,
    "stale_reads_s": 60,
    "start_wait_s": 30,
    "metrics_port": None,
    "metrics_host": "127.0.0.1",
    "mongo_pool_size": 100,
    "redis_timeout_ms": 500,
    "request_timeout_s": 60,
    "keep_alive_s": 75,
    "stop_delay_s": 0,
    "stop_grace_s": 25,
    "log_level": "info",
    "log_format": "auto",
    "log_file": None,
}


def test_nothing_needs_to_be_set() -> None:
    assert settings.load().model_dump() == DEFAULTS


@pytest.mark.parametrize(("said", "region"), [("DE", "DE"), ("it", "IT")])
def test_a_country_is_known_by_its_two_letters(said: str, region: str) -> None:
    assert settings.load(phone_region=said).phone_region == region


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "bucket",
            "https://bucket",
            "s3://key:secret@bucket",
            "s3://Bucket",
            "s3://bucket//x",
            "s3://b?x=1",
        ),
        *("s3://bucket/..", "s3://bucket/./x"),
    ],
)
def test_a_bucket_is_named_by_itself_and_a_prefix(url: str) -> None:
    assert refusal(files_url=url) == (
        "ROSTER_FILES_URL must be the bucket and a prefix, such as s3://bucket/roster; its keys "
        "are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )
    assert settings.load(files_url="s3://people-files/a/b").files_url == "s3://people-files/a/b"


def test_files_go_to_a_bucket_where_one_is_named() -> None:
    assert refusal(files_store="s3") == (
        "ROSTER_FILES_STORE=s3 needs ROSTER_FILES_URL: set the bucket, such as s3://bucket/roster"
    )
    assert settings.load(files_store="gridfs", files_url="s3://bucket").files_store == "gridfs"


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "minio:9000", "s3://minio", "https://a:b@minio", "https://minio/bucket"),
        *("https://minio:99999", "http://[::1:9000", "http://[1::2::3]"),
    ],
)
def test_the_store_of_a_bucket_has_an_address_without_the_bucket(endpoint: str) -> None:
    for name in ("files_endpoint", "files_public_endpoint"):
        assert refusal(**{name: endpoint}) == (
            f"ROSTER_{name.upper()} must be the address of the store without the bucket, such as "
            "https://minio.example.com:9000"
        )
    assert settings.load(files_endpoint="http://[::1]:9000").files_endpoint == "http://[::1]:9000"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "https://[::1]"])
def test_a_bucket_stands_before_no_address(endpoint: str) -> None:
    assert refusal(files_endpoint=endpoint, files_path_style=False) == (
        "ROSTER_FILES_PATH_STYLE=false puts the bucket before the host's name: give ROSTER_FILES_ENDPOINT a "
        "name, no address"
    )
    assert not settings.load(files_endpoint="https://a.b", files_path_style=False).files_path_style


@pytest.mark.parametrize("place", ["reports", "https://reports", "s3://reports//x", "s3://a:b@reports"])
def test_exports_are_left_in_buckets_that_are_named(place: str) -> None:
    assert refusal(export_buckets=f"s3://good, {place}") == (
        "ROSTER_EXPORT_BUCKETS must be buckets, each with a prefix or without, separated by commas, such as "
        "s3://reports/people"
    )
    loaded = settings.load(export_buckets="s3://reports/people/, s3://other", files_url="s3://files/x")
    assert loaded.export_buckets == ("s3://reports/people", "s3://other")


@pytest.mark.parametrize("place", ["s3://files", "s3://files/roster", "s3://files/roster/exports"])
def test_exports_are_not_left_among_our_files(place: str) -> None:
    assert refusal(export_buckets=place, files_url="s3://files/roster/") == (
        f"ROSTER_EXPORT_BUCKETS must leave out what is in or around ROSTER_FILES_URL: {place}"
    )
    assert settings.load(export_buckets="s3://files/rosters", files_url="s3://files/roster").export_buckets


def test_clients_are_sent_to_a_bucket_only_by_https() -> None:
    assert refusal(files_direct=True) == (
        "ROSTER_FILES_DIRECT needs ROSTER_FILES_URL: set the bucket, such as s3://bucket/roster"
    )
    inside = {"files_direct": True, "files_url": "s3://bucket", "files_endpoint": "http://minio:9000"}
    for outside in (None, "http://files.example.com"):
        assert refusal(**inside, files_public_endpoint=outside) == (
            "ROSTER_FILES_DIRECT needs a store that clients reach by https: set "
            "ROSTER_FILES_PUBLIC_ENDPOINT to that address"
        )
    assert settings.load(**inside, files_public_endpoint="https://files.example.com").files_direct
    for endpoint in (None, "https://minio.example.com", "http://127.0.0.1:9000"):
        assert settings.load(**inside | {"files_endpoint": endpoint}).files_direct


@pytest.mark.parametrize("region", ["UK", "Germany", "49", "D E"])
def test_no_other_is_the_region_of_phone_numbers(region: str) -> None:
    assert refusal(phone_region=region) == (
        "ROSTER_PHONE_REGION must be the two-letter code of a country (ISO 3166), such as DE"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_listened_on(host: str) -> None:
    assert settings.load(host=host).host == host
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "example.com", "localhost.example.com", "", "127.0.0.1.eu"],  # noqa: S104
)  # fmt: skip
def test_an_address_open_to_others_needs_the_one_by_which_they_reach_it(host: str) -> None:
    assert refusal(host=host) == (
        f"ROSTER_HOST={host} opens Roster to the network: set ROSTER_ISSUER to the https address"
        " by which others reach it, which its tokens will name"
    )
    assert settings.load(host=host, issuer="https://users.example.com").host == host


def test_an_open_host_in_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_HOST", "0.0.0.0")  # noqa: S104 - to be refused
    assert refusal().startswith("ROSTER_HOST=0.0.0.0 opens Roster to the network")
    monkeypatch.setenv("ROSTER_ISSUER", "")
    assert refusal().startswith("ROSTER_HOST=0.0.0.0 opens Roster to the network")


def test_names_and_origins_stand_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_ALLOWED_HOSTS", "Users.example.com, *.internal,[::1],")
    monkeypatch.setenv("ROSTER_CORS_ORIGINS", "https://App.example.com,http://localhost:3000")
    loaded = settings.load()
    assert loaded.allowed_hosts == ("users.example.com", "*.internal", "[::1]")
    assert loaded.cors_origins == ("https://app.example.com", "http://localhost:3000")


@pytest.mark.parametrize(
    "name", ["https://users.example.com", "users.example.com:8000", "a b", "*users", "*."]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    assert refusal(allowed_hosts=name).startswith(
        "ROSTER_ALLOWED_HOSTS must be names without scheme and port"
    )


@pytest.mark.parametrize(
    "origin", ["app.example.com", "https://app.example.com/", "null", "https://*.example.com"]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    assert refusal(cors_origins=origin).startswith(
        "ROSTER_CORS_ORIGINS must be origins as browsers send them"
    )


@pytest.mark.parametrize(
    "issuer",
    [
        "https://users.example.com",
        "https://users.example.com:8443",
        "https://example.com/users",
        "https://[2001:db8::7]:8443",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
def test_tokens_name_the_issuer_as_it_is_set(issuer: str) -> None:
    assert settings.load(issuer=issuer).issuer_url == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "http://users.example.com",
        "http://10.0.0.7:8000",
        "http://localhost.example.com",
        "https://users.example.com/",
        "https://example.com/users/",
        "https://users.example.com?tenant=1",
        "https://users.example.com?",
        "https://users.example.com#top",
        "https://users.example.com#",
        "https://ana:secret@users.example.com",
        "https://users.example.com:port",
        "https://users.example.com:70000",
        "https://users .example.com",
        "https://users.example.com\n",
        "https://[::1",
        "https://",
        "https:///users",
        "users.example.com",
        "ftp://users.example.com",
        "",
    ],
)
def test_an_issuer_that_others_could_not_trust_is_refused(issuer: str) -> None:
    assert refusal(issuer=issuer) == (
        "ROSTER_ISSUER must be the https address by which others reach Roster, "
        "without a slash at its end, such as https://users.example.com"
    )


@pytest.mark.parametrize(
    ("listening", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "localhost", "port": 8001}, "http://localhost:8001"),
        ({"host": "::1"}, "http://[::1]:8000"),
    ],
)
def test_without_an_issuer_tokens_name_the_address_listened_on(
    listening: dict[str, object], url: str
) -> None:
    assert settings.load(**listening).issuer_url == url


def test_tokens_are_for_somebody() -> None:
    assert refusal(audience="").startswith("ROSTER_AUDIENCE: ")


@pytest.mark.parametrize(
    ("said", "networks"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("10.0.0.0/8,192.168.1.7", ["10.0.0.0/8", "192.168.1.7/32"]),
        (" 2001:db8::/32 , ::1 ,", ["2001:db8::/32", "::1/128"]),
        ("", []),
        (",", []),
    ],
)
def test_trusted_proxies_are_networks_between_commas(
    monkeypatch: pytest.MonkeyPatch, said: str, networks: list[str]
) -> None:
    monkeypatch.setenv("ROSTER_TRUSTED_PROXIES", said)
    assert settings.load().trusted_proxies == tuple(map(ip_network, networks))


@pytest.mark.parametrize("said", ["10.0.0.1/8", "proxy.example.com", "10.0.0.0/8;10.1.0.0/16", "*", "all"])
def test_what_names_no_network_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("ROSTER_TRUSTED_PROXIES", said)
    assert refusal() == (
        "ROSTER_TRUSTED_PROXIES must be networks separated by commas, such as 10.0.0.0/8,192.168.1.7"
    )


@pytest.mark.parametrize(("token", "idle", "absolute"), [(60, 60, 60), (30, 60, 61), (600, 700, 800)])
def test_lifetimes_in_their_order_are_taken(token: int, idle: int, absolute: int) -> None:
    loaded = settings.load(access_token_ttl_s=token, session_idle_ttl_s=idle, session_absolute_ttl_s=absolute)
    assert (loaded.access_token_ttl_s, loaded.session_idle_ttl_s) == (token, idle)


@pytest.mark.parametrize(
    "lifetimes",
    [
        {"session_idle_ttl_s": 599},
        {"session_idle_ttl_s": 2_592_001},
        {"session_absolute_ttl_s": 604_799},
        {"access_token_ttl_s": 3600, "session_idle_ttl_s": 3599},
    ],
)
def test_lifetimes_out_of_order_are_refused(lifetimes: dict[str, int]) -> None:
    assert refusal(**lifetimes) == (
        "ROSTER_SESSION_IDLE_TTL_S must lie between ROSTER_ACCESS_TOKEN_TTL_S "
        "and ROSTER_SESSION_ABSOLUTE_TTL_S"
    )


@pytest.mark.parametrize(
    "half", [{"admin_email": "ana@example.com"}, {"admin_password": "correct horse battery"}]
)
def test_half_an_administrator_is_refused_without_being_shown(half: dict[str, str]) -> None:
    assert refusal(**half) == "ROSTER_ADMIN_EMAIL and ROSTER_ADMIN_PASSWORD must be set together"


@pytest.mark.parametrize(
    "key", ["short", "k" * 31, "change-me-change-me-change-me-change-me", "CHANGEME" * 5]
)
def test_a_weak_or_default_key_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("ROSTER_SECRET_KEY", key)
    sentence = refusal()
    assert sentence == ("ROSTER_SECRET_KEY must be at least 32 random characters: run `openssl rand -hex 32`")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ROSTER_PORT", "http", "integer"),
        ("ROSTER_PORT", "65536", "65535"),
        ("ROSTER_PORT", "-1", "0"),
        ("ROSTER_REQUIRE_IF_MATCH", "perhaps", "boolean"),
        ("ROSTER_QUERY_BUDGET_MS", "0", "1"),
        ("ROSTER_COUNT_BUDGET_MS", "x", "integer"),
        ("ROSTER_MONGO_TIMEOUT_MS", "99", "100"),
        ("ROSTER_MONGO_POOL_SIZE", "0", "1"),
        ("ROSTER_REDIS_TIMEOUT_MS", "49", "50"),
        ("ROSTER_REQUEST_TIMEOUT_S", "0", "1"),
        ("ROSTER_KEEP_ALIVE_S", "0", "1"),
        ("ROSTER_STOP_DELAY_S", "-1", "0"),
        ("ROSTER_STOP_GRACE_S", "0", "1"),
        ("ROSTER_ACCESS_TOKEN_TTL_S", "29", "30"),
        ("ROSTER_ACCESS_TOKEN_TTL_S", "3601", "3600"),
        ("ROSTER_SESSION_IDLE_TTL_S", "59", "60"),
        ("ROSTER_SESSION_ABSOLUTE_TTL_S", "59", "60"),
        ("ROSTER_SESSIONS_PER_USER", "-1", "0"),
        ("ROSTER_SESSIONS_PER_USER", "1001", "1000"),
        ("ROSTER_REFRESH_GRACE_S", "61", "60"),
        ("ROSTER_PASSWORD_GRANT", "perhaps", "boolean"),
        ("ROSTER_PASSWORD_THREADS", "65", "64"),
        ("ROSTER_REGISTRATION", "all", "'invitation'"),
        ("ROSTER_BRAND_COLOUR", "red", "match"),
        ("ROSTER_BRAND_COLOUR_DARK", "#fff", "match"),
        ("ROSTER_BRAND_NAME", "R" * 61, "60"),
        ("ROSTER_BRAND_NAME", "Acme\nBcc: eve@example.com", "match"),
        ("ROSTER_TOKEN_ALGORITHM", "HS256", "'ES256'"),
        ("ROSTER_TRIES_PER_ACCOUNT", "0", "1"),
        ("ROSTER_TRIES_PER_ADDRESS", "0", "1"),
        ("ROSTER_EXPORTS_AT_ONCE", "0", "1"),
        ("ROSTER_LOG_LEVEL", "loud", "'info'"),
        ("ROSTER_LOG_FORMAT", "xml", "'json'"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    sentence = refusal()
    assert sentence.startswith(f"{name}: ")
    assert words in sentence
    assert "\n" not in sentence


def test_the_environment_goes_before_the_file_and_the_command_line_before_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\nROSTER_PORT=8001\nROSTER_REQUIRE_IF_MATCH=true\nROSTER_HOST='::1'\nROSTER_NEW=1\n"
    )
    assert settings.load().port == 8001
    monkeypatch.setenv("ROSTER_PORT", "8002")
    loaded = settings.load()
    assert (loaded.port, loaded.require_if_match, loaded.host) == (8002, True, "::1")
    assert settings.load(port=8003).port == 8003


def test_only_names_with_the_prefix_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9")
    monkeypatch.setenv("MONGO_URI", "mongodb://elsewhere")
    loaded = settings.load()
    assert (loaded.port, loaded.mongo_uri) == (8000, None)


def test_no_secret_shows_in_what_is_printed_or_dumped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_SECRET_KEY", KEY)
    monkeypatch.setenv("ROSTER_MONGO_URI", "mongodb://ana:hunter2@db.example:27017/roster")
    monkeypatch.setenv("ROSTER_REDIS_URL", "redis://:hunter2@cache.example:6379/0")
    monkeypatch.setenv("ROSTER_ADMIN_EMAIL", "ana@example.com")
    monkeypatch.setenv("ROSTER_ADMIN_PASSWORD", "hunter2")
    loaded = settings.load(port=8001)
    assert loaded.secret_key is not None
    assert loaded.secret_key.get_secret_value() == KEY
    for shown in (repr(loaded), str(loaded), repr(loaded.model_dump()), loaded.model_dump_json()):
        assert KEY not in shown
        assert "hunter2" not in shown


def test_settings_do_not_change_once_loaded() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings(_env_file=None).port = 1  # type: ignore[misc]  # what it must refuse


NUMBERS = sorted(
    name for name, field in Settings.model_fields.items() if field.annotation in {int, int | None}
)
LISTS = ("allowed_hosts", "cors_origins", "export_buckets", "trusted_proxies", "webhook_networks")
TEXTS = (
    "admin_email",
    "admin_password",
    "audience",
    "brand_name",
    "files_endpoint",
    "files_public_endpoint",
    "files_url",
    "host",
    "issuer",
    "mail_from",
    "metrics_host",
    "mongo_uri",
    "redis_url",
    "smtp_url",
)
CHOICES = {bool, Path, Path | None}


def test_no_setting_is_neither_bounded_nor_a_choice() -> None:
    own = {
        "secret_key",
        "files_region",
        "phone_region",
        "brand_colour",
        "brand_colour_dark",
    }  # by a rule: see their tests
    others = Settings.model_fields.keys() - {*NUMBERS, *TEXTS, *LISTS, *own}
    kinds = {name: Settings.model_fields[name].annotation for name in others}
    assert all(kind in CHOICES or "Literal" in str(kind) for kind in kinds.values()), kinds


def bound(name: str, kind: str) -> Any:
    """The upper bound of a setting; AttributeError where it has none."""
    (found,) = (
        getattr(limit, kind) for limit in Settings.model_fields[name].metadata if hasattr(limit, kind)
    )
    return found


LIFETIMES = {"session_idle_ttl_s": settings.LONGEST_S, "session_absolute_ttl_s": settings.LONGEST_S}
"""Which depend on each other."""


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_an_upper_bound_which_is_taken_and_no_more(name: str) -> None:
    most = bound(name, "le")
    assert getattr(settings.load(**LIFETIMES | {name: most}), name) == most
    assert refusal(**{name: most + 1}) == (
        f"ROSTER_{name.upper()}: Input should be less than or equal to {most}"
    )


@pytest.mark.parametrize("name", [*TEXTS, *LISTS, "secret_key"])
def test_every_text_has_an_upper_bound_and_is_not_repeated_where_it_is_over_it(name: str) -> None:
    most = bound(name, "max_length")
    too_long = ",".join(["10.0.0.0/8"] * (most + 1)) if LISTS[-2:].count(name) else "x" * (most + 1)
    said = refusal(**{name: ",".join("x" * (most + 1)) if name in LISTS[:2] else too_long})
    assert said.startswith(f"ROSTER_{name.upper()}"), said
    assert "xxx" not in said


def test_the_port_that_kubernetes_sets_for_a_service_named_roster_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROSTER_PORT", "tcp://10.96.0.12:8000")
    assert refusal().startswith("ROSTER_PORT is what Kubernetes sets for a service named roster: set")


def test_a_mistyped_name_is_warned_of_with_the_one_that_was_meant_and_its_value_is_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(settings.load(log_format="json"))
    monkeypatch.setenv("ROSTER_MONGO_URL", "mongodb://ana:secret-word@h/roster")
    monkeypatch.setenv("ROSTER_PORT_8000_TCP_ADDR", "10.96.0.12")
    monkeypatch.setenv("ROSTER_LOG_LEVEL", "info")
    Path(".env").write_text("roster_session_ttl_s=60\nMONGO_ROOT_PASSWORD=x\nROSTER_ZZZ=1\n")
    unknown_settings.tell()
    written = capsys.readouterr().err
    found = [(line["name"], line.get("did_you_mean")) for line in map(json.loads, written.splitlines())]
    assert found == [
        ("ROSTER_MONGO_URL", "ROSTER_MONGO_URI"),
        ("ROSTER_SESSION_TTL_S", "ROSTER_SESSION_IDLE_TTL_S"),
        ("ROSTER_ZZZ", None),
    ]
    assert "secret-word" not in written


def test_a_setting_of_an_earlier_release_is_named_and_keeps_nothing_from_starting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROSTER_CURSOR_TTL_S", "-1")
    Path(".env").write_text("ROSTER_PASSWORD_QUEUE=lots\n")
    logs.set_up(settings.load(log_format="json"))
    unknown_settings.tell()
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"], line["name"]) for line in found] == [
        ("removed_setting", "warning", "ROSTER_CURSOR_TTL_S"),
        ("removed_setting", "warning", "ROSTER_PASSWORD_QUEUE"),
    ]

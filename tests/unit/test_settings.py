import os
from pathlib import Path

import pytest

from app import settings
from app.errors import StartError
from app.settings import Settings, is_loopback

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


def test_nothing_needs_to_be_set() -> None:
    loaded = settings.load()
    assert loaded.mongo_uri is loaded.redis_url is loaded.secret_key is None
    assert (loaded.host, loaded.port, loaded.data_dir) == ("127.0.0.1", 8000, Path(".roster"))
    assert loaded.require_if_match is False


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_listened_on(host: str) -> None:
    assert settings.load(host=host).host == host
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "example.com", "localhost.example.com", "", "127.0.0.1.eu"],  # noqa: S104
)  # fmt: skip
def test_without_sign_in_no_other_address_is_listened_on(host: str) -> None:
    sentence = refusal(host=host)
    assert sentence == (
        f"ROSTER_HOST={host} would open a directory without sign-in to the network: set it to 127.0.0.1"
    )


def test_an_open_host_in_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_HOST", "0.0.0.0")  # noqa: S104 - to be refused
    assert refusal().startswith("ROSTER_HOST=0.0.0.0 would open")


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
        ("ROSTER_CURSOR_TTL_S", "0", "1"),
        ("ROSTER_QUERY_BUDGET_MS", "0", "1"),
        ("ROSTER_COUNT_BUDGET_MS", "x", "integer"),
        ("ROSTER_MONGO_TIMEOUT_MS", "99", "100"),
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
    loaded = settings.load(port=8001)
    assert loaded.secret_key is not None
    assert loaded.secret_key.get_secret_value() == KEY
    for shown in (repr(loaded), str(loaded), repr(loaded.model_dump()), loaded.model_dump_json()):
        assert KEY not in shown
        assert "hunter2" not in shown


def test_settings_do_not_change_once_loaded() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings(_env_file=None).port = 1  # type: ignore[misc]  # what it must refuse

import hashlib
import json
from typing import Any, get_args

import pytest

from app import audit
from app.monitoring import logs


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_sign_in_is_one_line_that_names_the_session_by_a_hash(capsys: pytest.CaptureFixture[str]) -> None:
    audit.log.record("signed_in", user_id="65f0", sid="s1", client_id="web", address="203.0.113.9", grants=2)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "event": "signed_in",
        "level": "info",
        "logger": "roster.auth",
        "user_id": "65f0",
        "session": hashlib.sha256(b"s1").hexdigest()[:16],
        "client_id": "web",
        "address": "203.0.113.9",
        "grants": 2,
    }


def test_what_is_not_known_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    audit.log.record("signed_out", reason=None, by=None)
    (line,) = lines(capsys)
    assert line.keys() == {"event", "level", "logger", "timestamp"}


def test_a_forged_session_id_of_any_text_is_hashed_like_others(capsys: pytest.CaptureFixture[str]) -> None:
    audit.log.record("refresh_refused", sid="\ud800\r\n")
    assert len(lines(capsys)[0]["session"]) == 16


@pytest.mark.parametrize("event", get_args(audit.log.Success))
def test_what_was_let_happen_is_info(event: audit.log.Success, capsys: pytest.CaptureFixture[str]) -> None:
    audit.log.record(event)
    assert [(line["event"], line["level"]) for line in lines(capsys)] == [(event, "info")]


@pytest.mark.parametrize("event", get_args(audit.log.Denial))
def test_what_was_refused_is_a_warning(event: audit.log.Denial, capsys: pytest.CaptureFixture[str]) -> None:
    audit.log.record(event, reason="unknown_user")
    assert [(line["event"], line["level"], line["reason"]) for line in lines(capsys)] == [
        (event, "warning", "unknown_user")
    ]


def test_the_line_carries_the_id_of_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    token = logs.REQUEST_ID.set("abc")
    try:
        audit.log.record("registered", user_id="65f0")
    finally:
        logs.REQUEST_ID.reset(token)
    assert lines(capsys)[0]["request_id"] == "abc"


def test_an_e_mail_or_password_handed_in_by_mistake_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    audit.log.record(
        "sign_in_failed", reason="no user canary@example.com", password="canary-1", token="canary-2"
    )
    audit.log.record(
        "sign_in_failed", reason="C@nary#3", address="canary@example.com", who=["canary@b.example"]
    )
    first, second = lines(capsys)
    assert (first["reason"], first["password"], first["token"]) == ("no user ***", "***", "***")
    assert (second["reason"], second["address"], second["who"]) == ("***", "***", ["***"])


@pytest.mark.parametrize("layout", ["json", "pretty"])
def test_no_value_can_forge_a_second_line(layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", layout)
    evil = "x\r\n{'event': 'signed_in'}\n\u2028\x1b[2J"
    audit.log.record("sign_in_failed", client_id=evil, address=evil, reason=evil, user_id=evil)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert not set(written) & set("\r\u2028")
    assert "\x1b[2J" not in written

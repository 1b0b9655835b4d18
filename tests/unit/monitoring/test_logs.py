import json
import logging
import warnings
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from pydantic import TypeAdapter, ValidationError

from app.monitoring import logs


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def logger() -> Any:
    return structlog.get_logger("test")


def test_a_line_is_one_json_object_with_time_level_and_event(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logger().debug("hidden")
    logger().info("users_counted", count=3)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {"event": "users_counted", "count": 3, "level": "info"}


def test_the_standard_library_goes_the_same_way_and_uvicorn_writes_no_access_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("info", "json")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("uvicorn.access").info("GET /users?email=ana@example.com")
    logging.getLogger("pymongo.command").debug("find %s", {"email": "ana@example.com"})
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("Started server process [7]", "uvicorn.error")


def test_the_id_of_the_request_is_on_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    token = logs.REQUEST_ID.set("abc")
    try:
        logger().info("ours")
        logging.getLogger("theirs").warning("theirs")
    finally:
        logs.REQUEST_ID.reset(token)
    assert [line["request_id"] for line in lines(capsys)] == ["abc", "abc"]


def test_private_values_are_masked_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    private = {
        "password": 1,
        "refresh_token": 2,
        "Set-Cookie": 3,
        "userEmail": 4,
        "PHONE": 5,
        "api_key": None,
    }
    logger().info("signed_in", **private, keys_examined=6, user={"phone": "1", "tags": [{"secret": 2}]})
    (line,) = lines(capsys)
    assert {name: line[name] for name in private} == dict.fromkeys(private, "***")
    assert (line["keys_examined"], line["user"]) == (6, {"phone": "***", "tags": [{"secret": "***"}]})


def test_addresses_and_credentials_inside_texts_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logger().info(
        "no user ana@example.com", uri="mongodb://root:pa@ss@db:27017/roster", other=["<bo@b.example>"]
    )
    (line,) = lines(capsys)
    assert (line["event"], line["other"]) == ("no user ***", ["<***>"])
    assert "pa" not in line["uri"]
    assert "root" not in line["uri"]


@pytest.mark.parametrize("layout", ["json", "pretty"])
def test_no_value_can_begin_a_line_of_its_own_or_steer_a_terminal(
    layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", layout)
    evil = "a\r\n2026-01-01 [info] forged\x1b[2J\x9b\u2028\u202e\x00\ud800"
    logger().info(evil, name=evil, nested=[evil])
    logging.getLogger("theirs").warning("%s", evil)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 2
    assert not set(written) & set("\r\x9b\u2028\u202e\x00\ud800")
    assert "\x1b[2J" not in written


@pytest.mark.parametrize("layout", ["json", "pretty"])
def test_a_traceback_shows_neither_local_variables_nor_values_of_drivers(
    layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", layout)

    def fail(local: str) -> None:
        try:
            TypeAdapter(int).validate_python(local)
        except ValidationError as error:
            msg = 'E11000 dup key: { phone: "+4915112345678" }\nforged'
            raise RuntimeError(msg) from error

    with warnings.catch_warnings(action="error"):
        try:
            fail(f"s3{'-'}cret")
        except RuntimeError:
            logger().exception("failed")
            logging.getLogger("theirs").exception("failed too")
    written = capsys.readouterr().err
    assert written.count("in fail") == 4
    assert "s3-cret" not in written
    assert "4915" not in written
    assert not any(line.startswith("forged") for line in written.splitlines())


def test_what_json_cannot_hold_is_logged_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logger().info("odd", big=2**70, number=float("nan"), kind=ValueError("x"), pairs={1: {2}})
    (line,) = lines(capsys)
    assert (line["big"], line["kind"], line["pairs"]) == (2**70, "x", {"1": [2]})


def test_a_closed_log_does_not_fail_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, _: str) -> None:
            raise BrokenPipeError

        def isatty(self) -> bool:
            return False

    logs.configure("info", "json")
    monkeypatch.setattr("sys.stderr", Closed())
    logger().info("nobody reads this")
    logging.getLogger("theirs").warning("nor this")


def test_auto_is_json_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "auto")
    logger().info("hello")
    assert lines(capsys)[0]["event"] == "hello"


def test_a_line_within_a_trace_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    span = trace.NonRecordingSpan(trace.SpanContext(0xABC, 0xDEF, is_remote=True))
    with trace.use_span(span):
        logger().info("ours")
        logging.getLogger("theirs").warning("theirs")
    logger().info("outside")
    within, theirs, outside = lines(capsys)
    assert within["trace_id"] == theirs["trace_id"] == "0" * 29 + "abc"
    assert within["span_id"] == "0" * 13 + "def"
    assert outside.keys().isdisjoint({"trace_id", "span_id"})


def test_without_opentelemetry_there_is_just_no_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "trace", None)
    logs.configure("info", "json")
    logger().info("hello")
    assert lines(capsys)[0]["event"] == "hello"

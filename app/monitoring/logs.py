"""Logs: one JSON object a line on stderr (or text, coloured on a terminal), without personal data."""

import io
import json
import logging
import re
import sys
import textwrap
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
import structlog
from structlog.typing import ExcInfo, Processor

from app.core.errors import StartError
from app.core.settings import Settings
from app.monitoring.log_file import LogFile

try:
    from opentelemetry import trace
except ImportError:  # installed where traces are wanted
    trace = None  # type: ignore[assignment]  # mypy has it too

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")
"""Id of the request that this task serves; `-` outside of any."""

MASK = "***"

Event = MutableMapping[str, Any]

_PROCESSORS: list[Processor] = []
"""One list for the whole process: loggers keep the one they first used, and so follow a later `configure`."""

_FILES: list[LogFile] = []
"""The log file beside stderr, if one is set."""

_SECRETS = frozenset({
    "authorization", "bio", "cookie", "cookies", "credential", "credentials", "email", "emails", "hash",
    "jwt", "key", "mail", "passwd", "password", "passwords", "phone", "phones", "pwd", "secret", "secrets",
    "street", "token", "tokens", "username",
})  # fmt: skip
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_IN_LINES = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
_ADDRESS = re.compile(r"[^\s@\"'<>(),;:=/]+@[^\s@\"'<>(),;=/]+")
_CREDENTIALS = re.compile(r"://[^@/\s]+@")
_PYDANTIC_INPUT = re.compile(r"input_value=.*?, input_type=", re.DOTALL)
_MONGO_VALUE = re.compile(r"(dup key: |'keyValue': )\{.*?\}", re.DOTALL)
_MAX_TRACEBACK = 20_000
_MAX_NESTING = 4
_FILE_BYTES = 10 * 1024 * 1024
_FULL_FILES = 5
"""60 MiB at most, some 200,000 requests: who keeps more collects stderr."""


def set_up(settings: Settings) -> None:
    """Configure logs by the settings. StartError: the log file cannot be written."""
    file = None
    if settings.log_file is not None:
        try:
            file = LogFile(settings.log_file, most_bytes=_FILE_BYTES, kept=_FULL_FILES)
        except OSError as error:
            raise StartError(
                f"ROSTER_LOG_FILE={settings.log_file} cannot be written ({error.strerror})."
            ) from None
    configure(settings.log_level, settings.log_format, file)


def configure(level: str, layout: str, file: LogFile | None = None) -> None:
    """Send structlog and the standard library's loggers to stderr, and to the file if there is one.

    `layout` is json, pretty or auto, which is pretty on a terminal only. May be called again. Start uvicorn
    with `log_config=None`, or it undoes this.
    """
    escape_unprintable()
    for former in _FILES:
        former.close()
    _FILES[:] = [] if file is None else [file]
    colours = sys.stderr.isatty() and file is None
    pretty = layout == "pretty" or (layout == "auto" and colours)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_context,
        structlog.processors.ExceptionRenderer(_format_exception),
        _clean,
    ]
    renderer: Processor = _make_pretty(colours=colours) if pretty else _render_json
    _PROCESSORS[:] = [structlog.processors.add_log_level, *shared, renderer]
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_Logger,
        cache_logger_on_first_use=True,
    )
    _route_standard_library(threshold, shared, renderer)


def escape_unprintable() -> None:
    """Let stdout and stderr escape what their encoding cannot write, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where it is closed or replaced by a test
            stream.reconfigure(errors="backslashreplace")


def _route_standard_library(threshold: int, shared: list[Processor], renderer: Processor) -> None:
    handler = _Handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.INFO))  # the drivers' debug lines hold queries and documents
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("taskiq").setLevel(max(threshold, logging.WARNING))  # it logs each message of the queue
    access = logging.getLogger("uvicorn.access")  # it logs raw paths and queries
    access.handlers.clear()
    access.propagate = False


def _write(line: str) -> None:
    """Write to today's `sys.stderr`; never fails a request because the log cannot be written."""
    with suppress(OSError, ValueError):
        sys.stderr.write(line + "\n")
    for file in _FILES:
        with suppress(OSError):
            file.write(line + "\n")


class _Logger:
    def __init__(self, *_: object) -> None: ...

    def msg(self, line: str) -> None:
        _write(line)

    debug = info = warning = warn = error = critical = fatal = exception = failure = log = msg


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _write(self.format(record))


def _add_context(_: object, __: str, event: Event) -> Event:
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    if (request_id := REQUEST_ID.get()) != "-":
        event["request_id"] = request_id
    if trace is not None and (span := trace.get_current_span().get_span_context()).is_valid:
        event["trace_id"] = trace.format_trace_id(span.trace_id)
        event["span_id"] = trace.format_span_id(span.span_id)
    return event


def _clean(_: object, __: str, event: Event) -> Event:
    for key, value in event.items():
        if is_private(key):
            event[key] = MASK
        elif key == "exception":
            event[key] = _clean_text(value, _UNSAFE_IN_LINES)
        elif not isinstance(value, int | float):
            event[key] = _clean_value(value)
    return event


def _clean_value(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return _clean_text(value, _UNSAFE)
    if isinstance(value, int | float | bool | None):
        return value
    if depth < _MAX_NESTING and isinstance(value, dict):
        return {
            str(key): MASK if is_private(str(key)) else _clean_value(item, depth + 1)
            for key, item in value.items()
        }
    if depth < _MAX_NESTING and isinstance(value, list | tuple | set | frozenset):
        return [_clean_value(item, depth + 1) for item in value]
    return _clean_text(str(value), _UNSAFE)


def _clean_text(text: str, unsafe: re.Pattern[str]) -> str:
    if "@" in text:
        text = _ADDRESS.sub(MASK, _CREDENTIALS.sub(f"://{MASK}@", text))
    return text if text.isprintable() else unsafe.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "backslashreplace").decode()


@lru_cache(maxsize=1024)
def is_private(key: str) -> bool:
    """Whether a value under this key must not be logged, judged by the words in the key."""
    return any(word.lower() in _SECRETS for word in _WORDS.findall(key))


def _format_exception(exc_info: ExcInfo) -> str:
    """The traceback without local variables, and without the values that drivers put into their messages."""
    text = "".join(traceback.format_exception(*exc_info)).rstrip()
    text = _MONGO_VALUE.sub(r"\1{" + MASK + "}", text)
    return _PYDANTIC_INPUT.sub(f"input_value={MASK}, input_type=", text)[-_MAX_TRACEBACK:]


def _render_json(_: object, __: str, event: Event) -> str:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(dict(event), default=str)


def _make_pretty(*, colours: bool) -> Processor:
    render = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)

    def render_pretty(logger: object, method: str, event: Event) -> str:
        if "exception" in event:  # indented, so that no message in it looks like a line of its own
            event["exception"] = textwrap.indent(event["exception"], "  ")
        return render(logger, method, event)

    return render_pretty

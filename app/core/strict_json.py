"""Strict JSON: refuses, with a sentence, what other parsers accept or change in silence.

The standard library's parser, with hooks that see each object and number. They let other threads run, while
orjson would hold the interpreter throughout a large body; on one of 400 bytes it would save 5 microseconds.
"""

import json
import math
import re
from collections.abc import Iterator

from app.core.errors import MalformedJSONError

MAX_DEPTH = 32
MAX_VALUES = 1_000_000
"""Bounds memory: 16 MiB of `[],[],` would otherwise become 350 MB of lists."""

LARGE = 256 * 1024
"""Bytes from which on `parse` should run in a thread."""

_INT64 = range(-(2**63), 2**63)
_SHOWN_KEY = 40
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_BAD_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def parse(body: bytes) -> object:
    """The document; MalformedJSONError with one sentence if it is not strict JSON.

    Refused besides bad syntax: NaN and infinities, numbers no double holds, integers outside int64, lone
    surrogates, NUL in strings and keys, duplicate keys, depth over 32, more than 1,000,000 values, a BOM and
    anything that is not UTF-8.
    """
    if body.startswith(b"\xef\xbb\xbf"):
        msg = "The body begins with a byte order mark: send UTF-8 without one."
        raise MalformedJSONError(msg)
    if _may_be_too_big(body):
        _check_structure(body)
    return _decode(body)


def _may_be_too_big(body: bytes) -> bool:
    """Whether depth or number of values must be counted; brackets and commas in strings count too."""
    opened = body.count(b"[") + body.count(b"{")
    if opened + body.count(b",") >= MAX_VALUES:
        return True
    if opened <= MAX_DEPTH:
        return False
    brackets = body.translate(_BRACKETS, delete=_NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"()", b"")  # removes the innermost layer alone
    return bool(brackets)


def _check_structure(body: bytes) -> None:
    depth = values = 0
    for match in _STRUCTURE.finditer(body):
        mark = body[match.start()]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
        if mark in b"[{,":
            values += 1
        if depth > MAX_DEPTH:
            raise MalformedJSONError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        if values >= MAX_VALUES:
            raise MalformedJSONError(f"The body contains more than {MAX_VALUES:,} values.")


def _decode(body: bytes) -> object:
    """Relies on the structure having been checked, as the parser recurses."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedJSONError(f"The body is not UTF-8: byte {error.start} is not valid there.") from None
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _explain(text, error) from None
    if b"\\u" in body and _BAD_ESCAPE.search(body):
        _check_strings(value)
    return value


def _to_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() returns None on purpose
        raise MalformedJSONError(f"The key {_show(twice)} occurs twice in one object.")
    return members


def _to_int(digits: str) -> int:
    if len(digits) > len(str(_INT64.start)) or (number := int(digits)) not in _INT64:
        msg = "An integer is outside the 64-bit range (-2^63 to 2^63-1): send it as a string."
        raise MalformedJSONError(msg)
    return number


def _to_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        msg = "A number is too large for a double."
        raise MalformedJSONError(msg)
    return number


def _refuse_constant(_: str) -> None:
    msg = "NaN and Infinity are not JSON: send null or leave the field out."
    raise MalformedJSONError(msg)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_to_object, parse_int=_to_int, parse_float=_to_float, parse_constant=_refuse_constant
)


def _check_strings(value: object) -> None:
    for text in _strings(value):
        if "\0" in text:
            msg = r"A string contains the character NUL (\u0000)."
            raise MalformedJSONError(msg)
        if not text.isascii() and not _encodes(text):
            msg = r"A \u escape is half of a surrogate pair, without its other half."
            raise MalformedJSONError(msg)


def _strings(value: object) -> Iterator[str]:
    """Keys and strings, in no particular order."""
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item
            rest.extend(item.values())
        elif isinstance(item, list):
            rest.extend(item)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _explain(text: str, error: json.JSONDecodeError) -> MalformedJSONError:
    """The parser's error in our words where they help; its messages are fixed texts."""
    if not text.strip():
        return MalformedJSONError("The body is empty: send a JSON document.")
    where = f"line {error.lineno}, column {error.colno}"
    return MalformedJSONError(f"The body is not JSON: {error.msg.rstrip(': ')} ({where}).")


def _show(key: str) -> str:
    short = key if len(key) <= _SHOWN_KEY else key[: _SHOWN_KEY - 1] + "…"
    return '"' + "".join(char if char.isprintable() else "�" for char in short) + '"'

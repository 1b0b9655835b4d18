"""Strict JSON: refuses, with a sentence, what other parsers accept or change in silence.

Two readers agree (a test compares them): orjson with cheap checks for bodies of the usual size, and the
standard library's with hooks where a check needs to see each object and number. The second also reads the
large bodies: its hooks let other threads run, while orjson would hold the interpreter throughout.
"""

import json
import math
import re
from collections.abc import Iterator

import orjson

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
_DIGITS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else ord(" ") for byte in range(256))  # noqa: PLR2004  (ASCII)
_LONG_NUMBER = b"0" * 19  # an int64 has at most 19 digits
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_BAD_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_COLON_ESCAPE = re.compile(rb"\\u003[aA]")
_CONSTANT = re.compile(r"-?(?:NaN|Infinity)")


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
    return _parse_exactly(body) if len(body) >= LARGE else _parse_quickly(body)


def _may_be_too_big(body: bytes) -> bool:
    """Whether depth or number of values must be counted; brackets and commas in strings count too."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") >= MAX_VALUES:
        return True
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


def _parse_quickly(body: bytes) -> object:
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _explain(body, error) from None
    if _needs_exactness(body, value):
        return _parse_exactly(body)
    return value


def _needs_exactness(body: bytes, value: object) -> bool:
    """Whether a long number, a suspicious escape or a lost key calls for the slower reader."""
    if _LONG_NUMBER in body.translate(_DIGITS):
        return True
    if b"\\u" in body and (_BAD_ESCAPE.search(body) or _COLON_ESCAPE.search(body)):
        return True
    # Written again without the overwritten pairs, a document with duplicate keys has fewer colons.
    return body.count(b":") != orjson.dumps(value).count(b":")


def _parse_exactly(body: bytes) -> object:
    """Parse with every check; relies on the structure having been checked, as its parser recurses."""
    try:
        value: object = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise MalformedJSONError(f"The body is not UTF-8: byte {error.start} is not valid there.") from None
    except json.JSONDecodeError as error:
        raise _explain(body, error) from None
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
            raise _lone_surrogate()


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


def _lone_surrogate() -> MalformedJSONError:
    msg = r"A \u escape is half of a surrogate pair, without its other half."
    return MalformedJSONError(msg)


def _explain(body: bytes, error: json.JSONDecodeError) -> MalformedJSONError:
    """A parser's error in our words where they help; parsers' messages are fixed texts."""
    if not body.strip():
        return MalformedJSONError("The body is empty: send a JSON document.")
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        return MalformedJSONError(f"The body is not UTF-8: byte {wrong.start} is not valid there.")
    if "surrogate" in error.msg:
        return _lone_surrogate()
    where = f"line {error.lineno}, column {error.colno}"
    if _CONSTANT.match(text, error.pos):
        return MalformedJSONError(f"NaN and Infinity are not JSON ({where}): send null.")
    if "infinity" in error.msg:
        return MalformedJSONError(f"A number is too large for a double ({where}).")
    return MalformedJSONError(f"The body is not JSON: {error.msg.rstrip(': ')} ({where}).")


def _show(key: str) -> str:
    short = key if len(key) <= _SHOWN_KEY else key[: _SHOWN_KEY - 1] + "…"
    return '"' + "".join(char if char.isprintable() else "�" for char in short) + '"'

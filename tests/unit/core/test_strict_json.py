import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import strict_json
from app.core.errors import MalformedJSONError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["::", '":"', "[[[{{", "\\u0000", "}],", "1" * 25, "\\", '\\"'])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=25,
)


def refusal(body: bytes) -> str:
    with pytest.raises(MalformedJSONError) as caught:
        strict_json.parse(body)
    assert len(caught.value.detail) < 200
    return caught.value.detail


@given(document=DOCUMENTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_valid_documents_come_out_as_the_standard_library_reads_them(
    *, document: object, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    parsed = strict_json.parse(body)
    assert repr(parsed) == repr(json.loads(body))


@given(document=DOCUMENTS, position=st.integers(0, 10_000), noise=st.binary(max_size=4))
def test_a_damaged_document_is_refused_or_is_what_another_reader_makes_of_it(
    document: object, position: int, noise: bytes
) -> None:
    body = json.dumps(document).encode()
    position %= len(body) + 1
    damaged = body[:position] + noise + body[position + 1 :]
    try:
        parsed = strict_json.parse(damaged)
    except MalformedJSONError:
        return
    assert repr(parsed) == repr(orjson.loads(damaged))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (rb'{"a": "\ud800"}', "surrogate"),
        (rb'{"\udc00": 1}', "surrogate"),
        (rb'["\ud800\ud800"]', "surrogate"),
        (b'["\xed\xa0\x80"]', "not UTF-8: byte 2"),
        (b'["\xff"]', "not UTF-8: byte 2"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (rb'["a\u0000b"]', "NUL"),
        (rb'{"a\u0000b": 1}', "NUL"),
        (b'["a\0b"]', "not JSON"),
        (b"[NaN]", "NaN and Infinity are not JSON"),
        (b"[-Infinity]", "NaN and Infinity are not JSON"),
        (b"[1e400]", "too large for a double"),
        (b"[-1e400]", "too large for a double"),
        (b"[1" + b"0" * 400 + b".5]", "too large for a double"),
        (b"[1" + b"0" * 400 + b"]", ""),
        (b"[9223372036854775808]", "64-bit"),
        (b"[-9223372036854775809]", "64-bit"),
        (b"[18446744073709551616]", "64-bit"),
        (b'{"a": 1, "a": 2}', 'key "a" occurs twice'),
        (b'{"a": {"b": 1, "b": [1]}}', 'key "b" occurs twice'),
        (rb'{"a:": "::", "\u0061:": "x"}', 'key "a:" occurs twice'),
        (rb'{"a": "\u003a\u003A", "a": ""}', 'key "a" occurs twice'),
        (b'{"a": 1} x', "line 1, column 10"),
        (b"[1,]", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[01]", "not JSON"),
        (b"nul", "not JSON"),
        (b'["a\nb"]', "not JSON"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b"[" * 33 + b"]" * 33, "deeper than 32"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32"),
        (b"[" * 200 + b"]" * 200, "deeper than 32"),
        (b'[{"a":' * 5_000, "deeper than 32"),
        (b'["' + b"[" * 40 + b'", ' + b"[" * 32 + b"]" * 33, "deeper than 32"),
        (b"[" + b"[]," * 1_000_000 + b"[]]", "more than 1,000,000 values"),
    ],
)
def test_each_kind_of_lax_json_is_refused_with_its_reason(body: bytes, words: str) -> None:
    detail = refusal(body)
    assert words in detail


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 32 + b"]" * 32,
        b'["' + b"[" * 40 + b'"]',
        b'["' + b'\\"[' * 40 + b'"]',
        b"[9223372036854775807, -9223372036854775808]",
        b"[0.12345678901234567890123456789, 1e-400, -0.0, 1e308]",
        rb'["\\u0000", "\ud83d\ude00", "\u003a"]',
        '["\U0010ffff", "\ufffe"]'.encode(),
        b"null",
        b'{"": {"": 0}}',
    ],
)
def test_what_stands_just_inside_the_rules_is_read(body: bytes) -> None:
    assert repr(strict_json.parse(body)) == repr(json.loads(body))


def test_a_megabyte_of_key_is_shown_cut_and_without_control_characters() -> None:
    detail = refusal(b'{"k\\n' + b"k" * 10**6 + b'":1,"k\\n' + b"k" * 10**6 + b'":1}')
    assert detail == f'The key "k\N{REPLACEMENT CHARACTER}{"k" * 37}…" occurs twice in one object.'


@pytest.mark.parametrize("unit", [b'\\"', b'"', b"[", b'{"a":', b"\\", b'"a', b"1", b"-", b",", b"[]"])
def test_no_repeated_fragment_takes_more_than_linear_work(unit: bytes) -> None:
    """A quadratic check would take hours on these; the run's own time limit would end it."""
    with pytest.raises(MalformedJSONError):
        strict_json.parse(b'["' + unit * (2**20 // len(unit)))
    with pytest.raises(MalformedJSONError):
        strict_json.parse(b"[" + unit * (2**20 // len(unit)))


def test_numbers_keep_their_kind() -> None:
    parsed = strict_json.parse(b"[1, 1.0, true, 1e2]")
    assert isinstance(parsed, list)
    assert [type(number) for number in parsed] == [int, float, bool, float]
    assert math.isclose(parsed[3], 100)

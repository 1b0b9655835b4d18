"""Ranges of a file, as RFC 9110, section 14 has them."""

import pytest

from app.core.errors import RangeNotSatisfiableError
from app.http import byte_ranges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=10-", (10, 100)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)),
        ("Bytes = 5-6", (5, 7)),
        (" bytes=5-6 ", (5, 7)),
    ],
)
def test_a_range_is_cut_to_the_file(header: str, expected: tuple[int, int]) -> None:
    assert byte_ranges.choose(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=0-1,5-6",
        "lines=0-1",
        "bytes=a-b",
        "bytes=٣-",
    ],
)
def test_what_is_no_single_range_of_bytes_is_ignored(header: str | None) -> None:
    assert byte_ranges.choose(header, 100) is None


@pytest.mark.parametrize(
    ("header", "length"), [("bytes=100-", 100), ("bytes=100-200", 100), ("bytes=-0", 100), ("bytes=0-", 0)]
)
def test_a_range_past_the_end_names_the_length(header: str, length: int) -> None:
    with pytest.raises(RangeNotSatisfiableError) as refused:
        byte_ranges.choose(header, length)
    assert refused.value.headers == {"Content-Range": f"bytes */{length}"}

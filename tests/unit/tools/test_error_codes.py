"""The error codes that callers may rely on are all listed."""

from pathlib import Path

from tools.error_codes import classes, page

DOCUMENT = Path(__file__).parents[3] / "docs" / "errors.md"


def test_the_documented_codes_are_those_of_the_code() -> None:
    assert DOCUMENT.read_text() == page(), "run `make snapshots`"


def test_one_condition_has_one_code_and_one_status() -> None:
    codes = [error.code for error in classes()]
    assert len(codes) == len(set(codes))

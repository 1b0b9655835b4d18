"""The list of the conformance suite's modules is that of our tests."""

from pathlib import Path

from tools.openid_conformance import find, page

DOCUMENT = Path(__file__).parents[3] / "docs" / "openid-conformance.md"


def test_the_list_is_written_from_the_tests() -> None:
    assert DOCUMENT.read_text() == page(), "run `make snapshots`"


def test_no_module_is_asked_twice() -> None:
    modules = [module for module, _, _ in find()]
    assert len(modules) == len(set(modules))

"""The contract of events is documented as it is declared."""

from pathlib import Path

from models.event import DECLARED, TYPES
from tools.event_contract import page

ROOT = Path(__file__).parents[3]


def test_the_published_contract_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "events.md").read_text() == page(), "run `make snapshots`"


def test_each_type_is_declared() -> None:
    assert set(DECLARED) == set(TYPES)

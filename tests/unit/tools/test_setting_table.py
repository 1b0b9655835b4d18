"""The settings are documented as they are."""

from pathlib import Path

from app.core.settings import Settings
from tools.setting_table import page

ROOT = Path(__file__).parents[3]


def test_the_documented_settings_are_those_of_the_code() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == page(), "run `make snapshots`"


def test_each_setting_has_its_meaning_and_stands_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"ROSTER_{name.upper()}=" in example, name

"""docs/settings.md, written from the settings: `python -m tools.setting_table > docs/settings.md`."""

import sys
from typing import Any

from pydantic.fields import FieldInfo

from app.core.settings import Settings

HEAD = """# Settings

From the environment or `.env`; the environment wins. What is empty counts as unset. `.env.example` has them
all with more of their reasons.

| Setting | Default | Meaning |
|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(map(_row, *zip(*Settings.model_fields.items(), strict=True)))


def _row(name: str, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `ROSTER_{name.upper()}` | {_default(field.default)} | {meaning} |\n"


def _default(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())

"""The shell commands of the documentation, in its order, each with the output that is shown for it."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Command:
    page: str
    text: str
    shown: str
    """What the page shows as its output; often shortened, and empty where it shows none."""


def read(page: str) -> Iterator[Command]:
    for block in _BLOCK.findall((_ROOT / page).read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            text, shown = _cut(part.splitlines())
            yield Command(page, text, shown)


def _cut(lines: list[str]) -> tuple[str, str]:
    """The command ends with the line on which no quote is open and no backslash goes on."""
    for end in range(1, len(lines) + 1):
        text = "\n".join(lines[:end])
        if _is_whole(text):
            return text, "\n".join(lines[end:])
    raise ValueError(f"This command does not end: {lines}")


def _is_whole(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return not text.endswith("\\")

"""The examples of docs/sign-in.md, as the clients run them: for another address, and as other clients."""

import re
from pathlib import Path
from typing import Final

_PAGE: Final = Path(__file__).parent.parent / "docs" / "sign-in.md"


def read(heading: str, language: str, **instead: str) -> str:
    """The first block of the language below the heading, with what `instead` names replaced."""
    part = _PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(f"docs/sign-in.md has no {language} below {heading}")
    text = found[1]
    for shown, value in instead.items():
        if shown not in text:
            raise LookupError(f"docs/sign-in.md, {heading}: {shown} is not there")
        text = text.replace(shown, value)
    return text

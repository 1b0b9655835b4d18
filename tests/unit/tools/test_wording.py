"""Code and pages are written in plain English: words that stop a reader from outside are refused."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = (
    "app",
    "benchmarks",
    "clients",
    "docs",
    "fuzz",
    "models",
    "mta",
    "office",
    "routers",
    "tests",
    "tools",
)
INSTEAD = {
    r"whoever": "say who it is: a caller, a user, the next attempt",
    r"lest": "write `so that … not`",
    r"another[ _]hand": "write `other programs`, or what is malformed",
    r"who[ _]reads": "say who it is, or what it does",
    r"(he(?! lian|-IL)|his|him|himself)": "write `they`, `their`, `them` of a person",
}


def test_no_text_has_the_words_that_stop_a_reader() -> None:
    files = [*ROOT.glob("*.md"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.*"))]
    found = [
        f"{file.relative_to(ROOT)}: {word}: {instead}"
        for file in files
        if file.suffix in {".py", ".lua", ".md"}
        and file != Path(__file__)
        and {"spectral", "node_modules", ".venv"}.isdisjoint(file.parts)  # packages of others
        for word, instead in INSTEAD.items()
        if re.search(rf"(?<![^\W_]){word}(?![^\W_])", file.read_text("utf-8"), re.IGNORECASE)
    ]
    assert found == []

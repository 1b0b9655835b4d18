"""What of the code is told: sentences that errors are made with, and no documentation, log or pattern."""

from pathlib import Path

import pytest

from tools import sayings

CODE = '''
"""A module. It says so."""

PATTERN = re.compile("Must be a pattern.")
HEADERS = {"Location": {"description": "The path of it."}}
DETAIL = "This is told."


def refuse(name: Annotated[str, Query(description="A name.")], limit: int) -> None:
    """Refuse it. Always."""
    log.warning("It was refused: really.", name=name)
    if not name:
        raise StartError("Set ROSTER_NAME: it is empty.")
    if limit:
        raise OAuthError("The parameter name is missing.")
    raise InvalidError(f"{name} may have {limit:,} characters.", errors=(FieldError("must " + "be short"),))
'''


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app").mkdir()
    monkeypatch.setattr(sayings, "ROOT", tmp_path)
    sayings.find_all.cache_clear()
    monkeypatch.setattr("tools.error_codes.classes", lambda *_: [])
    path = tmp_path / "app" / "refusals.py"
    path.write_text(CODE)
    return path


def test_sentences_of_errors_are_told_and_others_are_not(code: Path) -> None:
    assert code.exists()
    assert sayings.find_told() == {"This is told.", "{} may have {} characters."}


def test_what_stops_a_process_is_told_to_nobody(code: Path) -> None:
    commands = code.parent / "commands"
    commands.mkdir()
    code.rename(commands / code.name)
    assert sayings.find_told() == set()

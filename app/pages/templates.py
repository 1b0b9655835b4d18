"""Templates of pages and mails: ours, each of which a file of the operator's folder may replace."""

import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    select_autoescape,
)

from app.core.errors import StartError

_OURS = Path(__file__).parent / "templates"
SETTING = "ROSTER_TEMPLATES"
_SUFFIXES = frozenset({".css", ".html", ".txt"})
_PART = "_"
"""What a file begins with that replaces none of ours, but is included by others of the folder."""


def load(
    folder: Path | None, ours: Path = _OURS, *, setting: str = SETTING, more: Collection[str] = ()
) -> Environment:
    """StartError where the folder cannot be read, or has a file that is none of ours and none of `more`.

    What ends with .txt is no HTML, and nothing is escaped in it.
    """
    if folder is None:
        return _load_ours(ours)
    _check(folder, {path.name for path in ours.iterdir()}.union(more), setting)
    return _make(folder, ours)


@cache
def _load_ours(ours: Path) -> Environment:
    """One for all apps of a process: each template is compiled once."""
    return _make(ours)


def _make(*folders: Path) -> Environment:
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(each) for each in folders]),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _check(folder: Path, names: Collection[str], setting: str) -> None:
    try:
        found = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise StartError(f"{setting} cannot be read ({error.strerror}): {folder}.") from None
    strange = [name for name in found if name not in names and not name.startswith((_PART, "."))]
    if strange:
        raise StartError(
            f"{setting} has {strange[0]}, which replaces no template: name it {_PART}{strange[0]} if "
            f"others include it, or as one of {', '.join(sorted(names))}."
        )


@contextmanager
def explained(name: str, setting: str = SETTING) -> Iterator[None]:
    """StartError says in one sentence what is wrong with the template that is rendered within."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a template may raise anything
        raise StartError(f"{setting}: {_place(error) or name}: {_reason(error)}.") from None


def _place(error: Exception) -> str | None:
    """The file and line: Jinja puts templates into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name}, line {error.lineno}"
    places = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [f"{path.name}, line {line}" for path, line in places if path.suffix in _SUFFIXES]
    return ours[-1] if ours else None


def _reason(error: Exception) -> str:
    match error:
        case TemplateNotFound():
            return f"there is no {error.name}"
        case TemplateError():
            return str(error.message).rstrip(".")
        case _:
            return f"{type(error).__name__}: {error}"
